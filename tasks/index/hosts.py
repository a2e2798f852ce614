"""The limits that any number of processes share: permits at a host, its holds, its robots.txt."""

import os
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import psutil
from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from tasks.index import policies
from tasks.index.database import Index
from tasks.index.pace import Pace, end_permit, grant_permit
from tasks.index.runs import is_alive, this_machine
from tasks.index.schema import hosts, robots
from tasks.index.upsert import insert_into, upsert
from tasks.values.permit import LearnedRobots, Permit, PermitEnd, PermitRequest, RobotsAnswer, Wait
from tasks.values.rights import returned_id, turn_of

ROBOTS_FRESH = timedelta(hours=24)
"""RFC 9309, 2.4: no cached copy is used for longer."""

ROBOTS_FAILURE_FRESH = timedelta(minutes=10)
"""How long an origin whose robots.txt gave 5xx or no answer is left alone before the next request."""


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Permits and robots.txt files, one short transaction a call; tasks.politeness.limiter calls this.

    `clock` is for tests; without it, machines that share a database server share its clock.
    """

    index: Index
    clock: Callable[[], datetime] | None = None
    # The process's name in the ids of its permits: by it, others on this machine see that it died.
    _owner: str = field(default_factory=lambda: _this_process(os.getpid()), init=False)
    _known: set[str] = field(default_factory=set, init=False, compare=False)

    def exchange_permits(
        self, ended: Sequence[PermitEnd], wanted: Sequence[PermitRequest], learned: Sequence[LearnedRobots] = ()
    ) -> list[Permit | Wait]:
        """Write the ends and learned robots.txt files, then answer each request in order; raises IndexUnavailable."""
        names = {end.permit.host for end in ended} | {one.host for one in wanted} | {one.host for one in learned}
        self._make_known(names)
        # not durable: if a host's last permits are lost, it still has its source's pace
        with self.index.write(is_durable=False) as tx:
            paces = _read_paces(tx, names, self._now(tx))
            now = self._now(tx)  # after the locks: the wait for them is not part of a delay
            _keep(tx, learned)
            for one in learned:
                paces[one.host] = replace(paces[one.host], crawl_delay_s=one.crawl_delay_s)
            for end in ended:
                paces[end.permit.host] = end_permit(paces[end.permit.host], end, now=now)
            answers = []
            for wish in wanted:
                pace = _without_dead(paces[wish.host], wish)
                paces[wish.host], answer = grant_permit(
                    pace, wish, permit_id=f"{self._owner} {uuid.uuid4().hex}", now=now
                )
                answers.append(answer)
            _write_paces(tx, paces)
            return answers

    def robots(self, origin: str) -> RobotsAnswer | None:
        """Return the kept answer, if it is still fresh."""
        kept = self.answers([origin]).get(origin)
        return kept if kept and kept.is_fresh else None

    def answers(self, origins: Collection[str]) -> dict[str, RobotsAnswer]:
        """Return the kept answers, by origin, fresh or not."""
        with self.index.read() as tx:
            rows = tx.execute(select(robots).where(robots.c.origin.in_(sorted(origins)))).all()
            now = self._now(tx)
        return {row.origin: _answer(row, now) for row in rows}

    def meet_policies(self, seen: Mapping[str, datetime]) -> set[str]:
        """Note when documents of sites were seen, and return those that the lake has; raises IndexUnavailable."""
        with self.index.write(is_durable=False) as tx:
            return policies.meet(tx, seen)

    def _make_known(self, names: set[str]) -> None:
        """Make the rows of new hosts in a transaction of their own, if the database locks single rows.

        A transaction that inserts while it holds other rows may deadlock with another.
        """
        unknown = names - self._known
        if unknown and not self.index.is_sqlite:
            with self.index.write() as tx:
                _make_rows(tx, unknown, self._now(tx))
            self._known.update(unknown)

    def _now(self, tx: Connection) -> datetime:
        if self.clock is not None:
            return self.clock()
        if tx.dialect.name == "sqlite":
            return datetime.now(UTC)
        instant: datetime = tx.execute(select(func.clock_timestamp())).scalar_one()
        return instant.astimezone(UTC)


def prune(tx: Connection, *, before: datetime, documents_before: datetime) -> int:
    """Delete the answers of origins, and the documents among them, before these instants; returns how many."""
    is_old = or_(and_(robots.c.fetched_at < before, robots.c.form.is_(None)), robots.c.fetched_at < documents_before)
    # a row that is being written is kept
    old = select(robots.c.origin).where(is_old).with_for_update(skip_locked=True)
    return tx.execute(delete(robots).where(robots.c.origin.in_(old))).rowcount


def _answer(row: Any, now: datetime) -> RobotsAnswer:  # noqa: ANN401 - a row of the table
    age = now - row.fetched_at
    is_failure = row.status is None or row.status >= 500 or row.status == 429
    return RobotsAnswer(
        origin=row.origin,
        status=row.status,
        body=row.body or b"",
        fetched_at=row.fetched_at,
        evidence=row.evidence,
        turn=row.turn,
        age=age,
        is_fresh=age < (ROBOTS_FAILURE_FRESH if is_failure else ROBOTS_FRESH),
    )


def _keep(tx: Connection, learned: Sequence[LearnedRobots]) -> None:
    """Replace the earlier answers by these, and note that documents were seen; sorted, so that two writers lock in one order."""
    several = {one.answer.origin: one for one in sorted(learned, key=lambda one: one.answer.origin)}
    before = _forms(tx, several)
    rows = [_row(tx, one, before.get(name)) for name, one in several.items()]
    upsert(tx, robots, rows, by=["origin"], newest=("status", "body", "fetched_at", "evidence", "form", "turn"))
    turns = {row["origin"]: row["turn"] for row in rows}
    seen = ((one.policy_id, turns[name], one.answer.fetched_at) for name, one in several.items())
    policies.see(tx, {returned_id(policy_id, turn): at for policy_id, turn, at in seen if policy_id})


def _forms(tx: Connection, names: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
    """Return the forms that answers have had so far, with their turns, by name."""
    columns = (robots.c.origin, robots.c.form, robots.c.turn)
    rows = tx.execute(select(*columns).where(robots.c.origin.in_(sorted(names)))).all() if names else ()
    return {row.origin: (row.form, row.turn) for row in rows}


def _row(tx: Connection, one: LearnedRobots, before: tuple[str | None, str | None] | None) -> dict[str, Any]:
    form, turn = before or (None, None)
    if one.form is not None and one.form != form:
        form, turn = one.form, _turn(tx, one, before)
    answer = one.answer
    return {
        "origin": answer.origin,
        "status": answer.status,
        "body": answer.body,
        "fetched_at": answer.fetched_at,
        "evidence": answer.evidence,
        "form": form,
        "turn": turn,
    }


def _turn(tx: Connection, one: LearnedRobots, before: tuple[str | None, str | None] | None) -> str | None:
    """Return what tells a document that is back from its earlier time; None for one that was not there before."""
    if one.policy_id is None or not policies.has_form(tx, one.policy_id):
        return None
    former = "".join(filter(None, before or ())) or policies.seen_after(tx, one.policy_id)
    return turn_of(one.policy_id, former) if former else None


def _read_paces(tx: Connection, names: set[str], now: datetime) -> dict[str, Pace]:
    """Return and lock the hosts' rows, and make missing ones; sorted, so that two writers lock in one order."""
    known = _known_paces(tx, names)
    if len(known) == len(names):
        return known
    _make_rows(tx, names - known.keys(), now)
    return _known_paces(tx, names)


