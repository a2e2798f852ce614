"""What was taken in from archives: each record once, and a place in the frontier for URLs that nobody announced.

All functions take the transaction they run in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tasks.index.frontier import BACKFILL, CHUNK, State
from tasks.index.schema import archived, frontier
from tasks.index.shards import shard_key
from tasks.index.statements import in_chunks, upsert
from tasks.values.look import DueUrl
from tasks.values.rows import Capture

ANNOUNCED_BY = "backfill"
"""What stands for the announcer of a URL that an archive brought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """A URL of an archive with its capture; nothing is planned for it."""

    due: DueUrl
    capture: Capture
    state: State


def find_archived(tx: Connection, capture_ids: Iterable[str]) -> set[str]:
    """Return which of these captures were taken in before."""
    found = set[str]()
    for part in in_chunks(sorted(set(capture_ids)), CHUNK):
        found.update(tx.execute(select(archived.c.capture_id).where(archived.c.capture_id.in_(part))).scalars())
    return found


def is_empty(tx: Connection) -> bool:
    """Whether nothing was ever taken in from an archive."""
    return tx.execute(select(archived.c.capture_id).limit(1)).first() is None


def note_archived(tx: Connection, capture_ids: Iterable[str]) -> None:
    """Remember that these captures are taken in."""
    rows = [{"capture_id": one} for one in sorted(set(capture_ids))]
    upsert(tx, archived, rows, by=["capture_id"], newest=())


def shelve(tx: Connection, shelved: Sequence[Shelved]) -> None:
    """Give URLs that the frontier does not know a row, for which nothing is planned; rows that are there stay as they are.

    The row has no validators: a first look at the URL, if it is ever asked for, is not conditional.
    """
    newest = {one.capture.url_key: one for one in sorted(shelved, key=lambda one: one.capture.fetched_at)}
    rows = [_row(one) for _, one in sorted(newest.items())]
    upsert(tx, frontier, rows, by=["url_key"], newest=())


def _row(one: Shelved) -> dict[str, object]:
    capture = one.capture
    return {
        "url_key": capture.url_key,
        "url": capture.url,
        "host": one.due.host,
        "source_id": capture.source_id,
        "state": one.state,
        "priority": BACKFILL,
        "due_at": None,
        "attempts": 0,
        "captured_at": capture.fetched_at,
        "article_id": capture.article_id,
        "outcome": capture.outcome,
        "reason": capture.reason,
        "announced_by": ANNOUNCED_BY,
        "discovered_at": capture.fetched_at,
        "shard": shard_key(one.due.host),
    }
