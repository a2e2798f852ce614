"""Rebuild clusters from the decisions of their members, in their order, as sweeps did. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from tasks.deduplicate.clusters import Clusters, Member
from tasks.replay.asof import Position, time_of
from tasks.values.rows import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The decision on a revision: the articles that it was joined with."""

    row: Article
    position: Position
    relatives: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An article's place in its cluster."""

    cluster_id: str
    is_representative: bool
    size: int
    earliest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlaces:
    """The current places of articles, and those of revisions when they were decided."""

    now: Mapping[str, Place]
    then: Mapping[tuple[str, int], Place]


def recluster(events: Iterable[Event]) -> ClusterPlaces:
    """Join members in the order of decisions; revisions of one batch get the places after the whole batch."""
    clusters = Clusters(earliest={}, cluster_of={})
    then: dict[tuple[str, int], Place] = {}
    for _, several in groupby(sorted(events, key=lambda one: one.position), key=lambda one: one.position[:2]):
        batch = list(several)
        for one in batch:
            relatives = [other for other in sorted(one.relatives) if other in clusters.cluster_of]
            clusters.join(Member(time_of(one.row), one.row.article_id), relatives)
        for one in batch:
            then[one.row.article_id, one.row.revision] = _place(clusters, one.row.article_id)
    return ClusterPlaces(now={one: _place(clusters, one) for one in clusters.cluster_of}, then=then)


def _place(clusters: Clusters, article_id: str) -> Place:
    own = clusters.find(article_id)
    return Place(
        cluster_id=own,
        is_representative=clusters.is_earliest(article_id),
        size=sum(clusters.find(one) == own for one in clusters.cluster_of),
        earliest=clusters.earliest_in(article_id),
    )
