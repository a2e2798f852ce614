"""Add announced URLs to the frontier: each once, with its source, within the announcer's daily budget.

If another source announces a URL before its owner does, and the URL has no article yet, it passes to its owner (ADR
0018).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, or_, select, update

from tasks.index.figures import source_intake
from tasks.index.frontier import ARCHIVE, CHUNK, NEWS, State, is_over
from tasks.index.schema import frontier
from tasks.index.shards import shard_key
from tasks.index.statements import in_chunks, insert_into, upsert
from tasks.index.taken_down import read_kept_out
from tasks.values.takedown import KeptOut
from tasks.values.url import Url

RENEWED_EVERY = timedelta(days=1)
NEW_URLS, NEW_HOSTS = "new_urls_a_day", "new_hosts_a_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One URL, as announced by a feed. `url` is in fetch form; `host` is in the form that politeness uses.

    `owners`: sources that own the host (may be empty). `announcer`: source of the announcing feed. `is_foreign`:
    whether it differs from `source_id`. `rights`: the RSL licence that the feed declares for the URL.
    """

    url: Url
    url_key: str
    host: str
    source_id: str
    announced_by: str
    title: str | None = None
    announced_at: datetime | None = None
    priority: int = NEWS
    owners: tuple[str, ...] = ()
    is_foreign: bool = False
    announcer: str = ""
    rights: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much one source may add a day."""

    new_urls_a_day: int
    new_hosts_a_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """An announcement beyond its announcer's budget. `budget` names the budget."""

    announcement: Announcement
    budget: str


@dataclass(slots=True)
class _Added:
    urls: int = 0
    hosts: int = 0


def announce(tx: Connection, announcements: Sequence[Announcement], *, now: datetime) -> int:
    """Add unknown URLs, due at once; returns how many are new. The order does not matter.

    A gone URL (410) that is announced with a date later than its last request is due again and counts as new. The
    discovery date of a URL without a planned look is renewed at most once a day, as long as it is announced. A URL
    without an article passes to its owner, with the title and date of its owner's feed. URLs that were taken down are
    left out.
    """
    by_key = _first_of_each(without_taken(tx, announcements))
    if not by_key:
        return 0
    added = _add(tx, _rows(by_key.values(), now), now=now)
    # all rows are locked in one order from here on, so that two writers cannot deadlock
    _renew_licences(tx, {key: announcement.rights for key, announcement in by_key.items() if announcement.rights})
    _amend(
        tx,
        {
            key: announcement
            for key, announcement in by_key.items()
            if announcement.owners and announcement.priority < ARCHIVE
        },
        now=now,
    )
    return added


def without_taken(tx: Connection, announcements: Sequence[Announcement]) -> Sequence[Announcement]:
    """Return the announcements that no takedown excludes."""
    kept_out = read_kept_out(tx)
    return (
        [announcement for announcement in announcements if not _is_taken(announcement, kept_out)]
        if kept_out
        else announcements
    )


def _is_taken(announcement: Announcement, kept_out: KeptOut) -> bool:
    is_of_source = kept_out.has_source(announcement.source_id) or kept_out.has_source(announcement.announcer)
    return is_of_source or kept_out.has_key(announcement.url_key)


def take_in(
    tx: Connection, announced: Sequence[Announcement], allowances: Mapping[str, Allowance], *, now: datetime
) -> tuple[list[Announcement], list[Excess]]:
    """Split announcements into those within the announcer's budget and those beyond it. Known URLs are free.

    Charges new URLs to today's budget. A source without an allowance has no limit.
    """
    keys = [announcement.url_key for announcement in announced if announcement.announcer in allowances]
    if not keys:
        return list(announced), []
    known = find_known(tx, keys)
    old_hosts = _known_hosts(tx, {announcement.host for announcement in announced if announcement.url_key not in known})
    added = _added_today(tx, {announcement.announcer for announcement in announced}, now.date())
    before = {source_id: (counts.urls, counts.hosts) for source_id, counts in added.items()}
    kept, beyond = [], []
    for announcement in announced:
        allowance = allowances.get(announcement.announcer)
        budget = None
        if allowance is not None and announcement.url_key not in known:
            budget = _charged(
                added.setdefault(announcement.announcer, _Added()), allowance, is_new=announcement.host not in old_hosts
            )
        if budget is not None:
            beyond.append(Excess(announcement=announcement, budget=budget))
            continue
        known.add(announcement.url_key)
        old_hosts.add(announcement.host)
        kept.append(announcement)
    changed = {name: counts for name, counts in added.items() if before.get(name) != (counts.urls, counts.hosts)}
    _note(tx, changed, now.date())
    return kept, beyond


def find_known(tx: Connection, url_keys: Iterable[str]) -> set[str]:
    """Return the known ones of these URL keys."""
    found = set[str]()
    for part in in_chunks(sorted(set(url_keys)), CHUNK):
        found.update(tx.execute(select(frontier.c.url_key).where(frontier.c.url_key.in_(part))).scalars())
    return found


def prune(tx: Connection, *, before: date) -> int:
    """Delete intake records from before that day; returns the number of rows."""
    return tx.execute(delete(source_intake).where(source_intake.c.day < before.isoformat())).rowcount


def count_excess(beyond: Sequence[Excess]) -> Counter[tuple[str, str]]:
    """Count the announcements beyond a budget, by source and budget."""
    return Counter((excess.announcement.announcer, excess.budget) for excess in beyond)


