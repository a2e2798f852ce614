"""The frontier: every URL once, with its state, due time and lease.

States: due, leased, done, dropped, gone, quarantined. All functions run in the caller's transaction.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    true,
    update,
)

from tasks.index.column_types import Instant
from tasks.index.database import lock
from tasks.index.schema import feeds, frontier
from tasks.index.shards import Shard, shard_key
from tasks.index.statements import in_chunks
from tasks.index.turns import PRIORITIES, Claiming, Turns, pick, within_budget
from tasks.values.look import DueUrl
from tasks.values.rows import Outcome
from tasks.values.url import Url

CHUNK = 400
"""Rows per statement: SQLite allows 32,766 parameters, and a row has a dozen."""

NEWS, BACKFILL, ARCHIVE = 0, 10, 20
"""Priorities, lowest first. ARCHIVE URLs were found by a backfill of a source; only such backfills fetch them."""


class State(StrEnum):
    """The state of a URL. DUE may be in the future. DROPPED, and DONE of a young article, become due by schedule."""

    DUE = "due"
    LEASED = "leased"
    DONE = "done"
    DROPPED = "dropped"
    GONE = "gone"
    QUARANTINED = "quarantined"


FETCHED = frozenset({State.DONE, State.DROPPED})
WAITING = frozenset({State.DUE, State.DROPPED, State.GONE, State.QUARANTINED})
"""States of URLs that wait after a failure, or ended with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The part of the frontier that a run works on: some sources (None: all), or some URLs exactly, in one shard.

    It includes URLs of the sources `others` if feeds or lists of `source_ids` announced them. `since` restricts it to
    what was published since then (see is_since); a URL without a date counts from its discovery. `is_archive` restricts
    it to what backfills of sources found.
    """

    source_ids: frozenset[str] | None = None
    others: frozenset[str] = frozenset()
    url_keys: frozenset[str] | None = None
    since: datetime | None = None
    shard: Shard | None = None
    is_archive: bool = False

    def clause(self) -> ColumnElement[bool]:
        """Return the selection as a condition on frontier rows."""
        parts: list[ColumnElement[bool]] = []
        if self.source_ids is not None:
            parts.append(or_(frontier.c.source_id.in_(sorted(self.source_ids)), *self._announced()))
        if self.url_keys is not None:
            parts.append(frontier.c.url_key.in_(sorted(self.url_keys)))
        if self.since is not None:
            known_at = func.coalesce(frontier.c.announced_at, frontier.c.discovered_at)
            parts.append(or_(known_at >= self.since, known_at == _day_of(self.since)))
        if self.is_archive:
            parts.append(frontier.c.priority == ARCHIVE)
        if self.shard is not None:
            parts.append(frontier.c.shard % self.shard.of == self.shard.number)
        return and_(true(), *parts)

    def has_source(self, source_id: str) -> bool:
        """Whether the selection may contain URLs of a source."""
        return self.source_ids is None or source_id in self.source_ids or source_id in self.others

    def has_host(self, host: str) -> bool:
        """Whether a host belongs to the selection's shard."""
        return self.shard is None or shard_key(host) % self.shard.of == self.shard.number

    def clause_of(self, source_id: str) -> ColumnElement[bool]:
        """Return the condition on the rows of one source that is in the selection, regardless of the shard."""
        ids = None if self.source_ids is None or source_id in self.source_ids else self.source_ids
        return _clause_of(replace(self, source_ids=ids, shard=None))

    def _announced(self) -> Iterator[ColumnElement[bool]]:
        if self.source_ids and self.others:
            ids = sorted(self.source_ids)
            theirs = select(feeds.c.feed_url).where(feeds.c.source_id.in_(ids))
            is_announced = or_(frontier.c.announced_by.in_(theirs), frontier.c.announced_by.in_(map(list_of, ids)))
            yield and_(frontier.c.source_id.in_(sorted(self.others)), is_announced)


