"""What the index knows about a URL, an article, or everything: for `trace` and `status`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from tasks.index.articles import find_aliases
from tasks.index.runs import MEND, REPLAY
from tasks.index.schema import aliases, articles, feeds, frontier, outbox, runs
from tasks.index.taken_down import read_kept_out
from tasks.values.feed import FeedKind
from tasks.values.reports import Headline


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlHistory:
    """The frontier row of a URL and its article's row, as plain mappings; either may be None."""

    frontier: dict[str, Any] | None
    article: dict[str, Any] | None


def find_history(tx: Connection, *, url_key: str | None, article_id: str | None) -> UrlHistory:
    """Look up a URL by key, or an article by id, and follow each to the other, also through an alias."""
    row, article_key = None, url_key
    if url_key is not None:
        row = tx.execute(select(frontier).where(frontier.c.url_key == url_key)).mappings().first()
        if row is not None and row["article_id"] is not None:
            article_id = row["article_id"]
        else:
            article_key = find_aliases(tx, [url_key]).get(url_key, url_key)
    wanted = or_(articles.c.article_id == article_id, articles.c.url_key == article_key)
    article = tx.execute(select(articles).where(wanted)).mappings().first()
    if row is None and article is not None:
        row = tx.execute(select(frontier).where(frontier.c.url_key == article["url_key"])).mappings().first()
    return UrlHistory(frontier=dict(row) if row else None, article=dict(article) if article else None)


def why_unknown(tx: Connection, url_key: str | None) -> str:
    """Return why nothing is known of a URL (or of an article, if only its id is given)."""
    if url_key is not None and read_kept_out(tx, is_deciding=False).has_key(url_key):
        return "it was taken down, and nothing is kept (docs/takedown.md)"
    return "no feed has announced it, and no sweep has fetched it"


def find_names(tx: Connection, article_key: str) -> list[dict[str, Any]]:
    """Return an article's aliases, by key, with their kind and when they were noted."""
    query = select(aliases).where(aliases.c.article_key == article_key).order_by(aliases.c.url_key)
    return [dict(row) for row in tx.execute(query).mappings()]


def find_cluster(tx: Connection, cluster_id: str, *, limit: int) -> list[dict[str, Any]]:
    """Return the articles of a cluster, the earliest first."""
    query = (
        select(articles)
        .where(articles.c.cluster_id == cluster_id)
        .order_by(articles.c.first_seen_at, articles.c.article_id)
    )
    return [dict(row) for row in tx.execute(query.limit(limit)).mappings()]


def find_articles(tx: Connection, article_ids: Collection[str]) -> list[dict[str, Any]]:
    """Return the known ones of these articles."""
    if not article_ids:
        return []
    query = select(articles).where(articles.c.article_id.in_(sorted(article_ids)))
    return [dict(row) for row in tx.execute(query).mappings()]


def find_newest(tx: Connection, source_ids: Collection[str], *, since: datetime, limit: int) -> list[Headline]:
    """Return the sources' titled articles first seen since then, the most recently published first."""
    told_at = func.coalesce(articles.c.published_at, articles.c.first_seen_at)
    query = (
        select(
            articles.c.title, articles.c.source_id, articles.c.url, articles.c.published_at, articles.c.first_seen_at
        )
        # an expression keeps SQLite from using the index by source and reading all articles of these sources
        .where(
            articles.c.first_seen_at >= since,
            func.coalesce(articles.c.source_id, "").in_(sorted(source_ids)),
            articles.c.title != "",
        )
        .order_by(told_at.desc(), articles.c.article_id)
    )
    return [Headline(**row) for row in tx.execute(query.limit(limit)).mappings()]


def read_sources(tx: Connection) -> list[dict[str, Any]]:
    """Return, by source, its own feeds, failing feeds, last poll, articles, and first sight of the newest."""
    polled = (
        select(
            feeds.c.source_id,
            func.count().label("feeds"),
            func.count(feeds.c.reason).label("failing"),
            func.max(feeds.c.polled_at).label("polled_at"),
        )
        .where(feeds.c.parent_url.is_(None), feeds.c.kind != FeedKind.FALLBACK)
        .group_by(feeds.c.source_id)
    )
    newest = select(
        articles.c.source_id, func.count().label("articles"), func.max(articles.c.first_seen_at).label("newest_at")
    )
    rows: dict[str, dict[str, Any]] = {}
    for query in (polled, newest.group_by(articles.c.source_id)):
        for row in tx.execute(query).mappings():
            rows.setdefault(row["source_id"], {"source_id": row["source_id"]}).update(row)
    return [rows[source_id] for source_id in sorted(rows)]


def read_runs(tx: Connection, *, limit: int) -> list[dict[str, Any]]:
    """Return the latest sweeps, the newest first. Runs of shards are part of their sweep's summary."""
    query = select(runs.c.run_id, runs.c.started_at, runs.c.ended_at, runs.c.state, runs.c.summary)
    is_sweep = ~(runs.c.run_id.startswith(REPLAY) | runs.c.run_id.startswith(MEND))
    query = query.where(runs.c.sweep_id.is_(None), is_sweep).order_by(runs.c.started_at.desc()).limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def count_unpublished(tx: Connection) -> tuple[int, datetime | None]:
    """Return the number of batches in the outbox, and when the oldest was decided."""
    number, oldest = tx.execute(select(func.count(), func.min(outbox.c.created_at))).one()
    return number, oldest
