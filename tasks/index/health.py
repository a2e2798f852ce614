"""Figures of each source's health: daily results of looks, hours of publication, alarms.

They are sums only, so batches can be added in any order. All functions run in the caller's transaction.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Table, and_, case, delete, func, or_, select, union

from tasks.index.database import lock
from tasks.index.figures import source_alarms, source_arrivals, source_days, source_tallies
from tasks.index.frontier import ARCHIVE, State
from tasks.index.schema import feeds, frontier, quarantine
from tasks.index.statements import Upsert, insert_into, row_of, upsert
from tasks.values.feed import FeedKind

_BY_DAY = (source_days, source_tallies, source_arrivals)
HOURS = tuple(f"h{hour:02d}" for hour in range(24))


class TallyKind(StrEnum):
    """What a tally counts: looks by result (LOOK), or new articles by delay (LAG)."""

    LOOK = "look"
    LAG = "lag"


class AlarmKind(StrEnum):
    """The kinds of alarms."""

    REFUSED = "refused"
    FEEDS_REFUSED = "feeds_refused"
    SILENT = "silent"
    DRIFTED = "drifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A source's looks with one result on one UTC day, in all (`number`) and in the run `run_id` (`run_number`)."""

    source_id: str
    day: date
    kind: TallyKind
    what: str
    number: int
    last_at: datetime
    run_id: str
    run_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A source's looks with one result: in all (`number`), lately (`recent`) and in one run (`in_run`)."""

    source_id: str
    kind: TallyKind
    what: str
    number: int
    recent: int
    in_run: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalDay:
    """Articles that a source published in each of the 24 hours of a UTC day, and the time of the newest."""

    source_id: str
    day: date
    hours: tuple[int, ...]
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsState:
    """A source's own feeds: their number, how many fail persistently and why, and when one was last read."""

    source_id: str
    feeds: int
    failing: int
    reason: str | None
    heard_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm of a source. `looks` and `sweeps` count its occurrences; `told_at` is when it was reported."""

    source_id: str
    kind: AlarmKind
    reason: str
    looks: int = 0
    sweeps: int = 1
    began_at: datetime
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A page in quarantine, with the key of its document in the lake."""

    document_key: str
    url_key: str
    source_id: str
    url: str
    reason: str
    captured_at: datetime


def lag_bucket(lag: timedelta) -> str:
    """Return the bucket of a delay (half octaves of minutes) as a tally's name. `lag_of` is the inverse."""
    return f"{math.ceil(2 * math.log2(max(lag / timedelta(minutes=1), 1))):02d}"


def lag_of(bucket: str) -> timedelta:
    """Return the upper bound of a bucket."""
    return timedelta(minutes=2 ** (int(bucket) / 2))


def add_tallies(tx: Connection, tallies: Iterable[Tally]) -> None:
    """Add to the tallies of these days."""
    rows = [{**row_of(tally), "day": tally.day.isoformat()} for tally in tallies]
    if not rows:
        return
    rows.sort(key=lambda row: (row["source_id"], row["day"], row["kind"], row["what"]))  # fixed order: no deadlocks
    known = source_tallies.c
    insert = insert_into(tx, source_tallies)
    is_same_run = known.run_id == insert.excluded.run_id
    changed = {
        "number": known.number + insert.excluded.number,
        "run_number": case((is_same_run, known.run_number), else_=0) + insert.excluded.run_number,
        "run_id": insert.excluded.run_id,
        "last_at": _later(source_tallies, "last_at", insert),
    }
    tx.execute(insert.on_conflict_do_update(index_elements=["source_id", "day", "kind", "what"], set_=changed), rows)


