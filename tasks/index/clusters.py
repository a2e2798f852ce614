"""The clusters for the lake: the size of each, its earliest article, and the clusters that have changed.

A row of the lake has the state of its cluster at the row's decision. A transaction that changes a cluster marks it, and
`maintain` updates the rows of marked clusters. All functions take the transaction they run in.
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
"""The columns of `articles` that follow from an article's cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The cluster columns for an article's rows; `revision` of these rows were fetched between the two instants."""

    article_id: str
    cluster_id: str
    is_representative: bool
    cluster_size: int
    cluster_earliest: str
    revision: int
    first_seen_at: datetime
    fetched_at: datetime


def mark_changed(tx: Connection, cluster_ids: Iterable[str]) -> dict[str, int]:
    """Mark those of these clusters that have more than one article; returns the size of each."""
    sizes = _sizes(tx, cluster_ids)
    mark(tx, (cluster_id for cluster_id, size in sizes.items() if size > 1))
    return sizes


def mark(tx: Connection, cluster_ids: Iterable[str]) -> None:
    """Mark these clusters: the lake's rows of them need an update."""
    rows = [{"cluster_id": cluster_id, "marks": 1} for cluster_id in sorted(set(cluster_ids))]
    if rows:
        insert = insert_into(tx, stale_clusters)
        raised = {"marks": stale_clusters.c.marks + 1}
        tx.execute(insert.on_conflict_do_update(index_elements=["cluster_id"], set_=raised), rows)


def find_stale(tx: Connection, *, limit: int, after: str = "") -> dict[str, int]:
    """Return marked clusters with their marks, in the order of their ids, from after the given one."""
    query = select(stale_clusters).where(stale_clusters.c.cluster_id > after).order_by(stale_clusters.c.cluster_id)
    return dict(tx.execute(query.limit(limit)).tuples().all())


def find_members(tx: Connection, cluster_ids: Iterable[str]) -> dict[str, Membership]:
    """Return the place of each article of these clusters, by article id."""
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
    """Return the clusters, as the index has them, of rows that show another state of their cluster."""
    held = list(rows)
    members: dict[str, Membership] = {}
    for part in _parts(row.article_id for row in held):
        query = select(articles.c.cluster_id).where(articles.c.article_id.in_(part)).distinct()
        members |= find_members(tx, tx.execute(query).scalars().all())
    return {
        member.cluster_id
        for row in held
        if (member := members.get(row.article_id)) is not None
        and any(getattr(row, name) != getattr(member, name) for name in CLUSTER_COLUMNS)
    }


def clear(tx: Connection, marked: Mapping[str, int]) -> None:
    """Remove these marks of clusters; a cluster that was marked since keeps its mark."""
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
