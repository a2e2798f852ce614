"""Read stored data for decisions: the revisions of an article, and its page extracted with today's rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from tasks.index import outbox
from tasks.index.articles import KnownArticle
from tasks.index.database import Index
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import read_articles
from tasks.values.columns import revive
from tasks.values.page import Page
from tasks.values.rows import Article

ExtractAgain = Callable[[Sequence[Article]], Mapping[str, Page]]
"""Extracts the pages of stored rows again; returns them by `article_id`, without those that cannot be read."""

WAITING = 1000
"""The most outbox batches to search. Batches are published as soon as they are decided."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The lake, and the function that extracts its pages again."""

    store: ObjectStore
    extract_again: ExtractAgain


def read_revisions(
    known: Iterable[KnownArticle], *, archive: Archive, index: Index, all_of: Iterable[str] = ()
) -> dict[str, tuple[Article, ...]]:
    """Return the newest row of each of these articles, and all rows of `all_of` (article ids), the oldest first.

    An article whose newest row is missing is left out. Raises LakeUnavailable, IndexUnavailable.
    """
    wanted, whole = {one.article_id: one for one in known}, set(all_of)
    spans = {article_id: _days(one, is_whole=article_id in whole) for article_id, one in wanted.items()}
    found: dict[str, dict[int, Article]] = {}
    for row in read_articles(archive.store, spans):
        _keep(found, revive(Article, row))
    if any(one.revision not in found.get(article_id, {}) for article_id, one in wanted.items()):
        for article in _waiting(index):
            if article.article_id in wanted:
                _keep(found, article)
    return {
        article_id: tuple(row for _, row in sorted(rows.items()) if row.revision <= wanted[article_id].revision)
        for article_id, rows in found.items()
        if wanted[article_id].revision in rows
    }


def _keep(found: dict[str, dict[int, Article]], row: Article) -> None:
    """Keep one row per revision: the most recently extracted."""
    rows = found.setdefault(row.article_id, {})
    held = rows.get(row.revision)
    if held is None or held.extracted_at < row.extracted_at:
        rows[row.revision] = row


def _waiting(index: Index) -> Iterable[Article]:
    with index.read() as tx:
        waiting = outbox.pending(tx, limit=WAITING)
    return [row for item in waiting for row in (*item.articles, *item.changes.articles)]


def _days(known: KnownArticle, *, is_whole: bool) -> tuple[date, date]:
    """Return the first and the last day on which rows of the article may have been fetched."""
    last = known.fetched_at.astimezone(UTC).date()
    first = known.first_seen_at.astimezone(UTC).date() if is_whole and known.revision > 1 else last
    return min(first, last), last
