"""Compute the bars of a small SVG chart. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tasks.index.health import ArrivalDay
from tasks.values.display import plural

WIDTH, HEIGHT = 672, 128
DAYS = 7
LOWEST_TOP = 4
"""The smallest scale of a chart, so that a few articles do not fill its height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its position and size in the chart's units, its label, and its link (may be empty)."""

    x: float
    y: float
    width: float
    height: float
    label: str
    number: int
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars side by side; `ticks` are positions with labels, `top` is the full height, `summary` a sentence."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    top: int
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def hour_chart(days: Iterable[ArrivalDay], *, now: datetime) -> Chart:
    """Return how many articles were published in each hour of the last seven days, this one included."""
    by_day = {one.day: one.hours for one in days}
    today = now.astimezone(UTC).date()
    shown = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    numbers = [number for day in shown for number in by_day.get(day, (0,) * 24)]
    labels = [f"{_named(day)}, {hour:02d} h" for day in shown for hour in range(24)]
    ticks = tuple((index * WIDTH / DAYS, f"{day:%a} {day.day}") for index, day in enumerate(shown))
    total, most = sum(numbers), max(numbers)
    busiest = f"; the most in one hour: {most}" if most else ""
    summary = f"{plural(total, 'article')} in seven days, by the hour of publication, UTC{busiest}."
    return Chart(bars=_bars(numbers, labels), ticks=ticks, top=_top(numbers), summary=summary)


def day_chart(counts: Mapping[date, int], *, last: date, days: int) -> Chart:
    """Return how many articles were published on each of the days up to the last, each bar a link to its day."""
    shown = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    numbers = [counts.get(day, 0) for day in shown]
    links = [f"/?day={day.isoformat()}" for day in shown]
    bars = _bars(numbers, [_named(day) for day in shown], links, gap=3)
    summary = (
        f"{plural(sum(numbers), 'article')} in {plural(days, 'day')} to {_named(last)}, by the day of publication, UTC."
    )
    return Chart(bars=bars, ticks=(), top=_top(numbers), summary=summary)


def _bars(
    numbers: Sequence[int], labels: Sequence[str], links: Sequence[str] = (), *, gap: float = 1
) -> tuple[Bar, ...]:
    top, step = _top(numbers), WIDTH / len(numbers)
    bars = []
    for index, (number, label) in enumerate(zip(numbers, labels, strict=True)):
        tall = max(round(HEIGHT * number / top, 1), 3.0) if number else 0.0
        bars.append(
            Bar(
                x=round(index * step, 2),
                y=round(HEIGHT - tall, 1),
                width=round(step - gap, 2),
                height=tall,
                label=label,
                number=number,
                link=links[index] if links else "",
            )
        )
    return tuple(bars)


def _top(numbers: Sequence[int]) -> int:
    return max(*numbers, LOWEST_TOP)


def _named(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