def add_arrivals(tx: Connection, arrivals: Iterable[ArrivalDay]) -> None:
    """Add to the arrivals of these days."""
    rows = [
        {
            "source_id": arrival.source_id,
            "day": arrival.day.isoformat(),
            "newest_at": arrival.newest_at,
            **dict(zip(HOURS, arrival.hours, strict=True)),
        }
        for arrival in sorted(arrivals, key=lambda arrival: (arrival.source_id, arrival.day))
    ]
    if not rows:
        return
    insert = insert_into(tx, source_arrivals)
    changed: dict[str, ColumnElement[object]] = {
        name: source_arrivals.c[name] + insert.excluded[name] for name in HOURS
    }
    changed["newest_at"] = _later(source_arrivals, "newest_at", insert)
    tx.execute(insert.on_conflict_do_update(index_elements=["source_id", "day"], set_=changed), rows)


def note_quarantined(tx: Connection, pages: Iterable[Quarantined]) -> None:
    """Record the pages of a batch that cannot be processed."""
    upsert(tx, quarantine, [row_of(page) for page in pages], by=["document_key"], newest=())


def find_tallies(tx: Connection, source_ids: Collection[str], *, since: date) -> list[Tally]:
    """Return the sources' tallies since that day."""
    query = select(source_tallies).where(
        source_tallies.c.source_id.in_(sorted(source_ids)), source_tallies.c.day >= since.isoformat()
    )
    return [
        Tally(**{**row, "day": date.fromisoformat(row["day"]), "kind": TallyKind(row["kind"])})
        for row in tx.execute(query).mappings()
    ]


def find_totals(
    tx: Connection, source_ids: Collection[str], *, since: date, recent: date, run_ids: Collection[str]
) -> list[Total]:
    """Return the sums of the sources' tallies since that day. `recent` is a later day; `in_run` sums over `run_ids`."""
    known = source_tallies.c
    query = (
        select(
            known.source_id,
            known.kind,
            known.what,
            func.sum(known.number).label("number"),
            func.sum(case((known.day >= recent.isoformat(), known.number), else_=0)).label("recent"),
            func.sum(case((known.run_id.in_(sorted(run_ids)), known.run_number), else_=0)).label("in_run"),
            func.max(known.last_at).label("last_at"),
        )
        .where(known.source_id.in_(sorted(source_ids)), known.day >= since.isoformat())
        .group_by(known.source_id, known.kind, known.what)
    )
    return [
        Total(
            source_id=source_id,
            kind=TallyKind(kind),
            what=what,
            number=number,
            recent=lately,
            in_run=in_run,
            last_at=last_at,
        )
        for source_id, kind, what, number, lately, in_run, last_at in tx.execute(query)
    ]


def find_arrivals(tx: Connection, source_ids: Collection[str], *, since: date) -> dict[str, list[ArrivalDay]]:
    """Return the days since then on which each source published, by source, the oldest first."""
    query = (
        select(source_arrivals)
        .where(source_arrivals.c.source_id.in_(sorted(source_ids)), source_arrivals.c.day >= since.isoformat())
        .order_by(source_arrivals.c.source_id, source_arrivals.c.day)
    )
    found: dict[str, list[ArrivalDay]] = {}
    for source_id, day, *hours, newest_at in tx.execute(query):
        arrival = ArrivalDay(source_id=source_id, day=date.fromisoformat(day), hours=tuple(hours), newest_at=newest_at)
        found.setdefault(source_id, []).append(arrival)
    return found


def find_newest(tx: Connection, source_ids: Collection[str]) -> dict[str, datetime]:
    """Return the time of each source's newest publication, within retention."""
    query = select(source_arrivals.c.source_id, func.max(source_arrivals.c.newest_at).label("newest_at")).where(
        source_arrivals.c.source_id.in_(sorted(source_ids))
    )
    return {row.source_id: row.newest_at for row in tx.execute(query.group_by(source_arrivals.c.source_id))}