@lru_cache(maxsize=8)
def _clause_of(selection: Selection) -> ColumnElement[bool]:
    """Return a selection's condition. Cached, because a claim needs it for each host."""
    return selection.clause()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The new state of a URL's row after its capture is decided. `due_at` None: no look is planned."""

    url_key: str
    state: State
    due_at: datetime | None
    attempts: int
    outcome: Outcome
    reason: str | None
    etag: str | None
    last_modified: str | None
    payload_digest: str | None
    captured_at: datetime
    article_id: str | None
    partial: str | None = None


def list_of(source_id: str) -> str:
    """Return the announcer's name for a source's own URL list; no feed has this name."""
    return f"catalogue:{source_id}"


def is_since(instant: datetime, since: datetime) -> bool:
    """Whether a time is at or after another. Midnight, a date without a time, counts as the whole day."""
    return instant >= since or instant == _day_of(since)


def is_over() -> ColumnElement[bool]:
    """Return the condition on rows without a planned look."""
    return and_(or_(frontier.c.state == State.GONE, frontier.c.state == State.DROPPED), frontier.c.due_at.is_(None))


def recall(tx: Connection, selection: Selection, *, now: datetime, states: Iterable[State] | None = None) -> int:
    """Make the selected URLs in these states due now; returns how many.

    Without `states`, every URL that was fetched before becomes due; gone and quarantined ones only if the selection
    names URLs.
    """
    if states is None:
        states = FETCHED if selection.url_keys is None else FETCHED | {State.GONE, State.QUARANTINED}
    known = frontier.c.state.in_(sorted(states))
    lock(tx, "claim")
    return tx.execute(update(frontier).where(known, selection.clause()).values(state=State.DUE, due_at=now)).rowcount


def claim(
    tx: Connection,
    selection: Selection,
    *,
    owner: str,
    limit: int,
    lease_s: float,
    host_budget_s: float,
    crawl_delays_s: Mapping[str, float],
    now: datetime,
    turns: Turns | None = None,
    without: Collection[str] = (),
) -> tuple[DueUrl, ...]:
    """Lease up to `limit` due URLs to the run `owner`: round-robin over sources, then over their hosts, news first.

    `crawl_delays_s` is the catalogue's delay by source. A robots.txt may raise it for its host, and so may a slow or
    busy server. Hosts whose next slot is beyond `host_budget_s` are skipped, and so are the sources `without`. `turns`
    keeps the run's round-robin state between claims.
    """
    lock(tx, "claim")  # concurrent claims would pick the same rows, and one of them would get none
    _end_expired(tx, now=now)
    claiming = Claiming(
        limit=limit,
        host_budget_s=host_budget_s,
        crawl_delays_s=crawl_delays_s,
        now=now,
        priorities=(ARCHIVE,) if selection.is_archive else PRIORITIES,
        clause_of=selection.clause_of,
        is_wanted=lambda source_id: source_id not in without and selection.has_source(source_id),
        is_mine=selection.has_host,
    )
    keys = pick(tx, turns or Turns(), claiming) if selection.url_keys is None else _named_keys(tx, selection, claiming)
    claimed: list[DueUrl] = []
    for part in in_chunks(keys, CHUNK):
        lease = {"state": State.LEASED, "lease_owner": owner, "lease_until": now + timedelta(seconds=lease_s)}
        # repeat the condition: the row may have been settled since it was picked
        locked = _lock_rows(tx, and_(frontier.c.url_key.in_(part), _is_due(now)))
        statement = update(frontier).where(frontier.c.url_key.in_(locked)).values(lease).returning(frontier)
        claimed.extend(_due_url(row) for row in tx.execute(statement).mappings())
    by_key = {due.url_key: due for due in claimed}
    return tuple(by_key[key] for key in keys if key in by_key)


def renew(tx: Connection, *, owner: str, lease_s: float, now: datetime) -> int:
    """Extend all leases of the run; returns how many it holds."""
    keys = _lock_leased(tx, "lease_owner = :owner", owner=owner)
    return _update_rows(tx, keys, {"lease_until": now + timedelta(seconds=lease_s)})


