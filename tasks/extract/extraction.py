"""The extract stage: a fetched batch's pages, read back out of its segment, into articles or into labels."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.errors import ItemError, LakeUnavailable, RightsReserved, UnexpectedError
from tasks.extract.page import StoredPage
from tasks.lake.objects.stores import MissingObject
from tasks.reasons import Disposition
from tasks.runtime.guarding import check_share
from tasks.values.batch import ExtractedBatch, FetchedBatch
from tasks.values.page import Page
from tasks.values.rows import Capture, Outcome, outcome_of


class Extractor(Protocol):
    """What turns stored pages into pages; `tasks.extract.pool` does so in processes."""

    def extract(self, pages: Iterable[StoredPage]) -> Iterator[tuple[str, Page | ItemError]]: ...


def extract_batch(
    fetched: FetchedBatch,
    *,
    pool: Extractor,
    read_segment: Callable[[str], bytes],
    now: datetime,
    extracted_one: Callable[[], None],
    options: Mapping[str, ExtractOptions] | None = None,
) -> ExtractedBatch:
    """Extract the batch's pages; what is no article is labelled. Raises LakeUnavailable, CorruptRecord.

    So is a page whose rights are reserved, where its source obeys that; its payload stays in the segment. `options` are
    those of sources that have any, by their ids.
    """
    by_id = {capture.capture_id: capture for capture in fetched.captures}
    pages: dict[str, Page] = {}
    troubles: dict[str, tuple[Disposition, str, str]] = {}
    unexpected: list[UnexpectedError] = []
    for capture_id, result in pool.extract(_stored_pages(fetched, read_segment, options or {})):
        if not isinstance(result, ItemError):
            result = _with_rights(result, by_id[capture_id], fetched.reservations)  # noqa: PLW2901 - what it comes to
        if isinstance(result, UnexpectedError):
            unexpected.append(result)
        if isinstance(result, ItemError):
            troubles[capture_id] = (result.disposition, result.counted_as, result.detail)
        elif not result.page_type.is_story:
            troubles[capture_id] = (Disposition.SKIPPED, result.page_type.value, result.title or "")
        else:
            pages[capture_id] = result
        extracted_one()
    check_share(unexpected, of=len(pages) + len(troubles), what="pages")
    dispositions = dict(fetched.dispositions)
    for capture in fetched.captures:
        if capture.capture_id in troubles:
            dispositions[capture.url_key] = troubles[capture.capture_id][0]
    return ExtractedBatch(
        fetched=fetched,
        captures=tuple(_labelled(capture, troubles.get(capture.capture_id)) for capture in fetched.captures),
        pages=pages,
        dispositions=dispositions,
        extracted_at=now,
    )


def _with_rights(page: Page, capture: Capture, reservations: Mapping[str, bool | None]) -> Page | ItemError:
    """Return the page as its site's tdmrep.json completes it, or what it is where reservations are obeyed."""
    if capture.url_key not in reservations or not page.page_type.is_story:
        return page
    if page.tdm_reserved is None:
        page = replace(page, tdm_reserved=reservations[capture.url_key])
    return RightsReserved(f"text and data mining, at {capture.final_url}") if page.tdm_reserved else page


def _stored_pages(
    fetched: FetchedBatch, read_segment: Callable[[str], bytes], options: Mapping[str, ExtractOptions]
) -> Iterator[StoredPage]:
    """Yield the captures that are pages, each with its records cut out of the segment, which is read once."""
    segments: dict[str, bytes] = {}
    for capture in fetched.captures:
        if capture.outcome is not Outcome.OK or capture.warc_key is None:
            continue
        if capture.warc_key not in segments:
            try:
                segments = {capture.warc_key: read_segment(capture.warc_key)}
            except MissingObject as error:
                raise LakeUnavailable(f"the segment {capture.warc_key} is not in the lake") from error
        segment, start = segments[capture.warc_key], capture.warc_offset or 0
        rendition = fetched.renditions.get(capture.capture_id)
        yield StoredPage(
            capture_id=capture.capture_id,
            url=capture.final_url,
            fetched_at=capture.fetched_at,
            record=segment[start : start + (capture.warc_length or 0)],
            options=options.get(capture.source_id, NO_OPTIONS),
            rendition=segment[rendition[0] : sum(rendition)] if rendition else None,
        )


def _labelled(capture: Capture, trouble: tuple[Disposition, str, str] | None) -> Capture:
    if trouble is None:
        return capture
    disposition, reason, detail = trouble
    return replace(capture, outcome=outcome_of(disposition), reason=reason, detail=detail or None)