def find_feeds(tx: Connection, source_ids: Collection[str], *, failures: int) -> dict[str, FeedsState]:
    """Return the state of the sources' own feeds. A feed fails after this many failures in a row, or if ended (410)."""
    is_failing = or_(feeds.c.failures >= failures, feeds.c.due_at.is_(None))
    query = (
        select(
            feeds.c.source_id,
            func.count().label("feeds"),
            func.sum(case((is_failing, 1), else_=0)).label("failing"),
            func.max(case((is_failing, feeds.c.reason))).label("reason"),
            func.max(case((feeds.c.reason.is_(None), feeds.c.polled_at))).label("heard_at"),
        )
        .where(
            feeds.c.source_id.in_(sorted(source_ids)),
            feeds.c.parent_url.is_(None),
            feeds.c.kind != FeedKind.FALLBACK,
        )
        .group_by(feeds.c.source_id)
    )
    return {row["source_id"]: FeedsState(**row) for row in tx.execute(query).mappings()}


def known_sources(tx: Connection) -> set[str]:
    """Return the sources that have feeds or looks."""
    ids = union(select(feeds.c.source_id), select(source_tallies.c.source_id))
    return set(tx.execute(ids).scalars())


def find_waiting(tx: Connection, *, now: datetime) -> set[str]:
    """Return the sources that have due or leased news URLs: their newest article may be unknown yet."""
    is_due = and_(frontier.c.state == State.DUE, frontier.c.due_at <= now)
    is_news = frontier.c.priority < ARCHIVE
    query = select(frontier.c.source_id).where(is_news, or_(is_due, frontier.c.state == State.LEASED)).distinct()
    return set(tx.execute(query).scalars())


def find_quarantined(tx: Connection, *, limit: int) -> list[Quarantined]:
    """Return the quarantined pages, the newest first."""
    query = (
        select(quarantine)
        .join(frontier, frontier.c.url_key == quarantine.c.url_key)
        .where(frontier.c.state == State.QUARANTINED)
        .order_by(quarantine.c.captured_at.desc(), quarantine.c.document_key)
    )
    return [Quarantined(**row) for row in tx.execute(query.limit(limit)).mappings()]


def find_alarms(tx: Connection, source_ids: Collection[str]) -> list[Alarm]:
    """Return the sources' alarms, reported or not."""
    query = select(source_alarms).where(source_alarms.c.source_id.in_(sorted(source_ids)))
    return [Alarm(**{**row, "kind": AlarmKind(row["kind"])}) for row in tx.execute(query).mappings()]


def hold_alarms(tx: Connection) -> None:
    """Lock the alarms until the transaction ends: two sweeps that end together would report the same alarm twice."""
    lock(tx, "alarms")


def write_alarms(tx: Connection, standing: Iterable[Alarm], *, over: Iterable[Alarm]) -> None:
    """Store the present alarms and delete the ended ones."""
    rows = [row_of(alarm) for alarm in sorted(standing, key=lambda alarm: (alarm.source_id, alarm.kind))]
    newest = ("reason", "looks", "sweeps", "began_at", "told_at")
    upsert(tx, source_alarms, rows, by=["source_id", "kind"], newest=newest)
    for alarm in over:
        tx.execute(
            delete(source_alarms).where(
                source_alarms.c.source_id == alarm.source_id, source_alarms.c.kind == alarm.kind
            )
        )


def prune(tx: Connection, *, before: datetime) -> int:
    """Delete days before that time, and older quarantine records of pages read since; returns the number of rows."""
    day = before.date().isoformat()
    gone = [tx.execute(delete(table).where(table.c.day < day)).rowcount for table in _BY_DAY]
    still = select(frontier.c.url_key).where(frontier.c.state == State.QUARANTINED)
    is_over = and_(quarantine.c.captured_at < before, quarantine.c.url_key.not_in(still))
    return sum(gone) + tx.execute(delete(quarantine).where(is_over)).rowcount


def _later(table: Table, name: str, insert: Upsert) -> ColumnElement[object]:
    known, new = table.c[name], insert.excluded[name]
    return case((new > known, new), else_=known)
