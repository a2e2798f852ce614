"""Politeness that any number of processes share: a host's next free slot, its hold, its robots.txt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tasks.index.database import Index
from tasks.index.schema import hosts, robots
from tasks.models import Booking, RobotsAnswer, SlotRequest

ROBOTS_FRESH = timedelta(hours=24)
"""RFC 9309, 2.4: no cached copy is used for longer."""

ROBOTS_FAILURE_FRESH = timedelta(minutes=10)
"""How long an origin whose robots.txt gave 5xx or nothing is left alone before it is asked again."""


@dataclass(frozen=True, slots=True)
class HostBook:
    """The book of slots and robots.txt, one short transaction a call; see tasks.web.polite for who asks."""

    index: Index

    def book(self, wanted: Mapping[str, SlotRequest], *, now: datetime) -> dict[str, Booking]:
        """Reserve slots, by origin: all that were wanted where robots.txt is known, one to ask for it where not."""
        with self.index.write() as tx:
            kept = read_robots(tx, wanted, now=now)
            bookings = {}
            for origin, slots in sorted(wanted.items()):  # sorted: two writers lock rows in one order
                robots_answer = kept.get(origin)
                count = slots.count if robots_answer else 1
                bookings[origin] = _reserve(tx, slots, count=count, robots_answer=robots_answer, now=now)
            return bookings

    def keep_robots(
        self, answer: RobotsAnswer, slots: SlotRequest, *, crawl_delay_s: float | None, now: datetime
    ) -> Booking:
        """Keep an answer and the delay it asks for (seconds), and reserve the slots that had to wait for it."""
        with self.index.write() as tx:
            keep_robots(tx, answer)
            _know(tx, slots.host, now)
            tx.execute(update(hosts).where(hosts.c.host == slots.host).values(crawl_delay_s=crawl_delay_s))
            return _reserve(tx, slots, count=slots.count, robots_answer=answer, now=now)

    def hold(self, host: str, *, until: datetime, now: datetime) -> None:
        """Let nobody ask the host before `until` (Retry-After)."""
        with self.index.write() as tx:
            _know(tx, host, now)
            later = update(hosts).where(hosts.c.host == host, hosts.c.next_slot_at < bindparam("until"))
            tx.execute(later.values(next_slot_at=bindparam("until")), {"until": until})


def read_robots(tx: Connection, origins: Mapping[str, object], *, now: datetime) -> dict[str, RobotsAnswer]:
    """Return the answers that are kept and fresh, by origin."""
    rows = tx.execute(select(robots).where(robots.c.origin.in_(sorted(origins)))).mappings()
    answers = (
        RobotsAnswer(origin=row["origin"], status=row["status"], body=row["body"] or b"", fetched_at=row["fetched_at"])
        for row in rows
    )
    return {answer.origin: answer for answer in answers if _is_fresh(answer, now)}


def keep_robots(tx: Connection, answer: RobotsAnswer) -> None:
    """Keep an answer in place of the one before it."""
    values = {"status": answer.status, "body": answer.body, "fetched_at": answer.fetched_at}
    statement = _insert(tx)(robots).values(origin=answer.origin, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values))


def _reserve(
    tx: Connection, slots: SlotRequest, *, count: int, robots_answer: RobotsAnswer | None, now: datetime
) -> Booking:
    """Move the host's next free slot past `count` slots, as far apart as the source or the host asks, the longer."""
    _know(tx, slots.host, now)
    row = tx.execute(
        select(hosts.c.next_slot_at, hosts.c.crawl_delay_s).where(hosts.c.host == slots.host).with_for_update()
    ).one()
    delay_s = max(slots.delay_s, row.crawl_delay_s or 0.0)
    first_at = max(row.next_slot_at, now)
    tx.execute(
        update(hosts)
        .where(hosts.c.host == slots.host)
        .values(next_slot_at=first_at + timedelta(seconds=count * delay_s))
    )
    return Booking(robots=robots_answer, first_at=first_at, delay_s=delay_s)


def _is_fresh(answer: RobotsAnswer, now: datetime) -> bool:
    is_failure = answer.status is None or answer.status >= 500 or answer.status == 429
    return now - answer.fetched_at < (ROBOTS_FAILURE_FRESH if is_failure else ROBOTS_FRESH)


def _know(tx: Connection, host: str, now: datetime) -> None:
    tx.execute(_insert(tx)(hosts).values(host=host, next_slot_at=now).on_conflict_do_nothing())


def _insert(tx: Connection) -> Any:  # noqa: ANN401 - two dialects' insert, of one shape
    return sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
