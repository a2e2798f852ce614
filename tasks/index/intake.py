"""What a source's feeds may add to the frontier in a day: URLs, and hosts that nobody named before."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, select

from tasks.index.announcing import Announcement
from tasks.index.figures import source_intake
from tasks.index.frontier import CHUNK
from tasks.index.schema import frontier
from tasks.index.upsert import insert_into
from tasks.values.chunks import in_chunks

NEW_URLS, NEW_HOSTS = "new_urls_a_day", "new_hosts_a_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one source may add a day."""

    new_urls_a_day: int
    new_hosts_a_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """One announcement that is beyond its announcer's budget; `budget` is which."""

    announcement: Announcement
    budget: str


@dataclass(slots=True)
class _Added:
    urls: int = 0
    hosts: int = 0


def take_in(
    tx: Connection, announced: Sequence[Announcement], allowances: Mapping[str, Allowance], *, now: datetime
) -> tuple[list[Announcement], list[Excess]]:
    """Return what may be announced, and what is beyond the announcer's budget; what is known already is free.

    Notes what is new against the day's budget. A source without an allowance has no bound.
    """
    keys = [one.url_key for one in announced if one.announcer in allowances]
    if not keys:
        return list(announced), []
    known = find_known(tx, keys)
    old_hosts = _known_hosts(tx, {one.host for one in announced if one.url_key not in known})
    added = _added_today(tx, {one.announcer for one in announced}, now.date())
    before = {source_id: (one.urls, one.hosts) for source_id, one in added.items()}
    kept, beyond = [], []
    for one in announced:
        allowance = allowances.get(one.announcer)
        budget = None
        if allowance is not None and one.url_key not in known:
            budget = _charged(added.setdefault(one.announcer, _Added()), allowance, is_new=one.host not in old_hosts)
        if budget is not None:
            beyond.append(Excess(announcement=one, budget=budget))
            continue
        known.add(one.url_key)
        old_hosts.add(one.host)
        kept.append(one)
    _note(tx, {name: one for name, one in added.items() if before.get(name) != (one.urls, one.hosts)}, now.date())
    return kept, beyond


def find_known(tx: Connection, url_keys: Iterable[str]) -> set[str]:
    """Return which of these URLs are known."""
    found = set[str]()
    for part in in_chunks(sorted(set(url_keys)), CHUNK):
        found.update(tx.execute(select(frontier.c.url_key).where(frontier.c.url_key.in_(part))).scalars())
    return found


def prune(tx: Connection, *, before: date) -> int:
    """Forget what was added before that day; returns how many rows."""
    return tx.execute(delete(source_intake).where(source_intake.c.day < before.isoformat())).rowcount


def _charged(added: _Added, allowance: Allowance, *, is_new: bool) -> str | None:
    """Count one new URL; returns the budget that it is beyond, and counts nothing then."""
    if added.urls >= allowance.new_urls_a_day:
        return NEW_URLS
    if is_new and added.hosts >= allowance.new_hosts_a_day:
        return NEW_HOSTS
    added.urls += 1
    added.hosts += is_new
    return None


def _known_hosts(tx: Connection, names: set[str]) -> set[str]:
    found: set[str] = set()
    for part in in_chunks(sorted(names), CHUNK):
        asked = select(frontier.c.host).where(frontier.c.host.in_(part)).distinct()
        found.update(tx.execute(asked).scalars())
    return found


def _added_today(tx: Connection, source_ids: set[str], day: date) -> dict[str, _Added]:
    columns = (source_intake.c.source_id, source_intake.c.urls, source_intake.c.hosts)
    rows = select(*columns).where(source_intake.c.source_id.in_(sorted(source_ids)))
    today = tx.execute(rows.where(source_intake.c.day == day.isoformat()))
    return {source_id: _Added(urls, hosts) for source_id, urls, hosts in today}


def _note(tx: Connection, added: Mapping[str, _Added], day: date) -> None:
    rows = [
        {"source_id": source_id, "day": day.isoformat(), "urls": one.urls, "hosts": one.hosts}
        for source_id, one in sorted(added.items())
    ]
    if rows:
        statement = insert_into(tx, source_intake)
        newest = {name: statement.excluded[name] for name in ("urls", "hosts")}
        tx.execute(statement.on_conflict_do_update(index_elements=["source_id", "day"], set_=newest), rows)


def count_excess(beyond: Sequence[Excess]) -> Counter[tuple[str, str]]:
    """Count what was beyond a budget, by source and budget."""
    return Counter((one.announcement.announcer, one.budget) for one in beyond)
