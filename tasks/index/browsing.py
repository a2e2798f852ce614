"""Lists of articles, stories and failures for people, the newest first.

Articles are ordered by their time of publication, or by first sight if that is unknown or in the future. Every list
uses a database index and a limit, so none scans a whole table. All functions run in the caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, literal_column, or_, select, tuple_, union_all

from tasks.index.column_types import Instant
from tasks.index.figures import source_arrivals, source_tallies
from tasks.index.health import HOURS, TallyKind
from tasks.index.schema import SHOWN_AT, articles, feeds, frontier, runs
from tasks.values.rows import Outcome

NO_PAGE = (Outcome.FAILED.value, Outcome.QUARANTINED.value, Outcome.SKIPPED.value)
"""Outcomes of looks that yielded no page."""

FEW_SOURCES = 8
"""Up to this many sources are queried one by one with the index by source. More are filtered from the list of all."""

_shown_at: ColumnElement[datetime] = literal_column(SHOWN_AT, Instant())
_LISTED = ("article_id", "url", "source_id", "language", "title", "revision", "published_at", "first_seen_at", "fetched_at",
           "cluster_id", "duplicate_of", "is_representative")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedArticle:
    """An article as a row of a list. `shown_at`: its sort key. `copies`: number of articles in its story."""

    article_id: str
    url: str
    source_id: str
    language: str | None
    title: str | None
    revision: int
    published_at: datetime | None
    first_seen_at: datetime
    fetched_at: datetime
    cluster_id: str
    duplicate_of: str | None
    is_representative: bool
    shown_at: datetime
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cursor in a list of articles: the last one shown."""

    shown_at: datetime
    article_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFilter:
    """Which articles to list. `sources` None means all; the time is [`since`, `until`)."""

    sources: frozenset[str] | None = None
    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStory:
    """A story of several articles, with the times of its first and its newest article."""

    cluster_id: str
    articles: int
    sources: int
    first_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPage:
    """A URL whose last look yielded no page, and why."""

    url: str
    source_id: str
    state: str
    outcome: str
    reason: str
    attempts: int
    captured_at: datetime | None
    due_at: datetime | None
    announced_title: str | None


def find_listed(tx: Connection, wanted: ArticleFilter, *, before: Place | None, limit: int) -> list[ListedArticle]:
    """Return the newest articles that match the filter, starting after the cursor `before`."""
    if wanted.sources is not None and len(wanted.sources) <= FEW_SOURCES:
        parts = [
            _newest(wanted, before, limit).where(articles.c.source_id == source_id)
            for source_id in sorted(wanted.sources)
        ]
        if not parts:
            return []
        found = union_all(*(select(part.subquery()) for part in parts)).subquery()
        query = select(found).order_by(found.c.shown_at.desc(), found.c.article_id.desc()).limit(limit)
    else:
        query = _newest(wanted, before, limit)
        if wanted.sources is not None:
            # an expression keeps SQLite from using the index by source and sorting all articles of these sources
            query = query.where(func.coalesce(articles.c.source_id, "").in_(sorted(wanted.sources)))
    return _listed(tx, query)


def find_members(tx: Connection, cluster_id: str, *, limit: int) -> list[ListedArticle]:
    """Return the articles of a story, the earliest first."""
    query = _columns().where(articles.c.cluster_id == cluster_id).order_by(_shown_at, articles.c.article_id)
    return _listed(tx, query.limit(limit))


def find_listed_by_id(tx: Connection, article_ids: Collection[str]) -> dict[str, ListedArticle]:
    """Return the known ones of these articles, by id."""
    if not article_ids:
        return {}
    query = _columns().where(articles.c.article_id.in_(sorted(set(article_ids))))
    return {article.article_id: article for article in _listed(tx, query)}


def find_stories(tx: Connection, *, since: datetime, until: datetime, limit: int) -> list[ListedStory]:
    """Return the stories repeated within [`since`, `until`), with all their articles, those with most sources first."""
    number, sources = func.count(), func.count(articles.c.source_id.distinct())
    # only repeats are not representative, so this condition discards most articles of the period at once
    again = select(articles.c.cluster_id).where(
        _shown_at >= _bound(since), _shown_at < _bound(until), articles.c.is_representative.is_(False)
    )
    query = (
        select(
            articles.c.cluster_id,
            number.label("articles"),
            sources.label("sources"),
            func.min(_shown_at).label("first_at"),
            func.max(_shown_at).label("newest_at"),
        )
        .where(articles.c.cluster_id.in_(again))
        .group_by(articles.c.cluster_id)
        .having(number > 1)
        .order_by(sources.desc(), number.desc(), func.max(_shown_at).desc(), articles.c.cluster_id)
    )
    return [ListedStory(**row) for row in tx.execute(query.limit(limit)).mappings()]


def find_heads(tx: Connection, cluster_ids: Collection[str]) -> dict[str, ListedArticle]:
    """Return the earliest article of each of these stories, by cluster id."""
    if not cluster_ids:
        return {}
    query = _columns().where(articles.c.cluster_id.in_(sorted(cluster_ids))).order_by(_shown_at, articles.c.article_id)
    found: dict[str, ListedArticle] = {}
    for row in tx.execute(query).mappings():
        found.setdefault(row["cluster_id"], ListedArticle(**row))
    return found


def newest_at(tx: Connection) -> datetime | None:
    """Return the sort key of the newest article, or None if there is none."""
    return tx.execute(
        select(_shown_at).select_from(articles).order_by(_shown_at.desc(), articles.c.article_id.desc()).limit(1)
    ).scalar()


