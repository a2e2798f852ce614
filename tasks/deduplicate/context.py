"""The state on which a batch is decided. It includes the batch's own additions, so that its pages see each other.

It is read from the index once, while the batch's scripts are locked, and written back once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tasks.deduplicate.clusters import Clusters, Member
from tasks.deduplicate.neighbours import Comparisons, Match, Neighbours
from tasks.deduplicate.resemblance import Relation, article_time
from tasks.index import articles, clusters, postings, relations
from tasks.index.articles import Alias, KnownArticle, article_id_of
from tasks.index.database import Transaction, lock
from tasks.index.postings import KnownShape, Surroundings
from tasks.index.relations import Edge
from tasks.values.page import PreparedPage
from tasks.values.text.fingerprint import Fingerprint


@dataclass(slots=True, kw_only=True)
class DecisionContext:
    """Articles by id and by text, aliases, similar texts, clusters, and the batch's additions.

    An article's id is derived from its URL key (article_id_of); `ids` has the exceptions.
    """

    known: dict[str, KnownArticle]
    ids: dict[str, str]
    by_text: dict[str, KnownArticle]
    aliases: dict[str, str]
    neighbours: Neighbours
    clusters: Clusters
    surroundings: Surroundings
    claims: list[Alias] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    entered: set[str] = field(default_factory=set)
    retold: set[str] = field(default_factory=set)
    moved_back: dict[str, datetime] = field(default_factory=dict)
    learnt: set[str] = field(default_factory=set)

    def twin(self, text: Fingerprint) -> KnownArticle | None:
        """Return the earliest article with the page's text, or None."""
        return self.by_text.get(text.digest) if text.has_words else None

    def learn(self, known: KnownArticle, contents: Iterable[tuple[int, str]]) -> None:
        """Add contents of an article's revisions that the index lacks."""
        more = known.with_contents(contents)
        if more != known:
            self.known[known.article_id] = more
            self.learnt.add(known.article_id)

    def matches(self, own_id: str, page: PreparedPage) -> list[Match]:
        """Return the articles that resemble the page of article `own_id`, the best match first."""
        if page.text.shape is None:
            return []
        return self.neighbours.matches(own_id, page.told_at, page.host, page.text.shape)

    def enter(
        self,
        known: KnownArticle,
        page: PreparedPage,
        *,
        is_newest: bool,
        twin: KnownArticle | None,
        matches: Iterable[Match],
    ) -> None:
        """Add a new revision, so that later pages of the batch see it.

        A revision from an archive that is not the newest leaves the article's text and shape unchanged.
        """
        self.known[known.article_id] = known
        self.entered.add(known.article_id)
        self._relate(known.article_id, page, twin=twin, matches=matches)
        if is_newest:
            self._retell(page, known)

    def see(self, known: KnownArticle, at: datetime) -> None:
        """Record when an article was seen, if that is before it was first seen."""
        if at >= known.first_seen_at:
            return
        current = self.known[known.article_id]
        self.known[known.article_id] = back = replace(current, first_seen_at=min(current.first_seen_at, at))
        self.moved_back[known.article_id] = back.first_seen_at
        self.clusters.move_back(Member(article_time(back.published_at, back.first_seen_at), known.article_id))

    def claim(self, name: str, article_key: str, how: str) -> None:
        """Record that a URL is an alias of an article."""
        self.aliases[name] = article_key
        self.claims.append(Alias(url_key=name, article_key=article_key, how=how))

    def write(self, tx: Transaction, *, now: datetime) -> None:
        """Write what the decisions added. New articles must already be in the index."""
        articles.merge_clusters(tx, self.clusters.losers())
        articles.demote(tx, self.clusters.replaced)
        self._write_moved_back(tx)
        articles.note_contents(tx, (self.known[one] for one in self.learnt - self.entered))
        postings.drop_shapes(tx, self.retold)
        postings.add_shapes(tx, self.neighbours.fresh.values(), full=self.surroundings.full)
        relations.add_edges(tx, self.edges, now=now)
        articles.note_aliases(tx, self.claims, now=now)

    def _retell(self, page: PreparedPage, known: KnownArticle) -> None:
        """Replace the article's text by that of its new revision."""
        self.retold.add(known.article_id)
        if page.text.has_words:
            self.by_text.setdefault(known.text_digest, known)
        self.neighbours.leave(known.article_id)
        if page.text.shape:
            self.neighbours.enter(
                KnownShape(article_id=known.article_id, told_at=page.told_at, host=page.host, shape=page.text.shape)
            )

    def _write_moved_back(self, tx: Transaction) -> None:
        """Write changed first-seen times, and mark the clusters, so that `maintain` updates the lake's rows."""
        articles.lower_first_seen(tx, self.moved_back)
        articles.promote(tx, (one for one in self.moved_back if self.clusters.is_earliest(one)))
        clusters.mark(tx, {self.clusters.find(one) for one in self.moved_back})

    def _relate(
        self, article_id: str, page: PreparedPage, *, twin: KnownArticle | None, matches: Iterable[Match]
    ) -> None:
        relatives = [twin.article_id] if twin and twin.article_id != article_id else []
        for match in matches:
            if match.relation is Relation.NEAR_DUPLICATE:
                relatives.append(match.article_id)
                a, b = sorted((article_id, match.article_id))
            else:
                a, b = (article_id, match.article_id) if match.is_longer else (match.article_id, article_id)
            self.edges.append(Edge(a=a, b=b, kind=match.relation, score=match.score))
        if page.syndicated_key:
            original = article_id_of(page.syndicated_key)
            self.edges.append(Edge(a=article_id, b=original, kind=Relation.SYNDICATED, score=1.0))
        self.clusters.join(Member(page.told_at, article_id), relatives)


