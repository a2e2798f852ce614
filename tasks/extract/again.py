"""Extract stored pages again with today's rules, to compare a new look with a row that other rules made."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.errors import CorruptRecord, ItemError
from tasks.extract.extraction import Extractor
from tasks.extract.stored_page import NamedPage, StoredPage
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.records import iter_records, read_response
from tasks.values.page import Page
from tasks.values.rows import Article


def extract_again(
    rows: Sequence[Article],
    *,
    pool: Extractor,
    store: ObjectStore,
    options: Mapping[str, ExtractOptions],
    rendered: Collection[str] = (),
) -> dict[str, Page]:
    """Return the pages of stored rows by `article_id`. Raises LakeUnavailable.

    `rendered` are the sources whose rendered pages are used. Pages that are unreadable, or not a story by today's
    rules, are left out.
    """
    stored = [
        page
        for row in rows
        for page in _stored(row, store, options.get(row.source_id, NO_OPTIONS), is_rendered=row.source_id in rendered)
    ]
    found = pool.extract(stored)
    return {name: page for name, page in found if not isinstance(page, ItemError) and page.page_type.is_story}


def _stored(row: Article, store: ObjectStore, options: ExtractOptions, *, is_rendered: bool) -> Iterator[NamedPage]:
    """Yield the page of a row, if it is still in the lake and undamaged."""
    try:
        record = store.get_range(row.warc_key, row.warc_offset, row.warc_length)
        url = read_response(record, 0, len(record)).url
        rendition = _find_rendition(store.get(row.warc_key), row, url) if is_rendered else None
    except (MissingObject, CorruptRecord, ValueError):
        return
    yield (
        url,
        StoredPage(
            capture_id=row.article_id,
            fetched_at=row.fetched_at,
            record=record,
            options=options,
            rendition=rendition,
        ),
    )


def _find_rendition(segment: bytes, row: Article, url: str) -> bytes | None:
    """Return the record with the rendered page, which comes after the fetched ones; None if there is none."""
    for record in iter_records(segment):
        if record.offset > row.warc_offset and record.conversion is not None and record.url == url:
            return segment[record.offset : record.offset + record.length]
    return None
