"""How many captures came to what, by source: counters that survive any process, written where batches are decided.

Reading them costs what there are sources and reasons, not what there are URLs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, case, select

from tasks.index.schema import tallies
from tasks.index.upsert import insert_into
from tasks.models import Capture, Novelty

ARRIVALS = frozenset({Novelty.NEW, Novelty.DUPLICATE, Novelty.NEAR_DUPLICATE, Novelty.EXCERPT})
"""What makes an article that was not known before: each is a sign of life of its source."""

_KEY = ("source_id", "outcome", "reason", "novelty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One sum: the captures of a source that came to this, their bytes, and the instant of the latest."""

    source_id: str
    outcome: str
    reason: str
    novelty: str
    captures: int
    payload_size: int
    latest_at: datetime | None


def count_captures(tx: Connection, captures: Iterable[Capture]) -> None:
    """Add the captures of a decided batch; in the transaction that holds the outbox's lock, or rows are waited for."""
    sums: dict[tuple[str, ...], Tally] = {}
    for one in captures:
        added = _tally(one)
        key = tuple(getattr(added, name) for name in _KEY)
        sums[key] = added if key not in sums else _sum(sums[key], added)
    if not sums:
        return
    statement = insert_into(tx, tallies)
    later = statement.excluded.latest_at
    raised = {
        "captures": tallies.c.captures + statement.excluded.captures,
        "payload_size": tallies.c.payload_size + statement.excluded.payload_size,
        "latest_at": case((tallies.c.latest_at > later, tallies.c.latest_at), else_=later),
    }
    rows = [{name: getattr(tally, name) for name in Tally.__slots__} for _, tally in sorted(sums.items())]
    tx.execute(statement.on_conflict_do_update(index_elements=list(_KEY), set_=raised), rows)


def read_tallies(tx: Connection) -> tuple[Tally, ...]:
    """Return all of them."""
    return tuple(Tally(**row) for row in tx.execute(select(tallies)).mappings())


def _tally(capture: Capture) -> Tally:
    return Tally(
        source_id=capture.source_id,
        outcome=capture.outcome.value,
        reason=capture.reason or "",
        novelty=capture.novelty.value if capture.novelty else "",
        captures=1,
        payload_size=capture.payload_size or 0,
        latest_at=capture.fetched_at,
    )


def _sum(one: Tally, other: Tally) -> Tally:
    return replace(
        one,
        captures=one.captures + other.captures,
        payload_size=one.payload_size + other.payload_size,
        latest_at=max((instant for instant in (one.latest_at, other.latest_at) if instant), default=None),
    )
