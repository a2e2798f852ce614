"""Repair clusters: near-duplicates share one, the earliest member represents it, and its id is a member's."""

from collections.abc import Iterable

from tasks.deduplicate.resemblance import Relation, article_time
from tasks.index import articles as known_articles
from tasks.index import clusters
from tasks.index.database import Transaction
from tasks.index.repairing import find_cluster, find_split_clusters, name_cluster


def repair_clusters(tx: Transaction, cluster_ids: Iterable[str]) -> None:
    """Repair these clusters, and the clusters that should be merged with them."""
    wanted = sorted(set(cluster_ids))
    for cluster_id in wanted:
        _take_in(tx, cluster_id)
    for cluster_id in wanted:
        _represent(tx, cluster_id)


def _take_in(tx: Transaction, cluster_id: str) -> None:
    """Merge the clusters of the members' near-duplicates into this one."""
    while others := find_split_clusters(tx, cluster_id, kind=Relation.NEAR_DUPLICATE):
        known_articles.merge_clusters(tx, dict.fromkeys(others, cluster_id))


def _represent(tx: Transaction, cluster_id: str) -> None:
    members = find_cluster(tx, cluster_id)
    if not members:
        return
    ordered = sorted(members, key=lambda one: (article_time(one.published_at, one.first_seen_at), one.article_id))
    held = [one for one in ordered if one.is_representative]
    # a revision may have changed an article's date; then the representative stays
    first = held[0] if len(held) == 1 and any(one.revision > 1 for one in members) else ordered[0]
    name = cluster_id if any(one.article_id == cluster_id for one in members) else ordered[0].article_id
    name_cluster(tx, cluster_id, name=name, representative=first.article_id)
    clusters.mark(tx, [name])
