"""What is known while a batch is decided, and what its decisions add: pages of one batch see each other.

Read from the index once, with the batch's scripts locked; written back once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tasks.deduplicate.clusters import Clusters, Member
from tasks.deduplicate.looks import REDIRECT, known_after
from tasks.deduplicate.neighbours import Comparisons, Match, Neighbours
from tasks.deduplicate.resemblance import Relation, article_time
from tasks.index import articles, clusters, postings, relations
from tasks.index.articles import ELSEWHERE, Alias, KnownArticle, article_id_of
from tasks.index.database import Transaction, lock
from tasks.index.postings import KnownShape, Surroundings
from tasks.index.relations import Edge
from tasks.values.page import PreparedPage
from tasks.values.rows import Article
from tasks.values.text.fingerprint import Fingerprint


@dataclass(slots=True, kw_only=True)
class DecisionContext:
    """Articles by URL key and by text, claims of other URLs, texts near by, clusters; and the rows that are new."""

    by_url_key: dict[str, KnownArticle]
    by_text: dict[str, KnownArticle]
    aliases: dict[str, str]
    neighbours: Neighbours
    clusters: Clusters
    surroundings: Surroundings
    rows: list[Article] = field(default_factory=list)
    claims: list[Alias] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    entered: dict[str, KnownArticle] = field(default_factory=dict)
    retold: set[str] = field(default_factory=set)
    moved_back: dict[str, datetime] = field(default_factory=dict)
    learnt: dict[str, KnownArticle] = field(default_factory=dict)

    def twin(self, text: Fingerprint) -> KnownArticle | None:
        """Return the earliest article with a page's text."""
        return self.by_text.get(text.digest) if text.has_words else None

    def alias_target(self, asked: str, page: PreparedPage) -> tuple[KnownArticle, bool] | None:
        """Return the article that the page at a URL key is another URL of: claimed by either side, and the texts are equal.

        Beside it stands whether both URLs lead to one rendition, so that what differs is a correction.
        """
        for name, how in (*page.names.items(), (asked, "")):
            known = self.by_url_key.get(self.aliases.get(name, name))
            if known and known.url_key != asked and page.text.has_words and known.text_digest == page.text.digest:
                self._claim(asked, known.url_key, page.names.get(known.url_key, "canonical"))
                return known, bool(how) and _is_one_page(asked, name, how, known.url_key)
        return None

    def rotated_target(
        self, asked: str, page: PreparedPage, *, title: str | None, matches: Sequence[Match]
    ) -> KnownArticle | None:
        """Return the article that has been at another link to the same page, and whose text the page resembles.

        Links with a token that changes with each announcement lead to one page: it redirects them to one URL, or says that
        one URL is its own. A careless template says so of all its pages, so that a resemblance is asked for as well.
        """
        alike = {one.article_id for one in matches if one.relation is Relation.NEAR_DUPLICATE}
        for name, how in page.names.items():
            known = self.by_url_key.get(self.aliases.get(name, name))
            if known is None or known.url_key == asked or not _is_one_page(asked, name, how, known.url_key):
                continue
            is_short = page.text.shape is None
            if known.article_id in alike or (is_short and known.title is not None and known.title == title):
                self._claim(asked, known.url_key, how)
                return known
        return None

    def learn(self, known: KnownArticle, contents: Iterable[tuple[int, str]]) -> None:
        """Remember what an article's revisions say, where the index did not know."""
        more = known.with_contents(contents)
        if more != known:
            self.by_url_key[known.url_key] = self.learnt[known.article_id] = more
            if known.article_id in self.entered:
                self.entered[known.article_id] = more

    def matches(self, own_id: str, page: PreparedPage) -> list[Match]:
        """Return what resembles the page of the article `own_id`, the best first."""
        if page.text.shape is None:
            return []
        return self.neighbours.matches(own_id, page.told_at, page.host, page.text.shape)

    def enter(self, row: Article, page: PreparedPage, *, twin: KnownArticle | None, matches: Iterable[Match]) -> None:
        """Make a new revision known to the pages that follow in the batch.

        One that is older than the newest, out of an archive, leaves the article's text and shape as they are.
        """
        before = self.by_url_key.get(row.url_key)
        known = known_after(row, before)
        self.rows.append(row)
        self.by_url_key[row.url_key] = self.entered[row.article_id] = known
        self._relate(row.article_id, page, twin=twin, matches=matches)
        if known.revision == row.revision:
            self._retell(row, page, known)
        if before is not None:
            self.see(before, row.fetched_at)
        for name, how in page.names.items():
            if name not in self.by_url_key:
                self._claim(name, row.url_key, how)
        self.claims += [Alias(url_key=one, article_key=row.url_key, how=ELSEWHERE) for one in page.elsewhere]

    def see(self, known: KnownArticle, at: datetime) -> None:
        """Note that an article was seen then: perhaps before it was first seen."""
        if at >= known.first_seen_at:
            return
        current = self.by_url_key[known.url_key]
        self.by_url_key[known.url_key] = back = replace(current, first_seen_at=min(current.first_seen_at, at))
        if known.article_id in self.entered:
            self.entered[known.article_id] = back
        self.moved_back[known.article_id] = back.first_seen_at
        self.clusters.move_back(Member(article_time(back.published_at, back.first_seen_at), known.article_id))

    def finished_rows(self) -> tuple[Article, ...]:
        """Return the new revisions in the clusters that they ended up in."""
        return tuple(
            replace(
                row,
                cluster_id=self.clusters.find(row.article_id),
                is_representative=self.clusters.is_earliest(row.article_id),
                cluster_earliest=self.clusters.earliest_in(row.article_id),
            )
            for row in self.rows
        )

    def write(self, tx: Transaction, rows: Sequence[Article], *, now: datetime) -> tuple[Article, ...]:
        """Write what the decisions added; returns the rows with the sizes of their clusters."""
        newest = {row.article_id: _in_its_cluster(self.entered[row.article_id], row) for row in rows}
        articles.merge_clusters(tx, self.clusters.losers())
        articles.demote(tx, self.clusters.replaced)
        articles.remember(tx, newest.values())
        self._write_moved_back(tx)
        articles.note_contents(tx, (one for one in self.learnt.values() if one.article_id not in newest))
        postings.drop_shapes(tx, self.retold)
        postings.keep_shapes(tx, self.neighbours.fresh.values(), full=self.surroundings.full)
        relations.add_edges(tx, self.edges, now=now)
        articles.note_aliases(tx, self.claims, now=now)
        sizes = clusters.mark_changed(tx, (row.cluster_id for row in rows))
        return tuple(replace(row, cluster_size=sizes[row.cluster_id]) for row in rows)

    def _retell(self, row: Article, page: PreparedPage, known: KnownArticle) -> None:
        """Let the article have the text of its new revision."""
        self.retold.add(row.article_id)
        if page.text.has_words:
            self.by_text.setdefault(row.text_digest, known)
        self.neighbours.leave(row.article_id)
        if page.text.shape:
            self.neighbours.enter(
                KnownShape(article_id=row.article_id, told_at=page.told_at, host=page.host, shape=page.text.shape)
            )

    def _write_moved_back(self, tx: Transaction) -> None:
        """Write since when articles are known, and mark their clusters, so that `maintain` updates the lake's rows."""
        articles.lower_first_seen(tx, self.moved_back)
        articles.promote(tx, (one for one in self.moved_back if self.clusters.is_earliest(one)))
        clusters.mark(tx, {self.clusters.find(one) for one in self.moved_back})

    def _claim(self, name: str, article_key: str, how: str) -> None:
        self.aliases[name] = article_key
        self.claims.append(Alias(url_key=name, article_key=article_key, how=how))

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


