"""Limits that all processes share: permits and paces of hosts, and their robots.txt."""

import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

import psutil
from sqlalchemy import Connection, Select, Table, Update, bindparam, delete, func, select, update

from tasks.index import policies, site_answers
from tasks.index.database import Index
from tasks.index.pace import Pace, end_at_place, end_permit, grant_at_place, grant_permit
from tasks.index.runs import is_alive, this_machine
from tasks.index.schema import hosts, places
from tasks.index.statements import upsert
from tasks.values.permit import LearnedRobots, Permit, PermitEnd, PermitRequest, RobotsAnswer, Wait


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Permits and robots.txt files, one short transaction per call; used by tasks.politeness.limiter.

    `clock` is for tests. Without it, machines that share a database server use its clock.
    """

    index: Index
    clock: Callable[[], datetime] | None = None
    # The process's name within the ids of its permits, so that others on this machine can detect its death.
    _owner: str = field(default_factory=lambda: _this_process(os.getpid()), init=False)
    _names: Iterator[str] = field(
        default_factory=lambda: map(f"{uuid.uuid4().hex}.{{}}".format, count()), init=False, compare=False
    )
    _known: set[str] = field(default_factory=set, init=False, compare=False)

    def exchange_permits(
        self, ended: Sequence[PermitEnd], wanted: Sequence[PermitRequest], learned: Sequence[LearnedRobots] = ()
    ) -> list[Permit | Wait]:
        """Store ended permits and learned robots.txt files, then answer requests in order. Raises IndexUnavailable."""
        names = {end.permit.host for end in ended} | {one.host for one in wanted} | {one.host for one in learned}
        spots = {one.place for one in wanted if one.place} | {end.permit.place for end in ended if end.permit.place}
        self._make_known(hosts, names)
        self._make_known(places, spots)
        # not durable: even if a host's last permits are lost, its source's pace still applies
        with self.index.write(is_durable=False) as tx:
            known = _Paces(
                of_hosts=_read_paces(tx, hosts, names, self._now(tx)),
                of_places=_read_paces(tx, places, spots, self._now(tx)),
            )
            now = self._now(tx)  # after locking, so that the wait for locks is not part of a delay
            site_answers.keep(tx, learned)
            for one in learned:
                known.learn(one)
            for end in ended:
                known.end(end, now=now)
            answers = [known.grant(wish, permit_id=f"{self._owner} {next(self._names)}", now=now) for wish in wanted]
            _write_paces(tx, hosts, known.of_hosts)
            _write_paces(tx, places, known.of_places)
            return answers

    def robots(self, origin: str) -> RobotsAnswer | None:
        """Return the stored answer if it is fresh, else None."""
        kept = self.answers([origin]).get(origin)
        return kept if kept and kept.is_fresh else None

    def answers(self, origins: Collection[str]) -> dict[str, RobotsAnswer]:
        """Return the stored answers by origin, fresh or not."""
        with self.index.read() as tx:
            return site_answers.read(tx, origins, now=self._now(tx))

    def meet_policies(self, seen: Mapping[str, datetime]) -> set[str]:
        """Record when documents of sites were seen; returns those already in the lake. Raises IndexUnavailable."""
        with self.index.write(is_durable=False) as tx:
            return policies.meet(tx, seen)

    def _make_known(self, table: Table, names: set[str]) -> None:
        """Create the rows of new hosts or places in a separate transaction, on databases with row locks.

        A transaction that inserts rows while it holds others may deadlock.
        """
        unknown = names - self._known
        if unknown and not self.index.is_sqlite:
            with self.index.write() as tx:
                _make_rows(tx, table, unknown, self._now(tx))
            self._known.update(unknown)

    def _now(self, tx: Connection) -> datetime:
        if self.clock is not None:
            return self.clock()
        if tx.dialect.name == "sqlite":
            return datetime.now(UTC)
        instant: datetime = tx.execute(select(func.clock_timestamp())).scalar_one()
        return instant.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Paces:
    """The paces that one transaction has locked, by name. The methods update them in memory."""

    of_hosts: dict[str, Pace]
    of_places: dict[str, Pace]

    def learn(self, learned: LearnedRobots) -> None:
        """Set the host's crawl delay from its robots.txt."""
        pace = self.of_hosts[learned.host]
        self.of_hosts[learned.host] = replace(pace, crawl_delay_s=learned.crawl_delay_s)

    def end(self, end: PermitEnd, *, now: datetime) -> None:
        """End a permit."""
        host, place = end.permit.host, end.permit.place
        if place is None:
            self.of_hosts[host] = end_permit(self.of_hosts[host], end, now=now)
        else:
            ended = end_at_place(self.of_hosts[host], self.of_places[place], end, now=now)
            self.of_hosts[host], self.of_places[place] = ended

    def grant(self, wish: PermitRequest, *, permit_id: str, now: datetime) -> Permit | Wait:
        """Return a permit, or how long to wait before the next request for one."""
        host, place = _without_dead(self.of_hosts[wish.host], wish), wish.place
        if place is None:
            self.of_hosts[wish.host], answer = grant_permit(host, wish, permit_id=permit_id, now=now)
            return answer
        shared = _without_dead(self.of_places[place], wish)
        asked = grant_at_place(host, shared, wish, permit_id=permit_id, now=now)
        self.of_hosts[wish.host], self.of_places[place], answer = asked
        return answer


