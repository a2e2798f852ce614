"""One article from the lake: a revision's row, and the page that it was extracted from."""

from dataclasses import dataclass
from typing import Any

from tasks.config.settings import Settings
from tasks.errors import ConfigError, ItemError, LakeUnavailable, RecordGone
from tasks.index.history import find_history, why_unknown
from tasks.lake.objects.port import MissingObject
from tasks.lake.reading import read_rows
from tasks.report.trace import first_day, read_question
from tasks.runtime.resources import index_to_read, lake_to_read
from tasks.values.display import plain, plural

MAX_PAGE_SIZE = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArticle:
    """A revision of an article: its row of the lake; `html` is its decoded page, if requested."""

    row: dict[str, Any]
    html: bytes | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain data; instants in ISO 8601."""
        return plain(self.row) or {}


def read_article(
    what: str, settings: Settings, *, revision: int | None = None, with_page: bool = False
) -> StoredArticle:
    """Look up an article by URL or id, in its latest revision unless one is given; raises ConfigError."""
    key, article_id = read_question(what)
    with index_to_read(settings) as index:
        lake = lake_to_read(settings, index)
        with index.read() as tx:
            history = find_history(tx, url_key=key, article_id=article_id)
            unknown = why_unknown(tx, key)
        if history.article is None:
            if history.frontier is None:
                raise ConfigError(f"{what} is unknown: {unknown}")
            raise ConfigError(f"{what} was announced but is not an article: see `presslake trace`")
        rows = list(read_rows(lake, "articles", url_key=history.article["url_key"], since=first_day(history)))
        row = _chosen(rows, revision, what)
        if not with_page:
            return StoredArticle(row=row)
        try:
            record = lake.get_range(row["warc_key"], row["warc_offset"], row["warc_length"])
        except MissingObject as error:
            raise LakeUnavailable(f"the page of {what} is not in the lake: {row['warc_key']}") from error
    return StoredArticle(row=row, html=_page_of(record, what))


def _chosen(rows: list[dict[str, Any]], revision: int | None, what: str) -> dict[str, Any]:
    if not rows:
        raise ConfigError(f"{what}: its article is not in the lake yet; the next sweep publishes it")
    if revision is None:
        return max(rows, key=lambda row: (row["fetched_at"], row["revision"]))
    for row in rows:
        if row["revision"] == revision:
            return row
    there = "is" if len(rows) == 1 else "are"
    raise ConfigError(f"--revision {revision}: there {there} {plural(len(rows), 'revision')} of {what}")


def _page_of(record: bytes, what: str) -> bytes:
    from tasks.lake.records import read_response  # noqa: PLC0415 - only if the page is wanted
    from tasks.web.decoding import decode_received  # noqa: PLC0415

    try:
        response = read_response(record, 0, len(record))
        coding = dict(response.headers).get("content-encoding")
        return decode_received(response.body, coding, max_size=MAX_PAGE_SIZE)
    except RecordGone as error:
        raise LakeUnavailable(f"the page of {what} is no longer kept: {error.cause}") from error
    except ItemError as error:
        raise LakeUnavailable(f"the page of {what} cannot be decoded: {error}") from error
