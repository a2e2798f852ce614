"""Feeds and their poll state: which are due, and what a poll taught."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tasks.index.schema import feeds
from tasks.models import FeedKind, FeedState


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAddress:
    """One feed of the catalogue."""

    feed_url: str
    source_id: str
    kind: FeedKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecord:
    """What one poll taught; `due_at` None ends the feed (410), `reason` None means that it went well."""

    feed_url: str
    polled_at: datetime
    due_at: datetime | None
    interval_s: float | None
    failures: int
    reason: str | None
    entries: int | None
    etag: str | None
    last_modified: str | None
    body_digest: str | None


def know_feeds(tx: Connection, addresses: Iterable[FeedAddress], *, now: datetime) -> None:
    """Add the feeds that are new, due at once; one that moved to another source keeps its poll state."""
    dialect_insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    rows = [
        {"feed_url": one.feed_url, "source_id": one.source_id, "kind": one.kind, "due_at": now, "failures": 0}
        for one in sorted(addresses, key=lambda one: one.feed_url)
    ]
    if not rows:
        return
    statement = dialect_insert(feeds)
    moved = {"source_id": statement.excluded.source_id, "kind": statement.excluded.kind}
    tx.execute(statement.on_conflict_do_update(index_elements=["feed_url"], set_=moved), rows)


def select_feeds(tx: Connection, feed_urls: Iterable[str], *, due_by: datetime | None) -> tuple[FeedState, ...]:
    """Return the state of the feeds named, only those due by then if given; an ended feed is due to nobody."""
    wanted = set(feed_urls)
    query = select(feeds).order_by(feeds.c.due_at, feeds.c.feed_url)
    if due_by is not None:
        query = query.where(feeds.c.due_at <= due_by)
    return tuple(
        FeedState(
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
        )
        for row in tx.execute(query).mappings()
        if row["feed_url"] in wanted
    )


def record_polls(tx: Connection, records: Iterable[PollRecord]) -> None:
    """Write what the polls taught; validators are kept only with the body they validate."""
    names = (
        "polled_at",
        "due_at",
        "interval_s",
        "failures",
        "reason",
        "entries",
        "etag",
        "last_modified",
        "body_digest",
    )
    statement = (
        update(feeds)
        .where(feeds.c.feed_url == bindparam("key"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    rows = [{"key": one.feed_url} | {f"new_{name}": getattr(one, name) for name in names} for one in records]
    if rows:
        tx.execute(statement, sorted(rows, key=lambda row: str(row["key"])))