def lock_scripts(tx: Transaction, pages: Iterable[PreparedPage]) -> None:
    """Lock the pages' scripts: until this transaction ends, no other decides pages in them."""
    for script in sorted({one.text.script for one in pages}):
        lock(tx, f"script.{script}")


def read_context(
    tx: Transaction, url_keys: Iterable[str], pages: Sequence[PreparedPage], comparisons: Comparisons
) -> DecisionContext:
    """Read everything that the pages' decisions need from the index."""
    names = {name for one in pages for name in one.names}
    asked = set(url_keys) | names
    aliases = articles.find_aliases(tx, asked)
    by_url_key = articles.find_by_url_key(tx, asked | set(aliases.values()))
    known = {one.article_id: one for one in by_url_key.values()}
    by_text = articles.find_by_text(tx, (one.text.digest for one in pages if one.text.has_words))
    surroundings = postings.read_surroundings(tx, ((one.told_at, one.text.shape) for one in pages if one.text.shape))
    neighbours = Neighbours(surroundings, comparisons)
    return DecisionContext(
        known=known,
        ids={key: one.article_id for key, one in by_url_key.items() if one.article_id != article_id_of(key)},
        by_text=by_text,
        aliases=aliases,
        neighbours=neighbours,
        clusters=_read_clusters(tx, neighbours, (*known.values(), *by_text.values())),
        surroundings=surroundings,
    )


def _read_clusters(tx: Transaction, neighbours: Neighbours, known: Iterable[KnownArticle]) -> Clusters:
    cluster_of = {one.article_id: one.cluster_id for one in known}
    cluster_of |= articles.find_clusters(tx, set(neighbours.article_ids()) - set(cluster_of))
    for forgotten in set(neighbours.article_ids()) - set(cluster_of):
        neighbours.leave(forgotten)
    representatives = articles.find_representatives(tx, cluster_of.values())
    earliest = {
        cluster_id: Member(article_time(one.published_at, one.first_seen_at), one.article_id)
        for cluster_id, one in representatives.items()
    }
    return Clusters(earliest=earliest, cluster_of=cluster_of)