def prune(tx: Connection, *, before: datetime) -> int:
    """Delete places whose next slot is before then; returns how many."""
    old = select(places.c.place).where(places.c.next_slot_at < before)
    gone = old.with_for_update(skip_locked=True)  # skip rows that are being written
    return tx.execute(delete(places).where(places.c.place.in_(gone))).rowcount


def _read_paces(tx: Connection, table: Table, names: set[str], now: datetime) -> dict[str, Pace]:
    """Lock and return the rows of hosts or places; create missing ones. Sorted: all writers lock in one order."""
    known = _known_paces(tx, table, names)
    if len(known) == len(names):
        return known
    _make_rows(tx, table, names - known.keys(), now)
    return _known_paces(tx, table, names)


def _make_rows(tx: Connection, table: Table, names: Collection[str], now: datetime) -> None:
    pace = Pace(next_slot_at=now, turns={})
    rows = [{_name_in(table): name} | _columns_of(pace, table) for name in sorted(names)]
    upsert(tx, table, rows, by=[_name_in(table)], newest=())


def _known_paces(tx: Connection, table: Table, names: Collection[str]) -> dict[str, Pace]:
    if not names:
        return {}
    columns, name = table.c.keys(), _name_in(table)
    rows = tx.execute(_paces_in(table), {"names": sorted(names)}).tuples()
    named = (dict(zip(columns, row, strict=True)) for row in rows)
    return {row[name]: _pace_of(row) for row in named}


@cache
def _paces_in(table: Table) -> Select[tuple[Any, ...]]:
    name = table.c[_name_in(table)]
    return select(table).where(name.in_(bindparam("names", expanding=True))).order_by(name).with_for_update()


def _pace_of(row: Mapping[str, Any]) -> Pace:
    """Return a row as a pace. A place has no crawl delay of its own."""
    return Pace(
        next_slot_at=row["next_slot_at"],
        crawl_delay_s=row.get("crawl_delay_s"),
        latency_s=row.get("latency_s"),
        slowdown=row.get("slowdown", 1.0),
        turns={permit_id: datetime.fromtimestamp(until, UTC) for permit_id, until in (row["turns"] or {}).items()},
    )


def _write_paces(tx: Connection, table: Table, paces: dict[str, Pace]) -> None:
    rows = [{"known_name": name} | _columns_of(pace, table) for name, pace in sorted(paces.items())]
    if rows:
        tx.execute(_change_of(table), rows)


@cache
def _change_of(table: Table) -> Update:
    return update(table).where(table.c[_name_in(table)] == bindparam("known_name"))


def _columns_of(pace: Pace, table: Table) -> dict[str, object]:
    """Return those columns of a pace that the table has."""
    columns: dict[str, object] = {
        "next_slot_at": pace.next_slot_at,
        "crawl_delay_s": pace.crawl_delay_s,
        "latency_s": pace.latency_s,
        "slowdown": pace.slowdown,
        "turns": {permit_id: until.timestamp() for permit_id, until in pace.turns.items()},
    }
    known_names = _held_in(table)
    return {name: value for name, value in columns.items() if name in known_names}


@cache
def _held_in(table: Table) -> frozenset[str]:
    return frozenset(table.c.keys())


def _name_in(table: Table) -> str:
    return "host" if table is hosts else "place"


def _without_dead(pace: Pace, wanted: PermitRequest) -> Pace:
    """Drop the permits of dead processes on this machine, if the limit is reached."""
    if len(pace.turns) < wanted.max_per_host:
        return pace
    return replace(pace, turns={permit_id: until for permit_id, until in pace.turns.items() if not _is_dead(permit_id)})


def _is_dead(permit_id: str) -> bool:
    machine, pid, born_at, _ = permit_id.rsplit(" ", 3)
    return machine == _here() and int(pid) != os.getpid() and not is_alive(int(pid), float(born_at))


def _this_process(pid: int) -> str:
    return f"{_here()} {pid} {psutil.Process(pid).create_time()}"


@cache
def _here() -> str:
    return this_machine()