def release(tx: Connection, *, owner: str) -> int:
    """End all leases of the run; its URLs keep their due time. Returns how many it held."""
    keys = _lock_leased(tx, "lease_owner = :owner", owner=owner)
    return _update_rows(tx, keys, {"state": State.DUE, "lease_owner": None, "lease_until": None})


def hold(tx: Connection, url_keys: Iterable[str]) -> None:
    """Lock these rows, so that transactions that decide the same URL run one after the other."""
    if tx.dialect.name == "sqlite":  # BEGIN IMMEDIATE has locked the whole file
        return
    for part in in_chunks(sorted(set(url_keys)), CHUNK):
        rows = select(frontier.c.url_key).where(frontier.c.url_key.in_(part)).order_by(frontier.c.url_key)
        tx.execute(rows.with_for_update())


def settle(tx: Connection, settlements: Iterable[Settlement]) -> None:
    """Store the new state of each URL and end its lease."""
    statement = (
        update(frontier)
        .where(frontier.c.url_key == bindparam("key"))
        .values({name: bindparam(f"new_{name}") for name in _SETTLED} | {"lease_owner": None, "lease_until": None})
    )
    rows = [
        {"key": settlement.url_key} | {f"new_{name}": getattr(settlement, name) for name in _SETTLED}
        for settlement in settlements
    ]
    if rows:  # sorted: all transactions lock rows in one order, so they cannot deadlock
        tx.execute(statement, sorted(rows, key=itemgetter("key")))


def defer(tx: Connection, until: Mapping[str, datetime]) -> None:
    """Return leased URLs that were not requested, due at the given time."""
    statement = (
        update(frontier)
        .where(frontier.c.url_key == bindparam("key"), frontier.c.state == State.LEASED)
        .values(state=State.DUE, due_at=bindparam("until"), lease_owner=None, lease_until=None)
    )
    if until:
        tx.execute(statement, [{"key": key, "until": instant} for key, instant in sorted(until.items())])


def prune(tx: Connection, *, before: datetime) -> int:
    """Delete URLs without a planned look that were neither requested nor announced since then; returns how many.

    If such a URL is announced again, it counts as new and is requested once more.
    """
    is_old = and_(frontier.c.captured_at < before, frontier.c.discovered_at < before)
    keys = _lock_rows(tx, and_(is_over(), is_old))
    for part in in_chunks(keys, CHUNK):
        tx.execute(delete(frontier).where(frontier.c.url_key.in_(part)))
    return len(keys)


def peek(tx: Connection, selection: Selection, *, limit: int, now: datetime) -> tuple[int, tuple[DueUrl, ...]]:
    """Return how many URLs of the selection are due, and the first of them in order of claims. Leases none."""
    is_meant = and_(_is_due(now), selection.clause(), _is_its_own(selection))
    number = tx.execute(select(func.count()).select_from(frontier).where(is_meant)).scalar_one()
    order = (frontier.c.priority, frontier.c.due_at, frontier.c.url_key)
    rows = tx.execute(select(frontier).where(is_meant).order_by(*order).limit(limit)).mappings()
    return number, tuple(_due_url(row) for row in rows)


def count_pending(tx: Connection, selection: Selection, *, due_by: datetime | None = None) -> int:
    """Count the selected URLs that are due or leased, now or later; with `due_by`, only those due by then."""
    waiting = frontier.c.state.in_((State.DUE, State.LEASED))
    query = select(func.count()).select_from(frontier).where(waiting, selection.clause(), _is_its_own(selection))
    return tx.execute(query if due_by is None else query.where(frontier.c.due_at <= due_by)).scalar_one()


def count_by_state(tx: Connection) -> dict[str, dict[str, int]]:
    """Count URLs by source, then by state."""
    counts: dict[str, Counter[str]] = {}
    query = select(frontier.c.source_id, frontier.c.state, func.count()).group_by(
        frontier.c.source_id, frontier.c.state
    )
    for source_id, state, number in tx.execute(query):
        counts.setdefault(source_id, Counter())[state] = number
    return {source_id: dict(states) for source_id, states in counts.items()}


