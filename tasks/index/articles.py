"""Known articles, for decisions: look-up by URL, alias or text, and updates of articles and clusters."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, and_, func, select, update

from tasks.index.schema import aliases, articles
from tasks.index.statements import in_chunks, row_of, upsert
from tasks.values.rows import Article

CHUNK = 400

MAX_EARLIER = 64
"""Earlier contents kept per URL, the newest: a live blog has hundreds and never returns to its first."""

ELSEWHERE = "elsewhere"
"""The kind of an alias on another site that a redirect passed through. It is recorded and never believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArticle:
    """The newest revision of an article (by `fetched_at`), reduced to what decisions need.

    `earlier_contents`: other contents seen at its URL, as (revision, content digest), the oldest first.
    `content_digest` and `extractor` are None until they are read from the lake. `last_revision`: the highest revision
    number ever used, if it is not the newest revision's own. The two differ after revisions fold, or if an archive adds
    an older page.
    """

    article_id: str
    source_id: str
    language: str | None
    title: str | None
    revision: int
    text_digest: str
    published_at: datetime | None
    first_seen_at: datetime
    fetched_at: datetime
    cluster_id: str
    duplicate_of: str | None
    is_representative: bool
    content_digest: str | None = None
    extractor: str | None = None
    earlier_contents: tuple[tuple[int, str], ...] = ()
    last_revision: int | None = None

    @property
    def next_revision(self) -> int:
        """The number of its next revision, which no earlier revision has used."""
        return max(self.revision, self.last_revision or 0) + 1

    def with_contents(self, contents: Iterable[tuple[int, str]]) -> "KnownArticle":
        """Return the article with these contents added to its earlier ones."""
        earlier = sorted({*self.earlier_contents, *contents} - {(self.revision, self.content_digest)})
        return replace(self, earlier_contents=tuple(earlier[-MAX_EARLIER:]))


