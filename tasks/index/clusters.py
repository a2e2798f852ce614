"""The clusters for the lake: their sizes, earliest articles, and which of them have changed.

A row of the lake shows its cluster as of the row's decision. A transaction that changes a cluster marks it, and
`maintain` updates the rows of marked clusters. All functions run in the caller's transaction.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from tasks.index.schema import articles, stale_clusters
from tasks.index.statements import in_chunks, insert_into
from tasks.values.rows import Article

CHUNK = 400

CLUSTER_COLUMNS = ("cluster_id", "is_representative", "cluster_size", "cluster_earliest", "first_seen_at")
"""The columns of `articles` that depend on the article's cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The cluster columns of an article. Its rows have revisions up to `revision`, fetched between the two times."""

    article_id: str
    cluster_id: str
    is_representative: bool
    cluster_size: int
    cluster_earliest: str
    revision: int
    first_seen_at: datetime
    fetched_at: datetime


def mark_changed(tx: Connection, cluster_ids: Iterable[str]) -> dict[str, int]:
    """Mark those of these clusters that have several articles; returns the sizes of all of them."""
    sizes = _sizes(tx, cluster_ids)
    mark(tx, (cluster_id for cluster_id, size in sizes.items() if size > 1))
    return sizes


def mark(tx: Connection, cluster_ids: Iterable[str]) -> None:
    """Mark clusters whose rows in the lake need an update."""
    rows = [{"cluster_id": cluster_id, "marks": 1} for cluster_id in sorted(set(cluster_ids))]
    if rows:
        insert = insert_into(tx, stale_clusters)
        raised = {"marks": stale_clusters.c.marks + 1}
        tx.execute(insert.on_conflict_do_update(index_elements=["cluster_id"], set_=raised), rows)


def find_stale(tx: Connection, *, limit: int, after: str = "") -> dict[str, int]:
    """Return the marked clusters after the cursor `after`, in order of id, with their marks."""
    query = select(stale_clusters).where(stale_clusters.c.cluster_id > after).order_by(stale_clusters.c.cluster_id)
    return dict(tx.execute(query.limit(limit)).tuples().all())


def find_members(tx: Connection, cluster_ids: Iterable[str]) -> dict[str, Membership]:
    """Return the memberships of all articles of these clusters, by article id."""
    found: dict[str, Membership] = {}
    for part in _parts(cluster_ids):
        rows = tx.execute(select(articles).where(articles.c.cluster_id.in_(part))).all()
        sizes: dict[str, int] = {}
        earliest: dict[str, str] = {}
        for row in rows:
            sizes[row.cluster_id] = sizes.get(row.cluster_id, 0) + 1
            if row.is_representative:
                earliest[row.cluster_id] = row.article_id
        for row in rows:
            found[row.article_id] = Membership(
                article_id=row.article_id,
                cluster_id=row.cluster_id,
                is_representative=row.is_representative,
                cluster_size=sizes[row.cluster_id],
                cluster_earliest=earliest.get(row.cluster_id, row.cluster_id),
                revision=max(row.revision, row.last_revision or 0),
                first_seen_at=row.first_seen_at,
                fetched_at=row.fetched_at,
            )
    return found


def find_misplaced(tx: Connection, rows: Iterable[Article]) -> set[str]:
    """Return the clusters (as in the index) of those rows whose cluster columns are outdated."""
    lake_rows = list(rows)
    members: dict[str, Membership] = {}
    for part in _parts(row.article_id for row in lake_rows):
        query = select(articles.c.cluster_id).where(articles.c.article_id.in_(part)).distinct()
        members |= find_members(tx, tx.execute(query).scalars().all())
    return {
        member.cluster_id
        for row in lake_rows
        if (member := members.get(row.article_id)) is not None
        and any(getattr(row, name) != getattr(member, name) for name in CLUSTER_COLUMNS)
    }


def clear(tx: Connection, marked: Mapping[str, int]) -> None:
    """Remove these marks. A cluster that was marked again since then keeps its mark."""
    for cluster_id, marks in sorted(marked.items()):
        is_as_marked = (stale_clusters.c.cluster_id == cluster_id) & (stale_clusters.c.marks == marks)
        tx.execute(delete(stale_clusters).where(is_as_marked))


def _sizes(tx: Connection, cluster_ids: Iterable[str]) -> dict[str, int]:
    count = select(articles.c.cluster_id, func.count()).group_by(articles.c.cluster_id)
    return {
        cluster_id: size
        for part in _parts(cluster_ids)
        for cluster_id, size in tx.execute(count.where(articles.c.cluster_id.in_(part)))
    }


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    return in_chunks(sorted(set(values)), CHUNK)
