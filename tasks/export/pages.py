"""Read the page that an article was extracted from, from its WARC segment."""

from tasks.errors import CorruptRecord, ItemError, LakeUnavailable, RecordGone
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.values.rows import Article, Capture

MAX_PAGE_SIZE = 50_000_000


def read_page(store: ObjectStore, row: Article | Capture) -> bytes:
    """Return a page's bytes without content coding.

    Raises LakeUnavailable if the page is gone, was never stored, or cannot be decoded.
    """
    from tasks.lake.records import read_response  # noqa: PLC0415 - callers that only read rows need no WARC
    from tasks.web.decoding import decode_received  # noqa: PLC0415

    if row.warc_key is None or row.warc_offset is None or row.warc_length is None:
        raise LakeUnavailable(f"{row.url}: no response, so there is no page")
    try:
        record = store.get_range(row.warc_key, row.warc_offset, row.warc_length)
        response = read_response(record, 0, len(record))
        coding = dict(response.headers).get("content-encoding")
        return decode_received(response.body, coding, max_size=MAX_PAGE_SIZE)
    except MissingObject as error:
        raise LakeUnavailable(f"the page of {row.url} is not in the lake: {row.warc_key}") from error
    except RecordGone as error:
        raise LakeUnavailable(f"the page of {row.url} is no longer kept: {error.cause}") from error
    except (CorruptRecord, ItemError) as error:
        raise LakeUnavailable(f"the page of {row.url} cannot be read: {error}") from error