def _in_its_cluster(known: KnownArticle, row: Article) -> KnownArticle:
    return replace(known, cluster_id=row.cluster_id, is_representative=row.is_representative)


def _is_one_page(asked: str, name: str, how: str, known_key: str) -> bool:
    """Whether two links lead to one rendition: redirected to one URL, or apart in the query or by a name that is neither.

    A page for telephones lies at another path than the page that it names.
    """
    return how == REDIRECT or known_key != name or asked.partition("?")[0] == known_key.partition("?")[0]


def lock_scripts(tx: Transaction, pages: Iterable[PreparedPage]) -> None:
    """Let no other transaction decide pages in the same scripts until this one ends."""
    for script in sorted({one.text.script for one in pages}):
        lock(tx, f"script.{script}")


def read_context(
    tx: Transaction, url_keys: Iterable[str], pages: Sequence[PreparedPage], comparisons: Comparisons
) -> DecisionContext:
    """Read all that the pages' decisions need, as far as others have committed it."""
    names = {name for one in pages for name in one.names}
    asked = set(url_keys) | names
    aliases = articles.find_aliases(tx, asked)
    by_url_key = articles.find_by_url_key(tx, asked | set(aliases.values()))
    by_text = articles.find_by_text(tx, (one.text.digest for one in pages if one.text.has_words))
    surroundings = postings.read_surroundings(tx, ((one.told_at, one.text.shape) for one in pages if one.text.shape))
    neighbours = Neighbours(surroundings, comparisons)
    return DecisionContext(
        by_url_key=by_url_key,
        by_text=by_text,
        aliases=aliases,
        neighbours=neighbours,
        clusters=_read_clusters(tx, neighbours, (*by_url_key.values(), *by_text.values())),
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
