"""The health of sources and the quarantine as rows of tables: few short columns, or Prefect's UI clips them. Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from tasks.health.judgement import VOLUME_DAYS, HealthState, SourceHealth
from tasks.index.health import Quarantined
from tasks.values.display import Rows, moment, span, sparkline
from tasks.values.text.escape import as_plain

TABLE_ROWS = 500
HEAD = ("source", "state", "newest", "last success", "a day", "failing", "stored after", "why")
"""The reason is last, since the UI may clip it; the run's report has its full text."""

VOLUME = f"{VOLUME_DAYS} days"


def health_rows(sources: Iterable[SourceHealth], *, now: datetime) -> list[dict[str, str]]:
    """Return the sources as rows under `HEAD`, in their order, with their volume as bars; instants are UTC."""
    return [
        _with_volume(
            dict(zip(HEAD, _row(one, moment(one.newest_at, now), moment(one.succeeded_at, now)), strict=True)), one
        )
        for one in list(sources)[:TABLE_ROWS]
    ]


def _with_volume(row: dict[str, str], one: SourceHealth) -> dict[str, str]:
    """Return a row with the volume's bars added to the articles per day."""
    before = HEAD.index("a day") + 1
    cells = list(row.items())
    return dict([*cells[:before], (VOLUME, sparkline(one.volume)), *cells[before:]])


def health_lines(sources: Iterable[SourceHealth], *, now: datetime) -> Rows:
    """Return the sources for a terminal, under `HEAD`: how long ago something was, in words."""
    return [_row(one, _since(one.newest_at, now), _since(one.succeeded_at, now)) for one in sources]


def _since(at: datetime | None, now: datetime) -> str:
    return span(now - at) if at and at <= now else moment(at, now)


def quarantine_rows(pages: Iterable[Quarantined], *, now: datetime) -> list[dict[str, str]]:
    """Return the pages in quarantine as rows, in their order."""
    return [
        {
            "since": moment(one.captured_at, now),
            "source": one.source_id,
            "reason": one.reason,
            "document in the lake": one.document_key,
            "URL": as_plain(one.url),
        }
        for one in pages
    ]


def health_summary(sources: Collection[SourceHealth]) -> str:
    """Return in one line how many sources are in each state."""
    counts = {state: sum(one.state is state for one in sources) for state in HealthState}
    return ", ".join(f"{number} {state.value}" for state, number in counts.items() if number) or "no sources"


def shown_s(seconds: float | None) -> str:
    """Return a duration for people."""
    if seconds is None:
        return ""
    lasting = timedelta(seconds=seconds)
    if lasting < timedelta(hours=1):
        return f"{lasting / timedelta(minutes=1):.0f} min"
    hours = lasting / timedelta(hours=1)
    return f"{hours:.0f} h" if lasting < timedelta(days=2) else f"{hours / 24:.0f} d"


def _row(one: SourceHealth, newest: str, succeeded: str) -> tuple[str, ...]:
    failing = sum(one.failing.values())
    lags = f"{shown_s(one.lag_p50_s)} / {shown_s(one.lag_p95_s)}" if one.lag_p50_s is not None else ""
    return (
        one.source_id,
        one.state.value,
        newest,
        succeeded,
        f"{one.per_day:.3g}" if one.per_day is not None else "",
        f"{failing} of {one.looks}" if one.looks else "",
        lags,
        as_plain(one.detail),
    )
