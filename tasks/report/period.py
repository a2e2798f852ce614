"""The past day or week of all sources: volume, novelty, freshness, failures, and each source's state. Pure.

A period consists of whole UTC days and ends with the last midnight; today's figures are shown separately.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tasks.config.choices import Period
from tasks.health.judgement import HealthReport, SourceHealth, failing_of, percentile
from tasks.health.table import VOLUME, health_summary, shown_s
from tasks.index.health import ArrivalDay, Tally, TallyKind
from tasks.report.links import NO_LINKS, Links, linked
from tasks.report.markdown import table
from tasks.report.plot import columns, stacked_bars
from tasks.values.display import moment, plural, sparkline
from tasks.values.rows import Novelty, Outcome
from tasks.values.text.escape import as_code, as_text

SHOWN = 50
ARTICLES = frozenset({*Novelty} - {Novelty.UNCHANGED, Novelty.REVISION})
"""The novelties of the first page of an article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInPeriod:
    """One source's figures in a period, and in the one before; lags are seconds."""

    source_id: str
    articles: int
    before: int
    revisions: int
    looks: int
    failing: dict[str, int]
    lag_p50_s: float | None
    lag_p95_s: float | None
    health: SourceHealth | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReport:
    """A period from `since` to `until` (exclusive); `came_to`, `before` and `today` count looks by result."""

    period: Period
    since: date
    until: date
    came_to: dict[str, int]
    before: dict[str, int]
    today: dict[str, int]
    by_day: dict[str, dict[str, int]]
    by_hour: tuple[int, ...]
    lag_p50_s: float | None
    lag_p95_s: float | None
    sources: tuple[SourceInPeriod, ...]

    @property
    def articles(self) -> int:
        """Return how many articles are new in the period."""
        return articles_of(self.came_to)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "articles": self.articles}


def articles_of(counts: dict[str, int]) -> int:
    """Return the number of new articles among looks."""
    return sum(number for what, number in counts.items() if what in ARTICLES)


def sum_up(
    period: Period, *, tallies: Iterable[Tally], arrivals: Iterable[ArrivalDay], health: HealthReport, today: date
) -> PeriodReport:
    """Add up a period from its tallies and those of the period before."""
    since, former = today - period.span, today - 2 * period.span
    all_of = tuple(tallies)
    inside = tuple(one for one in all_of if since <= one.day < today)
    before = tuple(one for one in all_of if former <= one.day < since)
    lags = _counts(inside, TallyKind.LAG)
    states = {one.source_id: one for one in health.sources}
    ids = sorted({one.source_id for one in (*inside, *before)} | states.keys())
    return PeriodReport(
        period=period,
        since=since,
        until=today,
        came_to=_counts(inside),
        before=_counts(before),
        today=_counts(one for one in all_of if one.day == today),
        by_day={
            day.isoformat(): _counts(one for one in inside if one.day == day)
            for day in (since + timedelta(days=number) for number in range(period.span.days))
        },
        by_hour=_by_hour(one for one in arrivals if since <= one.day < today),
        lag_p50_s=percentile(lags, 0.50),
        lag_p95_s=percentile(lags, 0.95),
        sources=_by_source(ids, inside, before, states),
    )


def summary_line(report: PeriodReport) -> str:
    """Return the period in one line."""
    looks = sum(report.came_to.values())
    failing = sum(failing_of(report.came_to).values())
    span = f"{report.since}" if report.period is Period.DAY else f"{report.since} to {report.until - timedelta(days=1)}"
    now = articles_of(report.today)
    so_far = f"; today so far {plural(now, 'article')}" if now and not report.articles else ""
    answered = f"; {failing / looks:.1%} of {plural(looks, 'look')} failed" if looks else ""
    return f"{plural(report.articles, 'article')}, {span}{answered}{so_far}"


