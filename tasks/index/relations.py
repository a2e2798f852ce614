"""Relations of articles: edges between them, and their aliases.

All functions take the transaction they run in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, or_, select

from tasks.index.schema import aliases, edges
from tasks.index.upsert import insert_into, row_of, upsert_into
from tasks.values.chunks import in_chunks

CHUNK = 400

ELSEWHERE = "elsewhere"
"""The kind of an alias on another site that a redirect passed: recorded, and never believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Two articles and their relation; `near_duplicate` has its ends in order, else `a` is taken from `b`."""

    a: str
    b: str
    kind: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another URL of an article, by their keys: a claim, not a fact. `how` is `redirect`, `canonical` or `elsewhere`."""

    url_key: str
    article_key: str
    how: str


def find_aliases(tx: Connection, url_keys: Iterable[str]) -> dict[str, str]:
    """Return for each of these URLs that is an alias the key of its article's URL."""
    return {
        row.url_key: row.article_key
        for part in in_chunks(sorted(set(url_keys)), CHUNK)
        for row in tx.execute(
            select(aliases.c.url_key, aliases.c.article_key).where(
                aliases.c.url_key.in_(part), aliases.c.how != ELSEWHERE
            )
        )
    }


def note_aliases(tx: Connection, claims: Iterable[Alias], *, now: datetime) -> None:
    """Write claims about URLs; the newest claim is kept, and one of `elsewhere` replaces no other."""
    several = list(claims)
    passed = {one.url_key: one for one in several if one.how == ELSEWHERE}
    claimed = {one.url_key: one for one in several if one.how != ELSEWHERE}
    statement = insert_into(tx, aliases)
    newest = {name: statement.excluded[name] for name in ("article_key", "how", "noted_at")}
    replacing = statement.on_conflict_do_update(index_elements=["url_key"], set_=newest)
    for by_key, how in ((claimed, replacing), (passed, statement.on_conflict_do_nothing())):
        if rows := [{**row_of(one), "noted_at": now} for _, one in sorted(by_key.items())]:
            tx.execute(how, rows)


def add_edges(tx: Connection, found: Iterable[Edge], *, now: datetime) -> None:
    """Add edges; an existing edge keeps its date and gets the newest score."""
    by_ends = {(one.a, one.b, one.kind): one for one in found}
    rows = [{**row_of(one), "found_at": now} for _, one in sorted(by_ends.items())]
    if rows:
        tx.execute(upsert_into(tx, edges, by=["a", "b", "kind"], newest=["score"]), rows)


def remove_edges(tx: Connection, gone: Iterable[Edge]) -> None:
    """Delete edges."""
    is_it = and_(
        edges.c.a == bindparam("old_a"), edges.c.b == bindparam("old_b"), edges.c.kind == bindparam("old_kind")
    )
    rows = {(one.a, one.b, one.kind) for one in gone}
    if rows:
        tx.execute(
            delete(edges).where(is_it), [{"old_a": a, "old_b": b, "old_kind": kind} for a, b, kind in sorted(rows)]
        )


def find_tied(tx: Connection, article_ids: Iterable[str]) -> set[str]:
    """Return the articles to which an edge leads from one of these, and those among them that have one."""
    tied: set[str] = set()
    for part in in_chunks(sorted(set(article_ids)), CHUNK):
        ends = select(edges.c.a, edges.c.b).where(or_(edges.c.a.in_(part), edges.c.b.in_(part)))
        tied.update(end for row in tx.execute(ends) for end in row)
    return tied


def find_edges(tx: Connection, article_id: str) -> list[Edge]:
    """Return every edge of an article, the strongest first."""
    query = select(edges.c.a, edges.c.b, edges.c.kind, edges.c.score).where(
        or_(edges.c.a == article_id, edges.c.b == article_id)
    )
    return [Edge(**row) for row in tx.execute(query.order_by(edges.c.score.desc(), edges.c.a, edges.c.b)).mappings()]
