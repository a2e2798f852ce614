"""What articles have to do with each other: edges between them, and the other URLs that they go by.

All functions take the transaction they run in.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from tasks.index.schema import aliases, edges
from tasks.index.upsert import insert_into, upsert
from tasks.values.chunks import in_chunks

CHUNK = 400

ELSEWHERE = "elsewhere"
"""How a URL of another site is known that was passed on the way to a page: told, and never believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Two articles and what they are to each other; `near_duplicate` has its ends in order, else `a` is out of `b`."""

    a: str
    b: str
    kind: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another URL of an article, by their keys; `how` is `redirect`, `canonical` or `elsewhere`. A claim, not yet a fact."""

    url_key: str
    article_key: str
    how: str


def find_aliases(tx: Connection, url_keys: Iterable[str]) -> dict[str, str]:
    """Return for each of these URLs that is said to be another's article the key of that article's URL."""
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
    """Note what URLs are said to be; the newest claim is the one that is kept, and what is elsewhere replaces none."""
    several = list(claims)
    passed = {one.url_key: one for one in several if one.how == ELSEWHERE}
    claimed = {one.url_key: one for one in several if one.how != ELSEWHERE}
    statement = insert_into(tx, aliases)
    newest = {name: statement.excluded[name] for name in ("article_key", "how", "noted_at")}
    replacing = statement.on_conflict_do_update(index_elements=["url_key"], set_=newest)
    for by_key, how in ((claimed, replacing), (passed, statement.on_conflict_do_nothing())):
        if rows := [{**asdict(one), "noted_at": now} for _, one in sorted(by_key.items())]:
            tx.execute(how, rows)


def add_edges(tx: Connection, found: Iterable[Edge], *, now: datetime) -> None:
    """Add edges; one that is there keeps its date and gets the newest score."""
    by_ends = {(one.a, one.b, one.kind): one for one in found}
    rows = [{**asdict(one), "found_at": now} for _, one in sorted(by_ends.items())]
    upsert(tx, edges, rows, by=["a", "b", "kind"], newest=["score"])


def find_edges(tx: Connection, article_id: str) -> list[Edge]:
    """Return every edge of an article, the strongest first."""
    query = select(edges.c.a, edges.c.b, edges.c.kind, edges.c.score).where(
        or_(edges.c.a == article_id, edges.c.b == article_id)
    )
    return [Edge(**row) for row in tx.execute(query.order_by(edges.c.score.desc(), edges.c.a, edges.c.b)).mappings()]
