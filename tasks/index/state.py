"""Read the index's state for metrics, with a dozen statements that stay cheap with a million URLs.

Each statement uses only a database index, or scans a table as small as the sources, feeds, hosts or runs (tests check
this with `explain`).
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, and_, case, func, select, text

from tasks.index.capture_counts import CaptureCount, read_counts
from tasks.index.frontier import State, count_by_state
from tasks.index.history import count_unpublished
from tasks.index.schema import articles, feeds, frontier, hosts, runs
from tasks.values.feed import FeedKind

HELD_FOR = timedelta(minutes=1)
"""A host is held back, by Retry-After or a long crawl delay, if its next slot is further away than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What could be fetched now: number of URLs, due time of the oldest, and expired leases."""

    urls: int
    oldest_at: datetime | None
    expired_leases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFeeds:
    """A source's own feeds: how many are polled, due, failing or ended (410), and the time of the last poll."""

    polled: int
    due: int
    failing: int
    ended: int
    last_polled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run that ended with a report. `counts` are its totals."""

    ended_at: datetime
    seconds: float
    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """The index at one time. `urls` by source and state, `feeds` by source, `failing_feeds` by reason."""

    read_at: datetime
    urls: dict[str, dict[str, int]]
    due: Due
    capture_counts: tuple[CaptureCount, ...]
    known_articles: int
    feeds: dict[str, SourceFeeds]
    failing_feeds: dict[str, int]
    unpublished: int
    unpublished_since: datetime | None
    runs: dict[str, int]
    last_run: LastRun | None
    hosts: int
    held_hosts: int
    slowed_hosts: int
    size: int
    source_ids: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Collect all known sources."""
        known = {*self.urls, *self.feeds, *(count.source_id for count in self.capture_counts)}
        object.__setattr__(self, "source_ids", frozenset(known))


def read_state(tx: Connection, *, now: datetime) -> IndexState:
    """Read the whole state in one transaction."""
    unpublished, unpublished_since = count_unpublished(tx)
    known_hosts, held_hosts, slowed = tx.execute(
        select(
            func.count(),
            func.count(case((hosts.c.next_slot_at > now + HELD_FOR, 1))),
            func.count(case((hosts.c.slowdown > 1, 1))),
        ).select_from(hosts)
    ).one()
    return IndexState(
        read_at=now,
        urls=count_by_state(tx),
        due=_read_due(tx, now),
        capture_counts=read_counts(tx),
        known_articles=tx.execute(select(func.count()).select_from(articles)).scalar_one(),
        feeds=_read_feeds(tx, now),
        failing_feeds=_read_failing(tx),
        unpublished=unpublished,
        unpublished_since=unpublished_since,
        runs=_read_runs(tx),
        last_run=_read_last_run(tx),
        hosts=known_hosts,
        held_hosts=held_hosts,
        slowed_hosts=slowed,
        size=_read_size(tx),
    )


def _read_due(tx: Connection, now: datetime) -> Due:
    """Count the due URLs along the index (state, priority, due_at), without reading done or waiting rows."""
    urls, oldest = 0, []
    for state in (State.DUE, State.DROPPED, State.DONE):
        for priority in _priorities(tx, state):
            due = and_(frontier.c.state == state, frontier.c.priority == priority, frontier.c.due_at <= now)
            number, oldest_at = tx.execute(select(func.count(), func.min(frontier.c.due_at)).where(due)).one()
            urls += number
            oldest += [oldest_at] if oldest_at else []
    is_expired = and_(frontier.c.state == State.LEASED, frontier.c.lease_until < now)
    expired = tx.execute(select(func.count()).select_from(frontier).where(is_expired)).scalar_one()
    return Due(urls=urls + expired, oldest_at=min(oldest, default=None), expired_leases=expired)


def _priorities(tx: Connection, state: State) -> list[int]:
    """Return the priorities in use. There are few, and each costs one index look-up from the one before."""
    found: list[int] = []
    while True:
        higher = [frontier.c.priority > found[-1]] if found else []
        query = select(func.min(frontier.c.priority)).where(frontier.c.state == state, *higher)
        priority = tx.execute(query).scalar()
        if priority is None:
            return found
        found.append(priority)


_IS_OWN = and_(feeds.c.parent_url.is_(None), feeds.c.kind != FeedKind.FALLBACK)
"""Excludes sitemaps named by a sitemap index, and fallback pages, which are read only if other feeds yield nothing."""


def _read_feeds(tx: Connection, now: datetime) -> dict[str, SourceFeeds]:
    query = (
        select(
            feeds.c.source_id,
            func.count(feeds.c.due_at),
            func.count(case((feeds.c.due_at <= now, 1))),
            func.count(feeds.c.reason),
            func.count(case((feeds.c.due_at.is_(None), 1))),
            func.max(feeds.c.polled_at),
        )
        .where(_IS_OWN)
        .group_by(feeds.c.source_id)
    )
    return {
        source_id: SourceFeeds(polled=polled, due=due, failing=failing, ended=ended, last_polled_at=last_polled_at)
        for source_id, polled, due, failing, ended, last_polled_at in tx.execute(query)
    }


def _read_failing(tx: Connection) -> dict[str, int]:
    query = select(feeds.c.reason, func.count()).where(_IS_OWN, feeds.c.reason.is_not(None)).group_by(feeds.c.reason)
    return dict(tx.execute(query).tuples().all())


def _read_runs(tx: Connection) -> dict[str, int]:
    return dict(tx.execute(select(runs.c.state, func.count()).group_by(runs.c.state)).tuples().all())


def _read_last_run(tx: Connection) -> LastRun | None:
    query = (
        select(runs.c.ended_at, runs.c.summary)
        .where(runs.c.ended_at.is_not(None), runs.c.summary.is_not(None), runs.c.sweep_id.is_(None))
        .order_by(runs.c.ended_at.desc())
        .limit(1)
    )
    row = tx.execute(query).first()
    if row is None:
        return None
    summary: dict[str, Any] = orjson.loads(row.summary)
    counts = Counter({name: int(summary.get(name, 0)) for name in ("discovered", "fetched", "not_modified")})
    counts["failed"] = sum(summary.get("failed", {}).values())
    return LastRun(ended_at=row.ended_at, seconds=float(summary.get("seconds", 0.0)), counts=dict(counts))


def _read_size(tx: Connection) -> int:
    if tx.dialect.name == "sqlite":
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        return int(pages) * int(tx.execute(text("PRAGMA page_size")).scalar_one())
    return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
