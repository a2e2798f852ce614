"""Put what feeds announce into the frontier: each URL once, with its source.

If another source announces a URL before its owner does, and it has no article yet, the URL becomes its owner's (ADR
0018).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, or_, select, update

from tasks.index.frontier import ARCHIVE, CHUNK, NEWS, State, is_over
from tasks.index.schema import frontier
from tasks.index.shards import shard_key
from tasks.index.taken_down import read_kept_out
from tasks.index.upsert import insert_into
from tasks.values.chunks import in_chunks
from tasks.values.takedown import KeptOut
from tasks.values.url import Url

RENEWED_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One URL, as a feed announces it. `url` is in fetch form, `host` in the form that politeness uses.

    `owners` are the sources that own its host; a host may have none. `is_foreign` says that a feed of another source
    than `source_id` announces it, the `announcer`. `rights` is the RSL licence that the feed gives with it.
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


def announce(tx: Connection, announcements: Sequence[Announcement], *, now: datetime) -> int:
    """Add unknown URLs, due at once; returns how many were new. The order does not matter.

    A gone URL (410) whose announced date is later than its last request is due again, and counts as new. For a URL that
    nothing is planned for, its discovery is set to today, once a day, while it is announced. A URL without an article
    gets its owner, and the title and date of its owner's own feed. What was taken down is left out.
    """
    by_key = _first_of_each(without_taken(tx, announcements))
    if not by_key:
        return 0
    added = _add(tx, [_row(one, now) for one in by_key.values()], now=now)
    # from here on all rows are locked, in one order, so that no two writers deadlock
    _renew_licences(tx, {key: one.rights for key, one in by_key.items() if one.rights})
    _amend(tx, {key: one for key, one in by_key.items() if one.owners and one.priority < ARCHIVE}, now=now)
    return added


def without_taken(tx: Connection, announcements: Sequence[Announcement]) -> Sequence[Announcement]:
    """Return the announcements without those of what takedowns keep out."""
    kept_out = read_kept_out(tx)
    return [one for one in announcements if not _is_taken(one, kept_out)] if kept_out else announcements


def _is_taken(one: Announcement, kept_out: KeptOut) -> bool:
    is_of_source = kept_out.has_source(one.source_id) or kept_out.has_source(one.announcer)
    return is_of_source or kept_out.has_key(one.url_key)


def amended(row: Mapping[str, Any], one: Announcement, *, now: datetime) -> dict[str, Any]:
    """Return what a URL's row without an article takes from an announcement: all, if none of its owners has the row.

    If such a row was dropped, another source's rules dropped it, so it is due again. An owner's row takes what it lacks
    from an announcement of its own source. Pure.
    """
    announced = {"announced_title": one.title, "announced_at": one.announced_at}
    if row["source_id"] not in one.owners:
        again = {"state": State.DUE, "due_at": now, "attempts": 0} if row["state"] == State.DROPPED else {}
        whose = {"source_id": one.source_id, "announced_by": one.announced_by, "priority": one.priority}
        return {**whose, **announced, **again}
    if one.is_foreign or row["source_id"] != one.source_id:
        return {}
    lacking = {name: value for name, value in announced.items() if row[name] is None and value is not None}
    return {"priority": one.priority, **lacking} if lacking else {}


def _first_of_each(announcements: Sequence[Announcement]) -> dict[str, Announcement]:
    """Return one announcement of each URL, by key: the first that is not foreign, if there is one."""
    by_key: dict[str, Announcement] = {}
    for one in announcements:
        known = by_key.get(one.url_key)
        if known is None or (known.is_foreign and not one.is_foreign):
            by_key[one.url_key] = one
    return dict(sorted(by_key.items()))  # two writers lock rows in one order


def _add(tx: Connection, rows: Sequence[dict[str, object]], *, now: datetime) -> int:
    # rows are parameters, not part of the statement: compiling a dozen parameters a row costs more than all else here
    statement = insert_into(tx, frontier)
    # a feed announces what a backfill of its source had found: it is news
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
    # `prune` deletes by the day of discovery, so an announced URL must renew it; once a day, since a write costs more
    is_stale = and_(is_over(), frontier.c.discovered_at < now - RENEWED_EVERY)
    added = statement.on_conflict_do_update(
        index_elements=["url_key"], set_=changed, where=or_(is_back, is_stale, is_raised)
    )
    return list(tx.execute(added.returning(frontier.c.state), rows).scalars()).count(State.DUE)


def _renew_licences(tx: Connection, licences: Mapping[str, str]) -> None:
    """Take over the licences that a feed gives to URLs that are known already."""
    of_url = and_(
        frontier.c.url_key == bindparam("key"), frontier.c.announced_rights.is_distinct_from(bindparam("new"))
    )
    if licences:
        rows = [{"key": key, "new": rights} for key, rights in licences.items()]
        tx.execute(update(frontier).where(of_url).values(announced_rights=bindparam("new")), rows)


def _amend(tx: Connection, owned: Mapping[str, Announcement], *, now: datetime) -> None:
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for key, row in _without_article(tx, owned):
        if change := amended(row, owned[key], now=now):
            new = {f"new_{name}": value for name, value in change.items()}
            by_columns.setdefault(tuple(change), []).append({"key": key, **new})
    for names, rows in by_columns.items():
        values: dict[str, ColumnElement[object]] = {name: bindparam(f"new_{name}") for name in names}
        tx.execute(update(frontier).where(frontier.c.url_key == bindparam("key")).values(values), rows)


def _without_article(tx: Connection, url_keys: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows without an article; a row that is being fetched keeps its source."""
    columns = [frontier.c[name] for name in ("url_key", "source_id", "state", "announced_title", "announced_at")]
    is_open = and_(frontier.c.article_id.is_(None), frontier.c.state != State.LEASED)
    for part in in_chunks(sorted(url_keys), CHUNK):
        known = frontier.c.url_key.in_(part)
        for row in tx.execute(select(*columns).where(known, is_open)).mappings():
            yield row["url_key"], dict(row)


def _row(one: Announcement, now: datetime) -> dict[str, object]:
    return {
        "url_key": one.url_key,
        "url": str(one.url),
        "host": one.host,
        "source_id": one.source_id,
        "state": State.DUE,
        "priority": one.priority,
        "due_at": now,
        "attempts": 0,
        "announced_by": one.announced_by,
        "announced_title": one.title,
        "announced_at": one.announced_at,
        "discovered_at": now,
        "shard": shard_key(one.host),
        "announced_rights": one.rights,
    }