def to_markdown(report: PeriodReport, health: HealthReport, links: Links = NO_LINKS) -> str:
    """Return the period as the markdown artifact that Prefect's UI shows, with links to pages of `presslake browse`."""
    blocks = [f"# {summary_line(report)}", health_summary(health.sources)]
    kinds = (*(novelty.value for novelty in Novelty), Outcome.NOT_MODIFIED.value)
    if report.period is Period.WEEK:
        blocks.append(stacked_bars("Visits by day", list(report.by_day.items()), kinds))
    blocks.append(
        columns("Articles by hour", [(f"{hour:02d} h", number) for hour, number in enumerate(report.by_hour)])
    )
    if any(report.by_hour):
        blocks.append("New articles by hour of publication, UTC.")
    for title, head, rows in tables(report):
        blocks += [
            f"## {title}",
            table(head, [[_cell(head[n], value, links) for n, value in enumerate(row)] for row in rows]),
        ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def tables(report: PeriodReport) -> Iterator[tuple[str, Sequence[str], list[tuple[object, ...]]]]:
    """Return the period as titled tables, of plain text."""
    name = report.period.value
    whats = sorted(
        {*report.came_to, *report.before, *report.today} - failing_of({**report.before, **report.came_to}).keys()
    )
    counted: list[tuple[object, ...]] = [
        (what, report.came_to.get(what, 0), report.before.get(what, 0), report.today.get(what, 0)) for what in whats
    ]
    yield "Visits", ("outcome", f"this {name}", f"the {name} before", "today"), counted
    failing = Counter(failing_of(report.came_to)).most_common(SHOWN)
    if failing:
        spoilt = [(reason, number, sum(reason in one.failing for one in report.sources)) for reason, number in failing]
        yield "Failures", ("reason", "visits", "sources"), list(spoilt)
    now = datetime.combine(report.until, time(), tzinfo=UTC)
    rows: list[tuple[object, ...]] = [_source_row(one, now) for one in report.sources[:SHOWN]]
    head = ("source", "state", "articles", "before", VOLUME, "failing", "stored after", "newest")
    yield "Sources", head, rows


def _source_row(one: SourceInPeriod, now: datetime) -> tuple[object, ...]:
    lags = f"{shown_s(one.lag_p50_s)} / {shown_s(one.lag_p95_s)}" if one.lag_p50_s is not None else ""
    failing = f"{sum(one.failing.values())} of {one.looks}"
    state = one.health.state.value if one.health else ""
    newest = moment(one.health.newest_at, now) if one.health else ""
    volume = sparkline(one.health.volume) if one.health else ""
    return one.source_id, state, one.articles, one.before, volume, failing, lags, newest


def _cell(column: str, value: object, links: Links) -> str:
    shown = as_code(str(value)) if column in {"source", "reason", "outcome"} else as_text(str(value))
    pages = {"source": links.source, "reason": links.reason}
    return linked(shown, pages[column](str(value))) if column in pages else shown


def _by_source(
    ids: Iterable[str], inside: Sequence[Tally], before: Sequence[Tally], states: dict[str, SourceHealth]
) -> tuple[SourceInPeriod, ...]:
    """Return the sources, those with the most articles first."""
    now, past = _grouped(inside), _grouped(before)
    rows = []
    for source_id in ids:
        came_to = _counts(now.get(source_id, ()))
        lags = _counts(now.get(source_id, ()), TallyKind.LAG)
        rows.append(
            SourceInPeriod(
                source_id=source_id,
                articles=articles_of(came_to),
                before=articles_of(_counts(past.get(source_id, ()))),
                revisions=came_to.get(Novelty.REVISION, 0),
                looks=sum(came_to.values()),
                failing=failing_of(came_to),
                lag_p50_s=percentile(lags, 0.50),
                lag_p95_s=percentile(lags, 0.95),
                health=states.get(source_id),
            )
        )
    return tuple(sorted(rows, key=lambda one: (-one.articles, one.source_id)))


def _grouped(tallies: Iterable[Tally]) -> dict[str, list[Tally]]:
    groups: dict[str, list[Tally]] = {}
    for one in tallies:
        groups.setdefault(one.source_id, []).append(one)
    return groups


def _by_hour(arrivals: Iterable[ArrivalDay]) -> tuple[int, ...]:
    hours = [one.hours for one in arrivals]
    return tuple(sum(one[hour] for one in hours) for hour in range(24))


def _counts(tallies: Iterable[Tally], kind: TallyKind = TallyKind.LOOK) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for one in tallies:
        if one.kind is kind:
            counts[one.what] += one.number
    return dict(counts)
