"""Extract one unit's pages, on any machine: put the unit's segment in its final place, and its pages into scratch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.backfill.choosing import is_in_language
from tasks.backfill.units import CUT, PAGES, SEGMENT, UnitPage, decode, encode, keep_pages
from tasks.extract.extraction import Extractor, extract_batch
from tasks.extract.refused import without_refused
from tasks.lake.keys import scratch_key
from tasks.lake.objects.stores import ObjectStore
from tasks.values.look import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCount:
    """A worker's counts for a unit: articles, and pages left out for their language."""

    number: int
    articles: int
    others: int


def extract_unit(
    job_id: str,
    number: int,
    *,
    store: ObjectStore,
    pool: Extractor,
    now: datetime,
    extracted_one: Callable[[], None] = lambda: None,
) -> UnitCount:
    """Extract a unit's pages and put its segment in its final place.

    Idempotent. Raises LakeUnavailable, CorruptRecord, TooManyUnexpected.
    """
    cut = decode(store.get(scratch_key(job_id, number, CUT)))
    segment = store.get(scratch_key(job_id, number, SEGMENT))
    extracted = extract_batch(
        cut.batch(),
        pool=pool,
        read_segment=lambda _: segment,
        now=now,
        extracted_one=extracted_one,
        options=cut.options,
    )
    segment = without_refused(segment, extracted.looks)
    pages = tuple(_with_page(one, look) for one, look in zip(cut.pages, extracted.looks, strict=True))
    wanted = pages
    if cut.languages:
        wanted = tuple(one for one in pages if one.page and is_in_language(one.page.language, cut.languages))
        segment, wanted = keep_pages(segment, wanted)
    if wanted:
        store.put(str(wanted[0].capture.warc_key), segment, content_type="application/warc")
    others = len(pages) - len(wanted)
    done = replace(cut, pages=wanted, extracted_at=now, others=others)
    store.put(scratch_key(job_id, number, PAGES), encode(done), content_type="application/json")
    return UnitCount(number=number, articles=sum(one.page is not None for one in wanted), others=others)


def _with_page(one: UnitPage, look: Look) -> UnitPage:
    return replace(one, capture=look.captured, page=look.page, disposition=look.disposition)