def find_languages(tx: Connection) -> list[str]:
    """Return the languages of the newest 2,000 articles, the most frequent first; all would need a full scan."""
    newest = select(articles.c.language).order_by(_shown_at.desc(), articles.c.article_id.desc()).limit(2000).subquery()
    query = select(newest.c.language).where(newest.c.language.is_not(None)).group_by(newest.c.language)
    return list(tx.execute(query.order_by(func.count().desc(), newest.c.language)).scalars())


def find_no_pages(
    tx: Connection, *, source_id: str | None, reasons: Collection[str] | None, limit: int
) -> list[NoPage]:
    """Return the URLs whose last look yielded no page, the newest look first."""
    names = NoPage.__dataclass_fields__
    query = select(*(frontier.c[name] for name in names)).where(
        frontier.c.reason.is_not(None), frontier.c.outcome.in_(NO_PAGE)
    )
    if source_id is not None:
        query = query.where(frontier.c.source_id == source_id)
    if reasons is not None:
        query = query.where(frontier.c.reason.in_(sorted(reasons)))
    query = query.order_by(frontier.c.captured_at.desc(), frontier.c.url_key).limit(limit)
    return [NoPage(**row) for row in tx.execute(query).mappings()]


def find_feeds_of(tx: Connection, source_id: str, *, limit: int) -> list[dict[str, Any]]:
    """Return a source's feeds, the failing ones first."""
    names = ("feed_url", "kind", "polled_at", "due_at", "failures", "reason", "entries", "interval_s", "parent_url")
    query = select(*(feeds.c[name] for name in names)).where(feeds.c.source_id == source_id)
    query = query.order_by(feeds.c.failures.desc(), feeds.c.parent_url.is_not(None), feeds.c.feed_url)
    return [dict(row) for row in tx.execute(query.limit(limit)).mappings()]


def find_failing_feeds(tx: Connection, *, limit: int) -> list[dict[str, Any]]:
    """Return the feeds whose last poll failed, those with most consecutive failures first."""
    names = ("feed_url", "source_id", "kind", "polled_at", "due_at", "failures", "reason")
    query = select(*(feeds.c[name] for name in names)).where(feeds.c.reason.is_not(None))
    query = query.order_by(feeds.c.failures.desc(), feeds.c.polled_at.desc(), feeds.c.feed_url)
    return [dict(row) for row in tx.execute(query.limit(limit)).mappings()]


def count_by_day(tx: Connection, sources: Collection[str] | None, *, since: date) -> dict[date, int]:
    """Return the number of articles a day that these sources (None: all) published since then, within retention."""
    known = source_arrivals.c
    number = func.sum(sum((known[hour] for hour in HOURS[1:]), start=known[HOURS[0]]))
    query = select(known.day, number).where(known.day >= since.isoformat()).group_by(known.day)
    if sources is not None:
        query = query.where(known.source_id.in_(sorted(sources)))
    return {date.fromisoformat(day): count for day, count in tx.execute(query)}


def count_looks(tx: Connection, source_id: str | None, *, since: date) -> list[tuple[str, str, int]]:
    """Return the looks of a source (None: all) since that day, as (source, result, number)."""
    known = source_tallies.c
    query = select(known.source_id, known.what, func.sum(known.number)).where(
        known.kind == TallyKind.LOOK, known.day >= since.isoformat()
    )
    if source_id is not None:
        query = query.where(known.source_id == source_id)
    return [(source, what, number) for source, what, number in tx.execute(query.group_by(known.source_id, known.what))]


def last_run_at(tx: Connection) -> datetime | None:
    """Return when the last run began, or None before the first run."""
    return tx.execute(select(runs.c.started_at).order_by(runs.c.started_at.desc()).limit(1)).scalar()


def _columns() -> Select[Any]:
    return select(*(articles.c[name] for name in _LISTED), _shown_at.label("shown_at"))


def _newest(wanted: ArticleFilter, before: Place | None, limit: int) -> Select[Any]:
    query = _columns()
    if wanted.language is not None:
        # `en` includes `en-GB`
        is_it = or_(
            articles.c.language == wanted.language,
            articles.c.language.startswith(f"{wanted.language}-", autoescape=True),
        )
        query = query.where(is_it)
    if wanted.since is not None:
        query = query.where(_shown_at >= _bound(wanted.since))
    if wanted.until is not None:
        query = query.where(_shown_at < _bound(wanted.until))
    if before is not None:
        place = tuple_(_bound(before.shown_at), literal(before.article_id))
        query = query.where(tuple_(_shown_at, articles.c.article_id) < place)
    return query.order_by(_shown_at.desc(), articles.c.article_id.desc()).limit(limit)


def _bound(at: datetime) -> ColumnElement[datetime]:
    return literal(at, Instant())


def _listed(tx: Connection, query: Any) -> list[ListedArticle]:  # noqa: ANN401 - a select or a union
    rows = [dict(row) for row in tx.execute(query).mappings()]
    sizes = _sizes(tx, {row["cluster_id"] for row in rows})
    return [ListedArticle(**row, copies=sizes.get(row["cluster_id"], 1)) for row in rows]


def _sizes(tx: Connection, cluster_ids: Iterable[str]) -> Mapping[str, int]:
    ids = sorted(cluster_ids)
    if not ids:
        return {}
    query = select(articles.c.cluster_id, func.count()).where(articles.c.cluster_id.in_(ids))
    return dict(tx.execute(query.group_by(articles.c.cluster_id)).tuples().all())
