"""Leave out rows of a decided batch that Parquet refuses, and quarantine their captures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasks.errors import UnexpectedError
from tasks.index.outbox import OutboxItem
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.tables import Row, parquet
from tasks.runtime.guarding import check_share, store_rows
from tasks.values.rows import Capture, Outcome


def without_unstorable(item: OutboxItem) -> tuple[OutboxItem, tuple[tuple[int, Capture], ...]]:
    """Return the publishable part of the batch, and the captures that get only a document, with their positions.

    The capture of an article that is left out stays, as quarantined. Raises TooManyUnexpected for too many such rows.
    """
    articles = store_rows(item.articles, lambda part: _try(ARTICLES, part))
    captures = store_rows(item.captures, lambda part: _try(CAPTURES, part))
    errors = [error for _, error in (*articles, *captures)]
    check_share(errors, of=len(item.articles) + len(item.captures), what=f"rows of batch {item.batch_id}")
    bad_articles: dict[tuple[str, int | None], UnexpectedError] = {
        (row.url_key, row.warc_offset): error for row, error in articles
    }
    bad_captures = {row.capture_id: error for row, error in captures}
    labelled = [(place, _labelled(row, bad_articles, bad_captures)) for place, row in enumerate(item.captures)]
    kept = replace(
        item,
        articles=tuple(row for row in item.articles if (row.url_key, row.warc_offset) not in bad_articles),
        captures=tuple(row for _, row in labelled if row.capture_id not in bad_captures),
    )
    return kept, tuple((place, row) for place, row in labelled if row.capture_id in bad_captures)


def _try(name: str, rows: Sequence[Row]) -> None:
    parquet(name, rows)


def _labelled(
    row: Capture,
    bad_articles: Mapping[tuple[str, int | None], UnexpectedError],
    bad_captures: Mapping[str, UnexpectedError],
) -> Capture:
    error = bad_captures.get(row.capture_id) or bad_articles.get((row.url_key, row.warc_offset))
    if error is None:
        return row
    return replace(
        row,
        outcome=Outcome.QUARANTINED,
        reason=error.counted_as,
        detail=error.detail,
        novelty=None,
        article_id=None,
        revision=None,
    )
