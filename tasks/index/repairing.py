"""Repairs of the index by verification and maintenance, one statement at a time.

All functions run in the caller's transaction, so that the journal of a repair records their changes.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from tasks.index import postings
from tasks.index.articles import KnownArticle, find_where
from tasks.index.frontier import State
from tasks.index.schema import articles, batches, edges, feeds, frontier, outbox, runs, shapes

_NEVER_CAPTURED = {
    "etag": None,
    "last_modified": None,
    "payload_digest": None,
    "lease_owner": None,
    "lease_until": None,
}


def find_used_table(tx: Connection) -> str | None:
    """Return the name of a table that has rows, or None if the index is empty."""
    tables = (articles, frontier, batches, outbox, feeds, runs)
    return next((table.name for table in tables if tx.execute(select(table).limit(1)).first() is not None), None)


def replace_urls(tx: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Replace whole frontier rows, by URL key."""
    if rows:
        tx.execute(delete(frontier).where(frontier.c.url_key.in_([str(row["url_key"]) for row in rows])))
        tx.execute(insert(frontier), rows)


def correct_article(tx: Connection, article_id: str, *, url_key: str, first_seen_at: datetime, revision: int) -> None:
    """Correct the values that a decision inherits from an earlier row: URL, first sight and revision."""
    right = {"url_key": url_key, "first_seen_at": first_seen_at, "revision": revision}
    tx.execute(update(articles).where(articles.c.article_id == article_id).values(right))


def find_articles(tx: Connection, article_ids: Sequence[str]) -> dict[str, KnownArticle]:
    """Return these articles by id."""
    return {article.article_id: article for article in find_where(tx, articles.c.article_id.in_(article_ids))}


def remove_articles(tx: Connection, article_ids: Sequence[str]) -> None:
    """Delete articles with their shapes and edges, and clear the reference of their frontier rows."""
    postings.drop_shapes(tx, article_ids)
    tx.execute(delete(edges).where(or_(edges.c.a.in_(article_ids), edges.c.b.in_(article_ids))))
    tx.execute(delete(articles).where(articles.c.article_id.in_(article_ids)))
    tx.execute(update(frontier).where(frontier.c.article_id.in_(article_ids)).values(article_id=None))


def refetch_urls(tx: Connection, url_keys: Sequence[str], *, now: datetime, forgets_article: bool = False) -> None:
    """Make URLs due without validators, as if never captured: a 304 would hide what is missing."""
    values = {**_NEVER_CAPTURED, "state": State.DUE, "due_at": now, **({"article_id": None} if forgets_article else {})}
    tx.execute(update(frontier).where(frontier.c.url_key.in_(url_keys)).values(values))


def find_lost_urls(tx: Connection, url_keys: Sequence[str]) -> list[str]:
    """Return those of these URLs whose article is unknown."""
    is_lost = frontier.c.article_id.not_in(select(articles.c.article_id))
    query = select(frontier.c.url_key).where(frontier.c.url_key.in_(url_keys), is_lost)
    return list(tx.execute(query).scalars())


def end_leases(tx: Connection, url_keys: Sequence[str]) -> None:
    """Make leased URLs due, and remove leases from the others."""
    ended = {"lease_owner": None, "lease_until": None}
    mine = update(frontier).where(frontier.c.url_key.in_(url_keys))
    is_leased = frontier.c.state == State.LEASED
    tx.execute(mine.where(is_leased).values(state=State.DUE, **ended))
    tx.execute(mine.where(~is_leased).values(ended))


def make_due(tx: Connection, url_keys: Sequence[str], *, now: datetime) -> None:
    """Make URLs without a due time due now."""
    tx.execute(update(frontier).where(frontier.c.url_key.in_(url_keys), frontier.c.due_at.is_(None)).values(due_at=now))


def drop_edge_of_unknown(tx: Connection, a: str, b: str, kind: str, *, ends: Collection[str]) -> None:
    """Delete an edge unless all `ends` are known articles."""
    known = tx.execute(select(articles.c.article_id).where(articles.c.article_id.in_(ends))).scalars()
    if set(known) != set(ends):
        tx.execute(delete(edges).where(edges.c.a == a, edges.c.b == b, edges.c.kind == kind))


def drop_shapes_of_unknown(tx: Connection, article_ids: Sequence[str]) -> None:
    """Delete those of these shapes that belong to no article."""
    known = tx.execute(select(articles.c.article_id).where(articles.c.article_id.in_(article_ids))).scalars()
    postings.drop_shapes(tx, set(article_ids) - set(known))


def find_split_clusters(tx: Connection, cluster_id: str, *, kind: str) -> list[str]:
    """Return the other clusters that an edge of this kind connects to this one."""
    members = select(articles.c.article_id).where(articles.c.cluster_id == cluster_id).scalar_subquery()
    other_end = or_(
        and_(edges.c.a.in_(members), articles.c.article_id == edges.c.b),
        and_(edges.c.b.in_(members), articles.c.article_id == edges.c.a),
    )
    query = (
        select(articles.c.cluster_id)
        .select_from(edges)
        .join(articles, other_end)
        .where(edges.c.kind == kind, articles.c.cluster_id != cluster_id)
    )
    return sorted(set(tx.execute(query).scalars()))


def find_cluster(tx: Connection, cluster_id: str) -> list[KnownArticle]:
    """Return the members of a cluster."""
    return find_where(tx, articles.c.cluster_id == cluster_id)


def name_cluster(tx: Connection, cluster_id: str, *, name: str, representative: str) -> None:
    """Rename a cluster and make this member its only representative."""
    mine = update(articles).where(articles.c.cluster_id == cluster_id)
    tx.execute(mine.values(cluster_id=name, is_representative=articles.c.article_id == representative))


def has_older(tx: Connection, *, digests: str, sketches: int) -> bool:
    """Whether any digest lacks this prefix, or any shape has another algorithm."""
    older_shape = select(shapes.c.number).where(shapes.c.algorithm != sketches)
    older_digest = select(articles.c.article_id).where(_is_older_digest(digests))
    return any(tx.execute(query.limit(1)).first() is not None for query in (older_digest, older_shape))


def find_older(
    tx: Connection, article_ids: Iterable[str], *, digests: str, sketches: int, or_without_shape: bool
) -> set[tuple[str, int]]:
    """Return (id, revision) of those of these articles whose digest or shape is older, as in `has_older`."""
    older_shape = shapes.c.algorithm != sketches
    if or_without_shape:
        older_shape = or_(older_shape, shapes.c.number.is_(None))
    query = (
        select(articles.c.article_id, articles.c.revision)
        .outerjoin(shapes, shapes.c.article_id == articles.c.article_id)
        .where(articles.c.article_id.in_(list(article_ids)), or_(_is_older_digest(digests), older_shape))
    )
    return {(row.article_id, row.revision) for row in tx.execute(query)}


def _is_older_digest(prefix: str) -> ColumnElement[bool]:
    return articles.c.text_digest.not_like(f"{prefix}%")