def _make_rows(tx: Connection, names: Collection[str], now: datetime) -> None:
    rows = [{"host": name, "next_slot_at": now, "slowdown": 1.0} for name in sorted(names)]
    tx.execute(insert_into(tx, hosts).on_conflict_do_nothing(), rows)


def _known_paces(tx: Connection, names: Collection[str]) -> dict[str, Pace]:
    rows = tx.execute(select(hosts).where(hosts.c.host.in_(sorted(names))).order_by(hosts.c.host).with_for_update())
    return {
        row["host"]: Pace(
            next_slot_at=row["next_slot_at"],
            crawl_delay_s=row["crawl_delay_s"],
            latency_s=row["latency_s"],
            slowdown=row["slowdown"],
            turns={one: datetime.fromtimestamp(until, UTC) for one, until in (row["turns"] or {}).items()},
        )
        for row in rows.mappings()
    }


def _write_paces(tx: Connection, paces: dict[str, Pace]) -> None:
    rows = [
        {
            "known_host": host,
            "next_slot_at": pace.next_slot_at,
            "crawl_delay_s": pace.crawl_delay_s,
            "latency_s": pace.latency_s,
            "slowdown": pace.slowdown,
            "turns": {one: until.timestamp() for one, until in pace.turns.items()},
        }
        for host, pace in sorted(paces.items())
    ]
    if rows:
        tx.execute(update(hosts).where(hosts.c.host == bindparam("known_host")), rows)


def _without_dead(pace: Pace, wanted: PermitRequest) -> Pace:
    """Take back permits of dead processes of this machine, if they are in the way."""
    if len(pace.turns) < wanted.max_per_host:
        return pace
    return replace(pace, turns={one: until for one, until in pace.turns.items() if not _is_dead(one)})


def _is_dead(permit_id: str) -> bool:
    machine, pid, born_at, _ = permit_id.rsplit(" ", 3)
    return machine == _here() and int(pid) != os.getpid() and not is_alive(int(pid), float(born_at))


def _this_process(pid: int) -> str:
    return f"{_here()} {pid} {psutil.Process(pid).create_time()}"


@cache
def _here() -> str:
    return this_machine()