def amended(
    row: Mapping[str, Any],
    whose: Mapping[str, Any],
    announced: Mapping[str, Any],
    *,
    owners: Collection[str],
    is_foreign: bool,
    now: datetime,
) -> dict[str, Any]:
    """Return the changes that an announcement makes to the row of a URL without an article. Pure.

    If the row's source is no owner of the host, the row takes all values. If it was dropped, it is due again, because
    the rules of another source dropped it. If its source is an owner, it takes only missing values, and only from that
    source's own feeds. `whose` has the announcement's source, feed and priority, `announced` its title and date; both
    by column.
    """
    if row["source_id"] not in owners:
        again = {"state": State.DUE, "due_at": now, "attempts": 0} if row["state"] == State.DROPPED else {}
        return {**whose, **announced, **again}
    if is_foreign or row["source_id"] != whose["source_id"]:
        return {}
    lacking = {name: value for name, value in announced.items() if row[name] is None and value is not None}
    return {"priority": whose["priority"], **lacking} if lacking else {}


def _first_of_each(announcements: Sequence[Announcement]) -> dict[str, Announcement]:
    """Return one announcement per URL key, sorted: the first that is not foreign, else the first."""
    by_key: dict[str, Announcement] = {}
    for announcement in announcements:
        known = by_key.get(announcement.url_key)
        if known is None or (known.is_foreign and not announcement.is_foreign):
            by_key[announcement.url_key] = announcement
    return dict(sorted(by_key.items()))  # all writers lock rows in one order


def _add(tx: Connection, rows: Sequence[dict[str, object]], *, now: datetime) -> int:
    # rows are bound parameters: compiling a dozen parameters into the statement for each row would dominate the cost
    statement = insert_into(tx, frontier)
    # a URL from a backfill that a feed announces is news
    is_news = and_(frontier.c.state == State.DUE, statement.excluded.priority < frontier.c.priority)
    is_raised = and_(is_news, frontier.c.priority == ARCHIVE)
    is_back = and_(frontier.c.state == State.GONE, statement.excluded.announced_at > frontier.c.captured_at)
    changed = {
        "priority": case((is_raised, statement.excluded.priority), else_=frontier.c.priority),
        "state": case((is_back, State.DUE), else_=frontier.c.state),
        "due_at": case((is_back, statement.excluded.due_at), else_=frontier.c.due_at),
        "announced_at": case((is_back, statement.excluded.announced_at), else_=frontier.c.announced_at),
        "discovered_at": case((is_back, frontier.c.discovered_at), else_=statement.excluded.discovered_at),
    }
    # `prune` deletes by discovery date, so an announcement must renew it; once a day, because a write costs more
    is_stale = and_(is_over(), frontier.c.discovered_at < now - RENEWED_EVERY)
    added = statement.on_conflict_do_update(
        index_elements=["url_key"], set_=changed, where=or_(is_back, is_stale, is_raised)
    )
    return list(tx.execute(added.returning(frontier.c.state), rows).scalars()).count(State.DUE)


def _renew_licences(tx: Connection, licences: Mapping[str, str]) -> None:
    """Store the licences that a feed declares for known URLs."""
    of_url = and_(
        frontier.c.url_key == bindparam("key"), frontier.c.announced_rights.is_distinct_from(bindparam("new"))
    )
    if licences:
        rows = [{"key": key, "new": rights} for key, rights in licences.items()]
        tx.execute(update(frontier).where(of_url).values(announced_rights=bindparam("new")), rows)


def _amend(tx: Connection, owned: Mapping[str, Announcement], *, now: datetime) -> None:
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for key, row in _without_article(tx, owned):
        announcement = owned[key]
        whose = {
            "source_id": announcement.source_id,
            "announced_by": announcement.announced_by,
            "priority": announcement.priority,
        }
        announced = {"announced_title": announcement.title, "announced_at": announcement.announced_at}
        if change := amended(
            row, whose, announced, owners=announcement.owners, is_foreign=announcement.is_foreign, now=now
        ):
            new = {f"new_{name}": value for name, value in change.items()}
            by_columns.setdefault(tuple(change), []).append({"key": key, **new})
    for names, rows in by_columns.items():
        values: dict[str, ColumnElement[object]] = {name: bindparam(f"new_{name}") for name in names}
        tx.execute(update(frontier).where(frontier.c.url_key == bindparam("key")).values(values), rows)


def _without_article(tx: Connection, url_keys: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows without an article, except rows that are being fetched: these keep their source."""
    columns = [frontier.c[name] for name in ("url_key", "source_id", "state", "announced_title", "announced_at")]
    is_open = and_(frontier.c.article_id.is_(None), frontier.c.state != State.LEASED)
    for part in in_chunks(sorted(url_keys), CHUNK):
        known = frontier.c.url_key.in_(part)
        for row in tx.execute(select(*columns).where(known, is_open)).mappings():
            yield row["url_key"], dict(row)


def _rows(several: Iterable[Announcement], now: datetime) -> list[dict[str, object]]:
    return [
        {
            "url_key": announcement.url_key,
            "url": str(announcement.url),
            "host": announcement.host,
            "source_id": announcement.source_id,
            "state": State.DUE,
            "priority": announcement.priority,
            "due_at": now,
            "attempts": 0,
            "announced_by": announcement.announced_by,
            "announced_title": announcement.title,
            "announced_at": announcement.announced_at,
            "discovered_at": now,
            "shard": shard_key(announcement.host),
            "announced_rights": announcement.rights,
        }
        for announcement in several
    ]


def _charged(added: _Added, allowance: Allowance, *, is_new: bool) -> str | None:
    """Charge one new URL to the budget. If it is exceeded, charge nothing and return the budget's name."""
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
        {"source_id": source_id, "day": day.isoformat(), "urls": counts.urls, "hosts": counts.hosts}
        for source_id, counts in sorted(added.items())
    ]
    upsert(tx, source_intake, rows, by=["source_id", "day"], newest=("urls", "hosts"))
