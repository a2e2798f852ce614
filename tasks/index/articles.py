"""The articles for decisions: the known article of a URL, by its own name or another, and the other places of a text."""

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
"""Contents that are remembered a URL, the latest: a live blog has hundreds, and does not go back to its first."""

ELSEWHERE = "elsewhere"
"""The kind of an alias on another site that a redirect passed: recorded, and never believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArticle:
    """One article's newest revision (by `fetched_at`), as far as a decision needs it; `earlier_contents` are others seen at its URL.

    Each of these is a revision and its content digest, the oldest first. `content_digest` and `extractor` are None if they
    are still to be read from the lake. `last_revision` is the greatest number that a revision has or had, if that is
    not the newest's: revisions fold, and pages of archives are older. If it is, its rows say.
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
        """The number that its next revision has: one that none of its revisions ever had."""
        return max(self.revision, self.last_revision or 0) + 1

    def with_contents(self, contents: Iterable[tuple[int, str]]) -> "KnownArticle":
        """Return the article with these contents among its earlier ones."""
        earlier = sorted({*self.earlier_contents, *contents} - {(self.revision, self.content_digest)})
        return replace(self, earlier_contents=tuple(earlier[-MAX_EARLIER:]))


_CHANGING = KnownArticle.__dataclass_fields__.keys() - {"article_id", "first_seen_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another URL of an article, by their keys: a claim, not a fact.

    `how` is `redirect`, `canonical` or `elsewhere`.
    """

    url_key: str
    article_key: str
    how: str


def article_id_of(url_key: str) -> str:
    """Return the article's id: a function of its URL's identity, so that a rebuilt index gives the same ids."""
    return hashlib.sha256(url_key.encode()).hexdigest()[:32]


def find_by_url_key(tx: Connection, url_keys: Iterable[str]) -> dict[str, KnownArticle]:
    """Return the articles known at these URLs, by url_key."""
    return {
        row["url_key"]: _known(row)
        for part in _parts(url_keys)
        for row in tx.execute(select(articles).where(articles.c.url_key.in_(part))).mappings()
    }


def find_url_keys(tx: Connection, article_ids: Iterable[str]) -> dict[str, str]:
    """Return the url_key of each of these articles that is known."""
    return _find_column(tx, articles.c.url_key, article_ids)


def find_aliases(tx: Connection, url_keys: Iterable[str]) -> dict[str, str]:
    """Return for each of these URLs that is an alias the key of its article's URL."""
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
    """Write claims about URLs; the newest claim is kept, and one of `elsewhere` replaces no other."""
    several = list(claims)
    passed = {one.url_key: one for one in several if one.how == ELSEWHERE}
    claimed = {one.url_key: one for one in several if one.how != ELSEWHERE}
    for by_key, newest in ((claimed, ("article_key", "how", "noted_at")), (passed, ())):
        rows = [{**row_of(one), "noted_at": now} for _, one in sorted(by_key.items())]
        upsert(tx, aliases, rows, by=["url_key"], newest=newest)


def find_by_text(tx: Connection, text_digests: Iterable[str]) -> dict[str, KnownArticle]:
    """Return for each text digest the earliest article that has it now: a duplicate is a duplicate of that article."""
    found: dict[str, KnownArticle] = {}
    for part in _parts(text_digests):
        for one in find_where(tx, articles.c.text_digest.in_(part)):
            held = found.get(one.text_digest)
            if held is None or (one.first_seen_at, one.article_id) < (held.first_seen_at, held.article_id):
                found[one.text_digest] = one
    return found


def find_by_id(tx: Connection, article_id: str) -> KnownArticle | None:
    """Return one article, or None."""
    return next(iter(find_where(tx, articles.c.article_id == article_id)), None)


def find_clusters(tx: Connection, article_ids: Iterable[str]) -> dict[str, str]:
    """Return the cluster of each of these articles."""
    return _find_column(tx, articles.c.cluster_id, article_ids)


def find_representatives(tx: Connection, cluster_ids: Iterable[str]) -> dict[str, KnownArticle]:
    """Return the representative of each of these clusters."""
    return {
        one.cluster_id: one
        for part in _parts(cluster_ids)
        for one in find_where(tx, and_(articles.c.cluster_id.in_(part), articles.c.is_representative))
    }


def merge_clusters(tx: Connection, merged: Mapping[str, str]) -> None:
    """Move the members of each cluster to another, by cluster id; representatives are set elsewhere."""
    for loser, winner in sorted(merged.items()):
        tx.execute(update(articles).where(articles.c.cluster_id == loser).values(cluster_id=winner))


def demote(tx: Connection, article_ids: Iterable[str]) -> None:
    """Make these articles no longer represent their cluster."""
    for part in _parts(article_ids):
        tx.execute(update(articles).where(articles.c.article_id.in_(part)).values(is_representative=False))


def remember(tx: Connection, several: Iterable[tuple[Article, KnownArticle]]) -> None:
    """Write the newest state of each article, and where it is by its row, the newest if there is a choice."""
    ordered = sorted(several, key=lambda pair: pair[0].article_id)
    newest = [_values(*pair) for pair in ordered if pair[0].revision == pair[1].revision]
    others = [_values(*pair) for pair in ordered if pair[0].revision != pair[1].revision]
    upsert(tx, articles, newest, by=["article_id"], newest={*_CHANGING, "url"})
    upsert(tx, articles, others, by=["article_id"], newest=_CHANGING)


def _values(row: Article, known: KnownArticle) -> dict[str, object]:
    values = {**row_of(known), "earlier_contents": _listed(known.earlier_contents)}
    return {**values, "url_key": row.url_key, "url": row.url}


def lower_first_seen(tx: Connection, first_seen: Mapping[str, datetime]) -> None:
    """Set since when articles are known back to an earlier instant, by their ids."""
    for article_id, at in sorted(first_seen.items()):
        is_later = and_(articles.c.article_id == article_id, articles.c.first_seen_at > at)
        tx.execute(update(articles).where(is_later).values(first_seen_at=at))


def promote(tx: Connection, article_ids: Iterable[str]) -> None:
    """Let these articles represent their clusters."""
    for part in _parts(article_ids):
        tx.execute(update(articles).where(articles.c.article_id.in_(part)).values(is_representative=True))


def note_contents(tx: Connection, known: Iterable[KnownArticle]) -> None:
    """Write what was learnt of the earlier contents of these articles, and nothing else."""
    for one in sorted(known, key=attrgetter("article_id")):
        is_it = articles.c.article_id == one.article_id
        tx.execute(update(articles).where(is_it).values(earlier_contents=_listed(one.earlier_contents)))


def find_where(tx: Connection, condition: ColumnElement[bool]) -> list[KnownArticle]:
    """Return the articles that a condition holds for."""
    return [_known(row) for row in tx.execute(select(articles).where(condition)).mappings()]


def count(tx: Connection) -> int:
    """Count the articles."""
    return tx.execute(select(func.count()).select_from(articles)).scalar_one()


def _known(row: RowMapping | Mapping[str, object]) -> KnownArticle:
    values = {name: row[name] for name in KnownArticle.__dataclass_fields__}
    values["earlier_contents"] = tuple(map(tuple, row["earlier_contents"] or ()))  # type: ignore[arg-type]
    return KnownArticle(**values)  # type: ignore[arg-type]


def _listed(contents: tuple[tuple[int, str], ...]) -> list[list[object]] | None:
    return [list(one) for one in contents] or None


def _find_column(tx: Connection, column: Column[str], article_ids: Iterable[str]) -> dict[str, str]:
    """Return what a column has of each of these articles."""
    columns = select(articles.c.article_id, column)
    return {
        article_id: value
        for part in _parts(article_ids)
        for article_id, value in tx.execute(columns.where(articles.c.article_id.in_(part)))
    }


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    return in_chunks(sorted(set(values)), CHUNK)
