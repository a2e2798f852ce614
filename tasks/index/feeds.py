"""Feeds and their poll state: which are due, and the results of polls."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, bindparam, delete, func, select, update

from tasks.index.schema import feeds
from tasks.index.statements import in_chunks, upsert
from tasks.index.taken_down import read_kept_out
from tasks.values.feed import FeedKind, FeedState

CHUNK = 400
"""Feeds per statement: SQLite allows 32,766 parameters, and a row has a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAddress:
    """A feed from the catalogue, or one that another feed (`parent_url`) names, such as a nested sitemap."""

    feed_url: str
    source_id: str
    kind: FeedKind
    parent_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecord:
    """The result of one poll. `due_at` None ends the feed (410); `reason` None means success.

    If `polled_at` or `entries` is None, nothing was requested or read, and the earlier value stays.
    """

    feed_url: str
    polled_at: datetime | None
    due_at: datetime | None
    interval_s: float | None
    failures: int
    reason: str | None
    entries: int | None
    etag: str | None
    last_modified: str | None
    body_digest: str | None
    moved_to: str | None = None
    sightings: int = 0
    unchanged: int = 0


def feed_key(feed_url: str) -> str:
    """Return a feed's key: the SHA-256 of its URL, as 64 hexadecimal digits."""
    return hashlib.sha256(feed_url.encode("utf-8", "surrogatepass")).hexdigest()


def add_feeds(tx: Connection, addresses: Iterable[FeedAddress], *, now: datetime) -> None:
    """Add new feeds, due at once. A feed that moves to another source keeps its poll state.

    Feeds that a takedown excludes are not added, so they are not polled.
    """
    kept_out = read_kept_out(tx)
    rows = [
        {
            "feed_key": feed_key(address.feed_url),
            "feed_url": address.feed_url,
            "source_id": address.source_id,
            "kind": address.kind,
            "parent_url": address.parent_url,
            "due_at": now,
            "failures": 0,
        }
        for address in sorted(
            addresses, key=lambda address: feed_key(address.feed_url)
        )  # all writers lock rows in one order
        if not (kept_out.has_source(address.source_id) or kept_out.has_url(address.feed_url))
    ]
    upsert(tx, feeds, rows, by=["feed_key"], newest=("source_id", "kind", "parent_url"))


def select_feeds(tx: Connection, feed_urls: Iterable[str], *, due_by: datetime | None) -> tuple[FeedState, ...]:
    """Return the state of these feeds, or of those due by `due_by`. A feed that has ended is never due."""
    found: list[FeedState] = []
    for part in in_chunks(sorted({feed_key(feed_url) for feed_url in feed_urls}), CHUNK):
        query = select(feeds).where(feeds.c.feed_key.in_(part))
        if due_by is not None:
            query = query.where(feeds.c.due_at <= due_by)
        found.extend(_state(row) for row in tx.execute(query).mappings())
    return tuple(sorted(found, key=lambda feed: (feed.due_at is None, feed.due_at, feed.feed_url)))


def record_polls(tx: Connection, records: Iterable[PollRecord]) -> None:
    """Store the results of polls. Validators are stored together with the digest of the body they belong to."""
    values: dict[str, ColumnElement[object]] = {
        name: bindparam(f"new_{name}", type_=feeds.c[name].type) for name in _LEARNED
    }
    for name in ("polled_at", "entries"):
        values[name] = func.coalesce(values[name], feeds.c[name])
    statement = update(feeds).where(feeds.c.feed_key == bindparam("key")).values(values)
    rows = [
        {"key": feed_key(record.feed_url)} | {f"new_{name}": getattr(record, name) for name in _LEARNED}
        for record in records
    ]
    if rows:
        tx.execute(statement, sorted(rows, key=lambda row: str(row["key"])))


def prune(tx: Connection, *, before: datetime) -> int:
    """Delete feeds that other feeds name and that were last polled before then; returns how many.

    A feed that is named again counts as new and is polled.
    """
    is_old = and_(feeds.c.parent_url.is_not(None), feeds.c.polled_at < before)
    # skip rows locked by another transaction
    old = select(feeds.c.feed_key).where(is_old).with_for_update(skip_locked=True)
    return tx.execute(delete(feeds).where(feeds.c.feed_key.in_(old))).rowcount


_LEARNED = (
    "polled_at",
    "due_at",
    "interval_s",
    "failures",
    "reason",
    "entries",
    "etag",
    "last_modified",
    "body_digest",
    "moved_to",
    "sightings",
    "unchanged",
)


def _state(row: RowMapping) -> FeedState:
    return FeedState(
        feed_url=row["feed_url"],
        source_id=row["source_id"],
        kind=FeedKind(row["kind"]),
        etag=row["etag"],
        last_modified=row["last_modified"],
        body_digest=row["body_digest"],
        due_at=row["due_at"],
        polled_at=row["polled_at"],
        interval_s=row["interval_s"],
        failures=row["failures"],
        moved_to=row["moved_to"],
        sightings=row["sightings"] or 0,
        parent_url=row["parent_url"],
        unchanged=row["unchanged"] or 0,
    )
