"""Records from archives: each is imported once, and URLs that nobody announced get a frontier row.

All functions run in the caller's transaction.
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
"""Recorded as the announcer of a URL that came from an archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """A URL from an archive, with its capture. No look is planned for it."""

    due: DueUrl
    capture: Capture
    state: State


def find_archived(tx: Connection, capture_ids: Iterable[str]) -> set[str]:
    """Return the captures that are already imported."""
    found = set[str]()
    for part in in_chunks(sorted(set(capture_ids)), CHUNK):
        found.update(tx.execute(select(archived.c.capture_id).where(archived.c.capture_id.in_(part))).scalars())
    return found


def is_empty(tx: Connection) -> bool:
    """Whether nothing was ever imported from an archive."""
    return tx.execute(select(archived.c.capture_id).limit(1)).first() is None


def note_archived(tx: Connection, capture_ids: Iterable[str]) -> None:
    """Record these captures as imported."""
    rows = [{"capture_id": capture_id} for capture_id in sorted(set(capture_ids))]
    upsert(tx, archived, rows, by=["capture_id"], newest=())


def shelve(tx: Connection, shelved: Sequence[Shelved]) -> None:
    """Add frontier rows for URLs that it does not know, with no look planned. Existing rows stay unchanged.

    The rows have no validators, so the first request for such a URL is not conditional.
    """
    newest = {entry.capture.url_key: entry for entry in sorted(shelved, key=lambda entry: entry.capture.fetched_at)}
    rows = [_row(entry) for _, entry in sorted(newest.items())]
    upsert(tx, frontier, rows, by=["url_key"], newest=())


def _row(entry: Shelved) -> dict[str, object]:
    capture = entry.capture
    return {
        "url_key": capture.url_key,
        "url": capture.url,
        "host": entry.due.host,
        "source_id": capture.source_id,
        "state": entry.state,
        "priority": BACKFILL,
        "due_at": None,
        "attempts": 0,
        "captured_at": capture.fetched_at,
        "article_id": capture.article_id,
        "outcome": capture.outcome,
        "reason": capture.reason,
        "announced_by": ANNOUNCED_BY,
        "discovered_at": capture.fetched_at,
        "shard": shard_key(entry.due.host),
    }
