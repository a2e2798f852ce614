"""Bars of a small chart as numbers for SVG. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tasks.index.health import ArrivalDay
from tasks.values.display import plural

WIDTH, HEIGHT = 672, 120
DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its place and size in the chart's units, what it says, and where it leads (nowhere: empty)."""

    x: float
    y: float
    width: float
    height: float
    label: str
    number: int
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars side by side; `ticks` are places with their labels, `summary` says the chart in a sentence."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    highest: int
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def hour_chart(days: Iterable[ArrivalDay], *, now: datetime) -> Chart:
    """Return how many articles were published in each hour of the last seven days, this one included."""
    by_day = {one.day: one.hours for one in days}
    today = now.astimezone(UTC).date()
    shown = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    numbers = [number for day in shown for number in by_day.get(day, (0,) * 24)]
    labels = [f"{day:%a} {day.day} {day:%b}, {hour:02d} h" for day in shown for hour in range(24)]
    ticks = tuple((index * 24 * WIDTH / (DAYS * 24), f"{day:%a} {day.day}") for index, day in enumerate(shown))
    total, most = sum(numbers), max(numbers, default=0)
    busiest = f", most in one hour: {most}" if most else ""
    summary = f"{plural(total, 'article')} in seven days, by the hour of publication, UTC{busiest}."
    return Chart(bars=_bars(numbers, labels), ticks=ticks, highest=most, summary=summary)


def day_chart(numbers: Sequence[tuple[date, int]], *, height: int = 56) -> Chart:
    """Return how many articles were published each day, each bar a link to its day."""
    labels = [f"{day:%a} {day.day} {day:%b}" for day, _ in numbers]
    bars = _bars([number for _, number in numbers], labels, height=height, gap=3)
    linked = tuple(
        Bar(x=bar.x, y=bar.y, width=bar.width, height=bar.height, label=bar.label, number=bar.number,
            link=f"/?day={day.isoformat()}")
        for bar, (day, _) in zip(bars, numbers, strict=True)
    )  # fmt: skip
    total = sum(number for _, number in numbers)
    most = max((number for _, number in numbers), default=0)
    summary = f"{plural(total, 'article')} in {plural(len(numbers), 'day')}, by the day of publication, UTC."
    return Chart(bars=linked, ticks=(), highest=most, summary=summary, height=height)


def _bars(numbers: Sequence[int], labels: Sequence[str], *, height: int = HEIGHT, gap: float = 1) -> tuple[Bar, ...]:
    most, step = max(numbers, default=0), WIDTH / max(len(numbers), 1)
    bars = []
    for index, (number, label) in enumerate(zip(numbers, labels, strict=True)):
        tall = round(height * number / most, 1) if most else 0.0
        tall = max(tall, 2.0) if number else 0.0
        bars.append(
            Bar(x=round(index * step, 2), y=round(height - tall, 1), width=round(step - gap, 2), height=tall, label=label,
                number=number)
        )  # fmt: skip
    return tuple(bars)
