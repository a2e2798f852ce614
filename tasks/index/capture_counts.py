"""Counts of captures by source and result. They are persistent and updated when a batch is decided.

Reading costs time in proportion to sources and reasons, not to URLs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select

from tasks.index.figures import capture_counts
from tasks.index.statements import insert_into
from tasks.values.rows import CountedCapture, Novelty

ARRIVALS = frozenset({Novelty.NEW, Novelty.DUPLICATE, Novelty.NEAR_DUPLICATE, Novelty.EXCERPT})
"""Novelties of articles that were unknown before: each shows that its source still publishes."""

_KEY = ("source_id", "outcome", "reason", "novelty")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureCount:
    """One count: a source's captures with this result, their bytes, and the time of the latest."""

    source_id: str
    outcome: str
    reason: str
    novelty: str
    captures: int
    payload_size: int
    latest_at: datetime | None


def count_captures(tx: Connection, captures: Iterable[CountedCapture]) -> None:
    """Add the captures of a decided batch. Call it while the transaction holds the outbox lock: rows are contended."""
    several: dict[tuple[str, ...], list[CountedCapture]] = {}
    for capture in captures:
        key = (
            capture.source_id,
            capture.outcome.value,
            capture.reason or "",
            capture.novelty.value if capture.novelty else "",
        )
        several.setdefault(key, []).append(capture)
    rows = [
        {
            **dict(zip(_KEY, key, strict=True)),
            "captures": len(same),
            "payload_size": sum(capture.payload_size for capture in same),
            "latest_at": max(capture.fetched_at for capture in same),
        }
        for key, same in sorted(several.items())
    ]
    if not rows:
        return
    statement = insert_into(tx, capture_counts)
    later = statement.excluded.latest_at
    raised = {
        "captures": capture_counts.c.captures + statement.excluded.captures,
        "payload_size": capture_counts.c.payload_size + statement.excluded.payload_size,
        "latest_at": case((capture_counts.c.latest_at > later, capture_counts.c.latest_at), else_=later),
    }
    tx.execute(statement.on_conflict_do_update(index_elements=list(_KEY), set_=raised), rows)


def read_counts(tx: Connection) -> tuple[CaptureCount, ...]:
    """Return all counts."""
    return tuple(CaptureCount(**row) for row in tx.execute(select(capture_counts)).mappings())
