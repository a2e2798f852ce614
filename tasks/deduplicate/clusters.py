"""Clusters and their earliest articles (union-find): an article related to two clusters merges them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """An article in its cluster. The earliest member is the representative."""

    told_at: datetime
    article_id: str


@dataclass(slots=True, kw_only=True)
class Clusters:
    """The clusters that a batch may change, as before the batch: `earliest` by cluster, `cluster_of` by article."""

    earliest: dict[str, Member]
    cluster_of: dict[str, str]
    merged: dict[str, str] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)

    def join(self, member: Member, relatives: Iterable[str]) -> None:
        """Put an article into one cluster with its relatives (article ids) and with its earlier cluster, if any."""
        own = self.cluster_of.get(member.article_id)
        together = {self.find(one) for one in relatives} | ({self._current(own)} if own else set())
        if not together:
            together = {member.article_id}
        winner = min(together, key=lambda cluster: (self.earliest.get(cluster, member), cluster))
        seniors = {self.earliest[cluster] for cluster in together if cluster in self.earliest}
        first = min(seniors, default=member)
        if own is None and member.told_at < first.told_at:
            first = member  # at equal times, the article known first stays
        for loser in together - {winner}:
            self.merged[loser] = winner
            self.earliest.pop(loser, None)
        self.replaced |= {one.article_id for one in seniors if one.article_id != first.article_id}
        self.replaced.discard(first.article_id)
        self.earliest[winner] = first
        self.cluster_of[member.article_id] = winner

    def move_back(self, member: Member) -> None:
        """Move a member's time back. It may become the representative of its cluster."""
        cluster = self.find(member.article_id)
        first = self.earliest.get(cluster)
        if first is not None and first.article_id != member.article_id:
            if first < member:
                return
            self.replaced.add(first.article_id)
        self.replaced.discard(member.article_id)
        self.earliest[cluster] = member

    def find(self, article_id: str) -> str:
        """Return an article's current cluster."""
        return self._current(self.cluster_of[article_id])

    def is_earliest(self, article_id: str) -> bool:
        """Whether the article represents its cluster."""
        return self.earliest_in(article_id) == article_id

    def earliest_in(self, article_id: str) -> str:
        """Return the article that represents the article's cluster."""
        return self.earliest[self.find(article_id)].article_id

    def losers(self) -> Mapping[str, str]:
        """Return the replacement of each cluster that was merged into another."""
        return {loser: self._current(loser) for loser in self.merged}

    def _current(self, cluster: str) -> str:
        while cluster in self.merged:
            cluster = self.merged[cluster]
        return cluster
