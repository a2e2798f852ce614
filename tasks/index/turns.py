"""Choose the next due URLs: round-robin over sources, then over the hosts of each, news first.

It never scans all due rows. Two database indexes hold waiting rows by source and by host, and each source and host is
found by one jump from the previous one. So the cost of a claim barely depends on the number of due rows.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    TextualSelect,
    and_,
    bindparam,
    column,
    select,
    text,
)

from tasks.index.column_types import Instant
from tasks.index.pace import kept_delay_s
from tasks.index.schema import DUE_OF_HOST, DUE_OF_SOURCE, WAITING_STATES, frontier, hosts

PRIORITIES = (0, 10)
"""News and backfill (tasks.index.frontier). All sources are served at one priority before the next."""

HOSTS_AT_ONCE = 64
"""Hosts of one source per statement."""

MOST_JUMPS = 2000
"""Hosts of one source that a claim examines. If most of them wait for later, the earliest due rows are added."""

_Place = tuple[str, int]
"""A source and a priority."""


@dataclass(slots=True)
class Turns:
    """The round-robin state between claims of one run: the source and hosts served last. It decides nothing else."""

    source: str = ""
    hosts: dict[_Place, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claiming:
    """Parameters of a claim. `clause_of`: extra condition on the rows of a source. `is_mine`: the same for hosts."""

    limit: int
    host_budget_s: float
    crawl_delays_s: Mapping[str, float]
    now: datetime
    priorities: tuple[int, ...] = PRIORITIES
    clause_of: Callable[[str], ColumnElement[bool]]
    is_wanted: Callable[[str], bool]
    is_mine: Callable[[str], bool]


def pick(tx: Connection, turns: Turns, claiming: Claiming) -> list[str]:
    """Return the keys of the next URLs, in round-robin order and within each host's budget."""
    picking = _Picking(tx, turns, claiming)
    for priority in claiming.priorities:
        picking.serve(priority)
    return picking.keys


