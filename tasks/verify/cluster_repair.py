"""Put clusters right: near-duplicates belong together, the earliest represents them, and one of them names it."""

from collections.abc import Iterable

from sqlalchemy import Connection, and_, or_, select, update

from tasks.deduplicate.resemblance import Relation, told_at
from tasks.index import articles as known_articles
from tasks.index import clusters
from tasks.index.schema import articles, edges


def repair_clusters(tx: Connection, cluster_ids: Iterable[str]) -> None:
    """Mend these clusters, and those that they should be one with."""
    wanted = sorted(set(cluster_ids))
    for cluster_id in wanted:
        _take_in(tx, cluster_id)
    for cluster_id in wanted:
        _represent(tx, cluster_id)


def _take_in(tx: Connection, cluster_id: str) -> None:
    """Let the clusters of the members' near-duplicates become one with this one."""
    while others := _torn_off(tx, cluster_id):
        known_articles.merge_clusters(tx, dict.fromkeys(others, cluster_id))


def _torn_off(tx: Connection, cluster_id: str) -> list[str]:
    members = select(articles.c.article_id).where(articles.c.cluster_id == cluster_id).scalar_subquery()
    other_end = or_(
        and_(edges.c.a.in_(members), articles.c.article_id == edges.c.b),
        and_(edges.c.b.in_(members), articles.c.article_id == edges.c.a),
    )
    query = (
        select(articles.c.cluster_id)
        .select_from(edges)
        .join(articles, other_end)
        .where(edges.c.kind == Relation.NEAR_DUPLICATE, articles.c.cluster_id != cluster_id)
    )
    return sorted(set(tx.execute(query).scalars()))


def _represent(tx: Connection, cluster_id: str) -> None:
    members = tx.execute(select(articles).where(articles.c.cluster_id == cluster_id)).all()
    if not members:
        return
    ordered = sorted(members, key=lambda one: (told_at(one.published_at, one.first_seen_at), one.article_id))
    held = [one for one in ordered if one.is_representative]
    # a revision may have moved an article's date: then whoever represents the cluster goes on
    first = held[0] if len(held) == 1 and any(one.revision > 1 for one in members) else ordered[0]
    name = cluster_id if any(one.article_id == cluster_id for one in members) else ordered[0].article_id
    mine = update(articles).where(articles.c.cluster_id == cluster_id)
    tx.execute(mine.values(cluster_id=name, is_representative=articles.c.article_id == first.article_id))
    clusters.mark(tx, [name])
