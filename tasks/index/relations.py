"""Edges between articles. All functions run in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, or_, select

from tasks.index.schema import edges
from tasks.index.statements import in_chunks, row_of, upsert

CHUNK = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A relation of two articles. For `near_duplicate` the ends are sorted; for other kinds `a` derives from `b`."""

    a: str
    b: str
    kind: str
    score: float


def add_edges(tx: Connection, found: Iterable[Edge], *, now: datetime) -> None:
    """Add edges. An existing edge keeps its date and gets the newest score."""
    by_ends = {(edge.a, edge.b, edge.kind): edge for edge in found}
    rows = [{**row_of(edge), "found_at": now} for _, edge in sorted(by_ends.items())]
    upsert(tx, edges, rows, by=["a", "b", "kind"], newest=["score"])


def remove_edges(tx: Connection, gone: Iterable[Edge]) -> None:
    """Delete edges."""
    is_it = and_(
        edges.c.a == bindparam("old_a"), edges.c.b == bindparam("old_b"), edges.c.kind == bindparam("old_kind")
    )
    rows = {(edge.a, edge.b, edge.kind) for edge in gone}
    if rows:
        tx.execute(
            delete(edges).where(is_it), [{"old_a": a, "old_b": b, "old_kind": kind} for a, b, kind in sorted(rows)]
        )


def find_tied(tx: Connection, article_ids: Iterable[str]) -> set[str]:
    """Return the ends of all edges of these articles, themselves included if they have one."""
    tied: set[str] = set()
    for part in in_chunks(sorted(set(article_ids)), CHUNK):
        ends = select(edges.c.a, edges.c.b).where(or_(edges.c.a.in_(part), edges.c.b.in_(part)))
        tied.update(end for row in tx.execute(ends) for end in row)
    return tied


def find_edges(tx: Connection, article_id: str) -> list[Edge]:
    """Return all edges of an article, the strongest first."""
    query = select(edges.c.a, edges.c.b, edges.c.kind, edges.c.score).where(
        or_(edges.c.a == article_id, edges.c.b == article_id)
    )
    return [Edge(**row) for row in tx.execute(query.order_by(edges.c.score.desc(), edges.c.a, edges.c.b)).mappings()]
