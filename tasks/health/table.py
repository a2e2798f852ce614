"""The health of sources and the quarantine as rows of tables: few short columns, or Prefect's UI clips them. Pure."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from tasks.health.judgement import HealthState, SourceHealth
from tasks.index.health import Quarantined
from tasks.values.text.escape import as_plain

TABLE_ROWS = 500
HEAD = ("source", "state", "newest", "last success", "a day", "failing", "stored after", "why")
"""The reason is last, since the UI may clip it; the run's report has it whole."""


def health_rows(sources: Iterable[SourceHealth]) -> list[dict[str, str]]:
    """Return the sources as rows under `HEAD`, in their order; instants are UTC."""
    return [dict(zip(HEAD, _row(one), strict=True)) for one in list(sources)[:TABLE_ROWS]]


def quarantine_rows(pages: Iterable[Quarantined]) -> list[dict[str, str]]:
    """Return the pages in quarantine as rows, in their order."""
    return [
        {
            "since": shown_at(one.captured_at),
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


def shown_at(at: datetime | None) -> str:
    """Return an instant to the minute."""
    return f"{at.astimezone(UTC):%d %b %H:%M}" if at else ""


def shown_s(seconds: float | None) -> str:
    """Return a duration for people."""
    if seconds is None:
        return ""
    span = timedelta(seconds=seconds)
    if span < timedelta(hours=1):
        return f"{span / timedelta(minutes=1):.0f} min"
    return f"{span / timedelta(hours=1):.0f} h" if span < timedelta(days=2) else f"{span / timedelta(days=1):.0f} d"


def _row(one: SourceHealth) -> tuple[str, ...]:
    failing = sum(one.failing.values())
    lags = f"{shown_s(one.lag_p50_s)} / {shown_s(one.lag_p95_s)}" if one.lag_p50_s is not None else ""
    return (
        one.source_id,
        one.state.value,
        shown_at(one.newest_at),
        shown_at(one.succeeded_at),
        f"{one.per_day:.3g}" if one.per_day is not None else "",
        f"{failing} of {one.looks}" if one.looks else "",
        lags,
        as_plain(one.detail),
    )