_CHANGING = KnownArticle.__dataclass_fields__.keys() - {"article_id", "first_seen_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another URL of an article: a claim, not a fact. `how` is `redirect`, `canonical` or `elsewhere`."""

    url_key: str
    article_key: str
    how: str


def article_id_of(url_key: str) -> str:
    """Return the id of the article at a URL. It depends on the URL key alone, so a rebuilt index has the same ids."""
    return hashlib.sha256(url_key.encode()).hexdigest()[:32]


def find_by_url_key(tx: Connection, url_keys: Iterable[str]) -> dict[str, KnownArticle]:
    """Return the articles at these URLs, by URL key."""
    return {
        row["url_key"]: _known(row)
        for part in _parts(url_keys)
        for row in tx.execute(select(articles).where(articles.c.url_key.in_(part))).mappings()
    }


def find_url_keys(tx: Connection, article_ids: Iterable[str]) -> dict[str, str]:
    """Return the URL keys of the known ones of these articles, by article id."""
    return _find_column(tx, articles.c.url_key, article_ids)


def find_aliases(tx: Connection, url_keys: Iterable[str]) -> dict[str, str]:
    """Return the article's URL key for each of these URLs that is an alias; kind `elsewhere` is ignored."""
    return {
        row.url_key: row.article_key
        for part in _parts(url_keys)
        for row in tx.execute(
            select(aliases.c.url_key, aliases.c.article_key).where(
                aliases.c.url_key.in_(part), aliases.c.how != ELSEWHERE
            )
        )
    }


def note_aliases(tx: Connection, claims: Iterable[Alias], *, now: datetime) -> None:
    """Store claims about URLs. The newest claim wins, but `elsewhere` replaces no other claim."""
    several = list(claims)
    passed = {claim.url_key: claim for claim in several if claim.how == ELSEWHERE}
    claimed = {claim.url_key: claim for claim in several if claim.how != ELSEWHERE}
    for by_key, newest in ((claimed, ("article_key", "how", "noted_at")), (passed, ())):
        rows = [{**row_of(claim), "noted_at": now} for _, claim in sorted(by_key.items())]
        upsert(tx, aliases, rows, by=["url_key"], newest=newest)


def find_by_text(tx: Connection, text_digests: Iterable[str]) -> dict[str, KnownArticle]:
    """Return the earliest article that has each text digest now. Duplicates refer to that article."""
    found: dict[str, KnownArticle] = {}
    for part in _parts(text_digests):
        for article in find_where(tx, articles.c.text_digest.in_(part)):
            known = found.get(article.text_digest)
            if known is None or (article.first_seen_at, article.article_id) < (known.first_seen_at, known.article_id):
                found[article.text_digest] = article
    return found


def find_by_id(tx: Connection, article_id: str) -> KnownArticle | None:
    """Return one article, or None."""
    return next(iter(find_where(tx, articles.c.article_id == article_id)), None)


def find_clusters(tx: Connection, article_ids: Iterable[str]) -> dict[str, str]:
    """Return the cluster ids of these articles, by article id."""
    return _find_column(tx, articles.c.cluster_id, article_ids)


def find_representatives(tx: Connection, cluster_ids: Iterable[str]) -> dict[str, KnownArticle]:
    """Return the representatives of these clusters, by cluster id."""
    return {
        article.cluster_id: article
        for part in _parts(cluster_ids)
        for article in find_where(tx, and_(articles.c.cluster_id.in_(part), articles.c.is_representative))
    }


def merge_clusters(tx: Connection, merged: Mapping[str, str]) -> None:
    """Move the members of each cluster into another (loser to winner). Does not change representatives."""
    for loser, winner in sorted(merged.items()):
        tx.execute(update(articles).where(articles.c.cluster_id == loser).values(cluster_id=winner))


def demote(tx: Connection, article_ids: Iterable[str]) -> None:
    """Clear the representative flag of these articles."""
    for part in _parts(article_ids):
        tx.execute(update(articles).where(articles.c.article_id.in_(part)).values(is_representative=False))


def remember(tx: Connection, several: Iterable[tuple[Article, KnownArticle]]) -> None:
    """Store the newest state of each article. Its URL is updated only from the row of its newest revision."""
    ordered = sorted(several, key=lambda pair: pair[0].article_id)
    newest = [_values(*pair) for pair in ordered if pair[0].revision == pair[1].revision]
    others = [_values(*pair) for pair in ordered if pair[0].revision != pair[1].revision]
    upsert(tx, articles, newest, by=["article_id"], newest={*_CHANGING, "url"})
    upsert(tx, articles, others, by=["article_id"], newest=_CHANGING)


def _values(row: Article, known: KnownArticle) -> dict[str, object]:
    values = {**row_of(known), "earlier_contents": _listed(known.earlier_contents)}
    return {**values, "url_key": row.url_key, "url": row.url}


def lower_first_seen(tx: Connection, first_seen: Mapping[str, datetime]) -> None:
    """Lower the `first_seen_at` of articles, by id. Never raises it."""
    for article_id, at in sorted(first_seen.items()):
        is_later = and_(articles.c.article_id == article_id, articles.c.first_seen_at > at)
        tx.execute(update(articles).where(is_later).values(first_seen_at=at))


def promote(tx: Connection, article_ids: Iterable[str]) -> None:
    """Make these articles the representatives of their clusters."""
    for part in _parts(article_ids):
        tx.execute(update(articles).where(articles.c.article_id.in_(part)).values(is_representative=True))


def note_contents(tx: Connection, known: Iterable[KnownArticle]) -> None:
    """Store the earlier contents of these articles and nothing else."""
    for article in sorted(known, key=attrgetter("article_id")):
        is_it = articles.c.article_id == article.article_id
        tx.execute(update(articles).where(is_it).values(earlier_contents=_listed(article.earlier_contents)))


def find_where(tx: Connection, condition: ColumnElement[bool]) -> list[KnownArticle]:
    """Return the articles that match a condition."""
    return [_known(row) for row in tx.execute(select(articles).where(condition)).mappings()]


def count(tx: Connection) -> int:
    """Return the number of articles."""
    return tx.execute(select(func.count()).select_from(articles)).scalar_one()


def _known(row: RowMapping | Mapping[str, object]) -> KnownArticle:
    values = {name: row[name] for name in KnownArticle.__dataclass_fields__}
    values["earlier_contents"] = tuple(map(tuple, row["earlier_contents"] or ()))  # type: ignore[arg-type]
    return KnownArticle(**values)  # type: ignore[arg-type]


def _listed(contents: tuple[tuple[int, str], ...]) -> list[list[object]] | None:
    return [list(content) for content in contents] or None


def _find_column(tx: Connection, column: Column[str], article_ids: Iterable[str]) -> dict[str, str]:
    """Return one column's values for these articles, by article id."""
    columns = select(articles.c.article_id, column)
    return {
        article_id: value
        for part in _parts(article_ids)
        for article_id, value in tx.execute(columns.where(articles.c.article_id.in_(part)))
    }


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    return in_chunks(sorted(set(values)), CHUNK)
