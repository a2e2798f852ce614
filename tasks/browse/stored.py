"""The stored page of a revision, from its WARC record, made inert in a process that can be killed."""

from dataclasses import dataclass

from tasks.browse.articles import NotFound, known_article
from tasks.browse.inert import make_inert
from tasks.browse.library import Library, Row
from tasks.errors import CorruptRecord, ExtractorCrashed, ExtractorTimedOut, ItemError, RecordGone
from tasks.lake.objects.stores import MissingObject
from tasks.lake.records import read_response
from tasks.runtime.workers import Job
from tasks.web.decoding import decode_received

MAX_PAGE_SIZE = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """A page's body as received, without content coding, and its media type."""

    url: str
    body: bytes
    content_type: str | None


def stored_body(library: Library, article_id: str, revision: int) -> StoredBody:
    """Return a revision's page; raises NotFound if it is no longer stored, and LakeUnavailable."""
    with library.index() as tx:
        known = known_article(tx, article_id)
    row = _row(library.revisions(known), revision)
    try:
        record = library.store.get_range(row["warc_key"], row["warc_offset"], row["warc_length"])
        response = read_response(record, 0, len(record))
        headers = dict(response.headers)
        body = decode_received(response.body, headers.get("content-encoding"), max_size=MAX_PAGE_SIZE)
    except MissingObject as error:
        raise NotFound("its page is no longer in the lake") from error
    except RecordGone as error:
        raise NotFound(f"its page is gone: {error.cause.replace('_', ' ')}") from error
    except (CorruptRecord, ItemError) as error:
        raise NotFound("its page cannot be read: `presslake verify` says why") from error
    return StoredBody(url=row["url"], body=body, content_type=headers.get("content-type"))


def inert_job(page: StoredBody) -> Job[bytes]:
    """Return the job of making a page inert."""
    return Job(make_inert, (page.body, page.content_type), page.url, ExtractorCrashed, ExtractorTimedOut)


def _row(rows: list[Row], revision: int) -> Row:
    for row in rows:
        if row["revision"] == revision and row["warc_key"]:
            return row
    raise NotFound("no such revision")