def _is_its_own(selection: Selection) -> ColumnElement[bool]:
    """Return the condition that excludes archive URLs, unless the selection asks for them or names URLs."""
    if selection.is_archive or selection.url_keys is not None:
        return true()
    return frontier.c.priority < ARCHIVE


def count_archives(tx: Connection) -> dict[str, int]:
    """Count by source the due URLs that backfills of sources found."""
    waiting = and_(frontier.c.state == State.DUE, frontier.c.priority == ARCHIVE)
    query = select(frontier.c.source_id, func.count()).where(waiting).group_by(frontier.c.source_id)
    return dict(tx.execute(query).tuples().all())


def _lock_rows(tx: Connection, condition: ColumnElement[bool]) -> list[str]:
    """Return the keys of rows that match, locked in one order. Rows that others have locked are skipped."""
    rows = select(frontier.c.url_key).where(condition).order_by(frontier.c.url_key)
    return list(tx.execute(rows.with_for_update(skip_locked=True)).scalars())


def _lock_leased(tx: Connection, condition: str, **values: object) -> list[str]:
    """Return the keys of leased rows that match, locked like `_lock_rows`.

    The query names its index for SQLite, whose statistics count few leased rows, so it would scan the whole frontier.
    """
    hint, lock_them = ("INDEXED BY ix_frontier_lease_owner", "") if tx.dialect.name == "sqlite" else ("", _LOCK_THEM)
    query = text(_LEASED.format(hint=hint, condition=condition, lock_them=lock_them))
    times = [bindparam(name, type_=Instant) for name, value in values.items() if isinstance(value, datetime)]
    return list(tx.execute(query.bindparams(*times), values).scalars())


_LEASED = "SELECT url_key FROM frontier {hint} WHERE state = 'leased' AND {condition} ORDER BY url_key {lock_them}"
_LOCK_THEM = "FOR UPDATE SKIP LOCKED"


def _update_rows(tx: Connection, keys: Sequence[str], values: Mapping[str, object]) -> int:
    for part in in_chunks(keys, CHUNK):
        tx.execute(update(frontier).where(frontier.c.url_key.in_(part)).values(dict(values)))
    return len(keys)


_SETTLED = (
    "state",
    "due_at",
    "attempts",
    "outcome",
    "reason",
    "etag",
    "last_modified",
    "payload_digest",
    "captured_at",
    "article_id",
    "partial",
)


def _day_of(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition on rows that may be leased.

    It avoids OR: with one, SQLite 3.46 scans all rows of each state instead of looking up the named keys.
    """
    waits = and_(frontier.c.state.in_((State.DUE, State.DROPPED, State.DONE)), frontier.c.due_at <= now)
    return case((frontier.c.state == State.LEASED, frontier.c.lease_until < now), else_=waits)


def _end_expired(tx: Connection, *, now: datetime) -> None:
    """Make URLs due whose lease has expired."""
    keys = _lock_leased(tx, "lease_owner > '' AND lease_until < :before", before=now)
    _update_rows(tx, keys, {"state": State.DUE, "lease_owner": None, "lease_until": None})


def _named_keys(tx: Connection, selection: Selection, claiming: Claiming) -> list[str]:
    """Return the due URLs of a selection that names URLs, round-robin over hosts."""
    order = (frontier.c.priority, frontier.c.due_at, frontier.c.url_key)
    columns = (frontier.c.url_key, frontier.c.host, frontier.c.source_id)
    rows = tx.execute(select(*columns).where(_is_due(claiming.now), selection.clause()).order_by(*order))
    return within_budget(tx, claiming, rows.tuples())


def _due_url(row: RowMapping) -> DueUrl:
    return DueUrl(
        url=Url.of(row["url"]),
        url_key=row["url_key"],
        host=row["host"],
        source_id=row["source_id"],
        attempt=row["attempts"] + 1,
        etag=row["etag"],
        last_modified=row["last_modified"],
        payload_digest=row["payload_digest"],
        captured_at=row["captured_at"],
        announced_title=row["announced_title"],
        announced_at=row["announced_at"],
        partial=row["partial"],
        announced_rights=row["announced_rights"],
    )