def within_budget(tx: Connection, claiming: Claiming, rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return the keys of rows (key, host, source), round-robin over hosts and within each host's budget."""
    budget, places = _HostBudget(tx, claiming), Counter[str]()
    by_place: defaultdict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for row in rows:
        by_place[places[row[1]]].append(row)
        places[row[1]] += 1
    keys: list[str] = []
    for key, host, source_id in (row for place in sorted(by_place) for row in by_place[place]):
        if len(keys) < claiming.limit and budget.has_room(host, source_id):
            budget.take(host)
            keys.append(key)
    return keys


def _waiting() -> ColumnElement[bool]:
    """Return the condition of both partial indexes, spelled exactly as in them: otherwise a database ignores them."""
    states: BindParameter[list[str]] = bindparam(
        "waiting_states", list(WAITING_STATES), expanding=True, literal_execute=True
    )
    return and_(frontier.c.state.in_(states), frontier.c.due_at.is_not(None))


class _Picking:
    """One claim in progress."""

    def __init__(self, tx: Connection, turns: Turns, claiming: Claiming) -> None:
        self.keys: list[str] = []
        self._tx = tx
        self._turns = turns
        self._claiming = claiming
        self._budget = _HostBudget(tx, claiming)

    def serve(self, priority: int) -> None:
        """Take URLs of one priority, one per source in turn, up to the limit."""
        due = self._due_sources(priority)
        after = [one for one in due if one > self._turns.source]
        ordered = after + due[: len(due) - len(after)]
        at_once = min(max(self._claiming.limit // max(len(due), 1), 1), HOSTS_AT_ONCE)
        lines = deque((one, self._rows_of((one, priority), at_once=at_once)) for one in ordered)
        while lines and len(self.keys) < self._claiming.limit:
            source_id, rows = lines.popleft()
            key = next(rows, None)
            if key is not None:
                self.keys.append(key)
                self._turns.source = source_id
                lines.append((source_id, rows))

    def _due_sources(self, priority: int) -> list[str]:
        """Return the sources with due URLs of this priority, sorted."""
        statement = _statement(_SOURCES, self._tx.dialect.name)
        found = self._tx.execute(statement, {"priority": priority}).tuples().all()
        now, is_wanted = self._claiming.now, self._claiming.is_wanted
        return [
            source_id for source_id, due_at in found if due_at is not None and due_at <= now and is_wanted(source_id)
        ]

    def _rows_of(self, place: _Place, *, at_once: int) -> Iterator[str]:
        """Yield the due URLs of one source: one per host first, then the others, round-robin over hosts."""
        served: list[str] = []
        for host in self._hosts_of(place, self._turns.hosts.get(place, ""), at_once=at_once):
            if self._claiming.is_mine(host) and self._budget.has_room(host, place[0]):
                for key in self._keys_of(place, host, limit=1):
                    served.append(host)
                    self._budget.take(host)
                    self._turns.hosts[place] = host
                    yield key
        lines = deque(self._further(place, host) for host in served)
        while lines:
            rows = lines.popleft()
            if (following := next(rows, None)) is not None:
                yield following
                lines.append(rows)

    def _further(self, place: _Place, host: str) -> Iterator[str]:
        """Yield a host's due URLs after the first, within its budget."""
        if not self._budget.has_room(host, place[0]):
            return
        for key in self._keys_of(place, host, limit=self._claiming.limit)[1:]:
            if not self._budget.has_room(host, place[0]):
                return
            self._budget.take(host)
            yield key

    def _hosts_of(self, place: _Place, after: str, *, at_once: int) -> Iterator[str]:
        """Yield the hosts of a source with due URLs, each once, starting after `after` and wrapping around.

        If too many hosts have nothing due to examine all, also yields the hosts of the rows that are due first.
        """
        seen: set[str] = set()
        jumps, start, is_round = 0, after, False
        while jumps < MOST_JUMPS:
            size = min(at_once, MOST_JUMPS - jumps)
            found = self._walk(place, start, size)
            jumps, at_once = jumps + size, HOSTS_AT_ONCE
            around = [row for row in found if not is_round or row[0] <= after]
            due = [host for host, due_at, *_ in around if due_at is not None and due_at <= self._claiming.now]
            self._budget.note((host, *pace) for host, _, *pace in around)
            for host in due:
                seen.add(host)
                yield host
            if len(around) == size:
                start = found[-1][0]
            elif is_round or not after:
                return
            else:
                start, is_round = "", True
        yield from (host for host in self._hosts_of_first(place) if host not in seen)

    def _walk(self, place: _Place, after: str, jumps: int) -> Sequence[tuple[Any, ...]]:
        """Return the next hosts of a source, the due time of each one's first row, and paces for `_HostBudget.note`."""
        values = {"source": place[0], "priority": place[1], "after": after, "jumps": jumps}
        return self._tx.execute(_statement(_HOSTS, self._tx.dialect.name), values).tuples().all()

    def _hosts_of_first(self, place: _Place) -> Iterable[str]:
        is_due = (*_at(place), frontier.c.due_at <= self._claiming.now)
        rows = select(frontier.c.host).where(*is_due).order_by(frontier.c.due_at).limit(self._claiming.limit)
        return dict.fromkeys(self._tx.execute(rows).scalars())

    def _keys_of(self, place: _Place, host: str, *, limit: int) -> list[str]:
        """Return the due URLs of a host, the oldest first."""
        query = _keys_at(self._claiming.clause_of(place[0]))
        values = {"source": place[0], "priority": place[1], "host": host, "now": self._claiming.now, "at_most": limit}
        return list(self._tx.execute(query, values).scalars())


class _HostBudget:
    """How many more URLs of a host fit into its time budget at its current delay."""

    def __init__(self, tx: Connection, claiming: Claiming) -> None:
        self._tx = tx
        self._claiming = claiming
        self._taken: dict[str, int] = {}
        self._paces: dict[str, tuple[float, float | None, float | None, float | None]] = {}

    def has_room(self, host: str, source_id: str) -> bool:
        """Whether one more URL fits. The first always does, unless the host's next slot is beyond the budget."""
        self.know((host,))
        waits_s, crawl_delay_s, latency_s, slowdown = self._paces[host]
        wanted_s = self._claiming.crawl_delays_s.get(source_id, 0.0)
        delay_s = kept_delay_s(wanted_s, crawl_delay_s=crawl_delay_s, latency_s=latency_s, slowdown=slowdown)
        taken = self._taken.get(host, 0)
        return waits_s + (taken * delay_s if taken else 0.0) <= self._claiming.host_budget_s

    def take(self, host: str) -> None:
        """Count one URL."""
        self._taken[host] = self._taken.get(host, 0) + 1

    def know(self, names: Iterable[str]) -> None:
        """Load the paces of these hosts unless they are known."""
        unknown = [name for name in names if name not in self._paces]
        if not unknown:
            return
        self._paces.update(dict.fromkeys(unknown, (0.0, None, None, None)))
        columns = (hosts.c.host, hosts.c.next_slot_at, hosts.c.crawl_delay_s, hosts.c.latency_s, hosts.c.slowdown)
        self.note(self._tx.execute(select(*columns).where(hosts.c.host.in_(unknown))).tuples())

    def note(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Store paces: (host, next slot, Crawl-delay, latency, slowdown). The next slot of an unknown host is None."""
        for host, next_slot_at, *pace in rows:
            waits_s = max(0.0, (next_slot_at - self._claiming.now).total_seconds()) if next_slot_at else 0.0
            self._paces[host] = (waits_s, *pace)


def _at(place: _Place) -> tuple[ColumnElement[bool], ...]:
    return _waiting(), frontier.c.source_id == place[0], frontier.c.priority == place[1]


@lru_cache(maxsize=8)
def _keys_at(is_meant: ColumnElement[bool]) -> Select[tuple[str]]:
    """Return the query for a host's due URLs. Cached, because it runs for each host."""
    is_there = [frontier.c[name] == bindparam(value) for name, value in _PLACES.items()]
    is_due = (_waiting(), *is_there, frontier.c.due_at <= bindparam("now", type_=Instant))
    query = select(frontier.c.url_key).where(*is_due, is_meant).order_by(frontier.c.due_at)
    return query.limit(bindparam("at_most", type_=Integer))


_PLACES = {"source_id": "source", "priority": "priority", "host": "host"}

# left alone, SQLite chooses another index and scans all waiting rows
_HINTS = {"sqlite": "INDEXED BY"}
_IS_WAITING = f"state IN ({', '.join(map(repr, WAITING_STATES))}) AND due_at IS NOT NULL"

_SOURCES = """
WITH RECURSIVE walk(source_id) AS (
    SELECT min(source_id) FROM frontier {by_source} WHERE {is_waiting}
    UNION ALL
    SELECT (SELECT min(f.source_id) FROM frontier AS f {by_source} WHERE {is_waiting} AND f.source_id > walk.source_id)
    FROM walk WHERE walk.source_id IS NOT NULL
)
SELECT source_id, (
    SELECT min(f.due_at) FROM frontier AS f {by_source}
    WHERE {is_waiting} AND f.source_id = walk.source_id AND f.priority = :priority
) AS due_at
FROM walk WHERE source_id IS NOT NULL
"""

_HOSTS = """
WITH RECURSIVE walk(host, number) AS (
    SELECT min(host), 1 FROM frontier {by_host}
    WHERE {is_waiting} AND source_id = :source AND priority = :priority AND host > :after
    UNION ALL
    SELECT (
        SELECT min(f.host) FROM frontier AS f {by_host}
        WHERE {is_waiting} AND f.source_id = :source AND f.priority = :priority AND f.host > walk.host
    ), number + 1
    FROM walk WHERE walk.host IS NOT NULL AND number < :jumps
)
SELECT walk.host AS host, (
    SELECT min(f.due_at) FROM frontier AS f {by_host}
    WHERE {is_waiting} AND f.source_id = :source AND f.priority = :priority AND f.host = walk.host
) AS due_at, h.next_slot_at AS next_slot_at, h.crawl_delay_s AS crawl_delay_s, h.latency_s AS latency_s, h.slowdown AS slowdown
FROM walk LEFT JOIN hosts AS h ON h.host = walk.host WHERE walk.host IS NOT NULL ORDER BY walk.number
"""


_COLUMNS = {
    _SOURCES: (column("source_id", Text), column("due_at", Instant)),
    _HOSTS: (
        column("host", Text),
        column("due_at", Instant),
        column("next_slot_at", Instant),
        column("crawl_delay_s"),
        column("latency_s"),
        column("slowdown"),
    ),
}


@lru_cache(maxsize=8)
def _statement(template: str, dialect: str) -> TextualSelect:
    """Return the statement that finds sources, or hosts of one, by jumps, each with the due time of its first row."""
    hint = _HINTS.get(dialect, "")
    by_source, by_host = (f"{hint} {index}" if hint else "" for index in (DUE_OF_SOURCE, DUE_OF_HOST))
    sql = template.format(by_source=by_source, by_host=by_host, is_waiting=_IS_WAITING)
    return text(sql).columns(*_COLUMNS[template])
