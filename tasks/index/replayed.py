"""What replays record about captures: the rules last applied, and the state before the first replay.

A capture's home is the revision that it showed before the first replay. Its position is the outbox sequence number of
that decision. Both are recorded once. They let a replay give a revision its old number and decide it as of the same
moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from tasks.index.schema import articles, edges, frontier, quarantine, replayed
from tasks.index.statements import in_chunks, insert_into, row_of

CHUNK = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The record of one capture. `day` is the partition of its row.

    `article_id`, `revision` and `position` are None for a capture without an article; `rules` and `knowledge` for one
    that was not replayed. `kept`: values of its row that its page does not contain, kept for when the row is gone.
    """

    capture_id: str
    day: date
    article_id: str | None = None
    revision: int | None = None
    position: int | None = None
    rules: str | None = None
    knowledge: int | None = None
    kept: Mapping[str, Any] | None = None


def note(tx: Connection, notes: Iterable[Note], *, now: datetime) -> None:
    """Store notes. A recorded home stays, and so do the rules of captures that were not replayed now."""
    rows = [{**row_of(entry), "day": entry.day.isoformat(), "noted_at": now} for entry in notes]
    statement = insert_into(tx, replayed)
    kept = {
        name: func.coalesce(replayed.c[name], statement.excluded[name])
        for name in ("article_id", "revision", "position", "kept")
    }
    newest = {name: func.coalesce(statement.excluded[name], replayed.c[name]) for name in ("rules", "knowledge")}
    for part in in_chunks(sorted(rows, key=lambda row: str(row["capture_id"])), CHUNK):
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["capture_id"],
                set_={**kept, **newest, "noted_at": statement.excluded["noted_at"]},
            ),
            list(part),
        )


def find_homes(tx: Connection, article_ids: Iterable[str]) -> list[Note]:
    """Return the notes of captures whose homes are revisions of these articles."""
    return [
        _note(row)
        for part in in_chunks(sorted(set(article_ids)), CHUNK)
        for row in tx.execute(select(replayed).where(replayed.c.article_id.in_(part))).mappings()
    ]


def find_notes(tx: Connection, capture_ids: Iterable[str]) -> dict[str, Note]:
    """Return the notes of these captures, by id."""
    return {
        row["capture_id"]: _note(row)
        for part in in_chunks(sorted(set(capture_ids)), CHUNK)
        for row in tx.execute(select(replayed).where(replayed.c.capture_id.in_(part))).mappings()
    }


def find_read(tx: Connection, *, rules: str, knowledge: int) -> Iterable[str]:
    """Yield the captures that were last replayed with these rules and this knowledge."""
    is_current = (replayed.c.rules == rules) & (replayed.c.knowledge == knowledge)
    yield from tx.execute(select(replayed.c.capture_id).where(is_current)).scalars()


def find_related(tx: Connection, article_ids: Iterable[str]) -> set[str]:
    """Return the articles that share an edge or a cluster with these."""
    found: set[str] = set()
    for part in in_chunks(sorted(set(article_ids)), CHUNK):
        mine = select(articles.c.cluster_id).where(articles.c.article_id.in_(part))
        found.update(tx.execute(select(articles.c.article_id).where(articles.c.cluster_id.in_(mine))).scalars())
        for row in tx.execute(select(edges.c.a, edges.c.b).where(or_(edges.c.a.in_(part), edges.c.b.in_(part)))):
            found.update((row.a, row.b))
    return found


def raise_last_revisions(tx: Connection, numbers: Iterable[tuple[str, int]]) -> None:
    """Raise the highest revision number of articles to these numbers; never lowers it."""
    for article_id, number in numbers:
        is_lower = func.coalesce(articles.c.last_revision, articles.c.revision) < number
        statement = update(articles).where(articles.c.article_id == article_id, is_lower)
        tx.execute(statement.values(last_revision=number))


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlState:
    """The part of a URL's frontier row that a replay needs."""

    url_key: str
    state: str
    captured_at: datetime | None
    payload_digest: str | None
    announced_title: str | None
    announced_at: datetime | None


def find_urls(tx: Connection, url_keys: Iterable[str]) -> dict[str, UrlState]:
    """Return the states of these URLs, by key."""
    columns = [frontier.c[name] for name in UrlState.__dataclass_fields__]
    return {
        row["url_key"]: UrlState(**row)
        for part in in_chunks(sorted(set(url_keys)), CHUNK)
        for row in tx.execute(select(*columns).where(frontier.c.url_key.in_(part))).mappings()
    }


def find_documents(tx: Connection, url_keys: Iterable[str]) -> dict[tuple[str, datetime], str]:
    """Return the keys of quarantine documents about these URLs, by (URL key, capture time)."""
    return {
        (row.url_key, row.captured_at): row.document_key
        for part in in_chunks(sorted(set(url_keys)), CHUNK)
        for row in tx.execute(select(quarantine).where(quarantine.c.url_key.in_(part)))
    }


def forget_documents(tx: Connection, document_keys: Iterable[str]) -> None:
    """Delete the records of these documents."""
    for part in in_chunks(sorted(document_keys), CHUNK):
        tx.execute(quarantine.delete().where(quarantine.c.document_key.in_(part)))


def _note(row: object) -> Note:
    values = {name: row[name] for name in Note.__dataclass_fields__}  # type: ignore[index]
    return Note(**{**values, "day": date.fromisoformat(values["day"])})
