"""The extract stage: turn a fetched batch's pages, read from its segment, into articles or labels."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Protocol

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.errors import ItemError, LakeUnavailable, RightsRefused, RightsReserved, UnexpectedError
from tasks.extract.stored_page import NamedPage, StoredPage
from tasks.lake.objects.stores import MissingObject
from tasks.politeness.rights.mapping import exclusion, site_reserves
from tasks.reasons import Disposition
from tasks.runtime.guarding import check_share
from tasks.values.batch import Batch
from tasks.values.look import Look
from tasks.values.page import Page
from tasks.values.rows import Outcome
from tasks.values.truncation import is_truncated


class Extractor(Protocol):
    """Extracts stored pages; `tasks.extract.pool` does so in worker processes."""

    def extract(self, pages: Iterable[NamedPage]) -> Iterator[tuple[str, Page | ItemError]]: ...


class Sliced(Protocol):
    """Anything that can be sliced like `bytes`."""

    def __getitem__(self, part: slice, /) -> bytes: ...


def extract_batch(
    batch: Batch,
    *,
    pool: Extractor,
    read_segment: Callable[[str], Sliced],
    now: datetime,
    extracted_one: Callable[[], None],
    options: Mapping[str, ExtractOptions] | None = None,
) -> Batch:
    """Extract the batch's pages; those that are not articles are labelled.

    Raises LakeUnavailable, CorruptRecord. Pages with reserved rights are labelled too, if their source obeys that;
    their payload stays in the segment. `options` are the extraction options by source id.
    """
    results: dict[str, Page | ItemError] = {}  # the pool returns results in its own order
    for capture_id, result in pool.extract(_stored_pages(batch.captured, read_segment, options or {})):
        results[capture_id] = result
        extracted_one()
    unexpected = [result for result in results.values() if isinstance(result, UnexpectedError)]
    check_share(unexpected, of=len(results), what="pages")
    return replace(batch, looks=tuple(_extracted(look, results, now=now) for look in batch.looks))


def _extracted(look: Look, results: Mapping[str, Page | ItemError], *, now: datetime) -> Look:
    """Return a look with its page or label; a look without a fetched page is returned unchanged."""
    result = results.get(look.capture.capture_id) if look.capture else None
    if result is None:
        return look
    if not isinstance(result, ItemError):
        result = _allowed(_with_rights(result, look), look)
    if isinstance(result, ItemError):
        return look.labelled(result)
    if not result.page_type.is_story:
        return look.refused(Disposition.SKIPPED, reason=result.page_type.value, detail=result.title)
    return replace(look, page=result, extracted_at=now)


def _allowed(page: Page | ItemError, look: Look) -> Page | ItemError:
    """Return the page, or the error that it may not be kept, if its own signals refuse and that is obeyed."""
    if isinstance(page, ItemError):
        return page
    excluded = exclusion((*look.rights, *page.rights), look.obeyed)
    return page if excluded is None else RightsRefused(f"{excluded}, at {look.captured.final_url}")


def _with_rights(page: Page, look: Look) -> Page | ItemError:
    """Return the page with the reservations of its site's tdmrep.json, or an error if rights are reserved and that is obeyed."""
    if page.tdm_reserved is None:
        page = replace(page, tdm_reserved=site_reserves(look.rights))
    if look.obeyed.obeys_tdm and page.page_type.is_story and page.tdm_reserved:
        return RightsReserved(f"text and data mining rights reserved at {look.captured.final_url}")
    return page


def _stored_pages(
    looks: Iterable[Look], read_segment: Callable[[str], Sliced], options: Mapping[str, ExtractOptions]
) -> Iterator[NamedPage]:
    """Yield the captures that are pages, with their records from the segment, in the segment's order."""
    pages = [look for look in looks if look.captured.outcome is Outcome.OK and look.captured.warc_key]
    pages.sort(key=lambda look: (look.captured.warc_key, look.captured.warc_offset or 0))
    for key, group in groupby(pages, lambda look: look.captured.warc_key or ""):
        together = list(group)
        try:
            segment = read_segment(key)
            # renditions come after all responses, so each kind is read in its own order
            rendered = read_segment(key) if any(look.rendition for look in together) else segment
            for look in together:
                yield look.captured.final_url, _stored_page(look, segment, rendered, options)
        except MissingObject as error:
            raise LakeUnavailable(f"the segment {key} is not in the lake") from error


def _stored_page(look: Look, segment: Sliced, rendered: Sliced, options: Mapping[str, ExtractOptions]) -> StoredPage:
    capture = look.captured
    start = capture.warc_offset or 0
    return StoredPage(
        capture_id=capture.capture_id,
        fetched_at=capture.fetched_at,
        record=segment[start : start + (capture.warc_length or 0)],
        options=options.get(capture.source_id, NO_OPTIONS),
        is_truncated=is_truncated(capture.detail),
        rendition=rendered[look.rendition[0] : sum(look.rendition)] if look.rendition else None,
    )
