"""Units: consecutive pages of the archives with a segment of their own, kept in the lake until they are decided.

A worker gets a unit's number and reads the rest from `scratch/`: the segment, and the data of each page. It puts the
segment in its final place, and the extracted pages into `scratch/`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import PydanticSerializationError

from tasks.backfill.exchanges import ArchivedPage
from tasks.config.options import ExtractOptions
from tasks.index.announcing import Announcement
from tasks.lake.keys import scratch_key, warc_key
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.records import iter_records
from tasks.lake.warc import SegmentWriter
from tasks.reasons import Disposition
from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.page import Page
from tasks.values.rights import NO_OBEDIENCE, Obedience
from tasks.values.rows import Capture, Outcome
from tasks.values.text.storable import storable_text
from tasks.values.truncation import truncated_detail
from tasks.values.url import Url

MAX_SEGMENT_SIZE = 32 * 1024 * 1024
"""Bytes at which a unit is closed even with fewer pages, since it is held in memory."""

SEGMENT, CUT, PAGES = "warc.gz", "cut.json", "pages.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """One page of a unit: as read from the archive, and as extracted."""

    capture: Capture
    obeyed: Obedience = NO_OBEDIENCE
    page: Page | None = None
    disposition: Disposition | None = None

    def look(self, extracted_at: datetime | None) -> Look:
        """Return it as a look that was fetched and, at that time, extracted."""
        url = Url.of(self.capture.url)
        due = DueUrl(
            url=url, url_key=self.capture.url_key, host=url.host, source_id=self.capture.source_id, attempt=1
        )  # fmt: skip
        return Look(
            due=due,
            capture=self.capture,
            obeyed=self.obeyed,
            page=self.page,
            disposition=self.disposition,
            extracted_at=extracted_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitContent:
    """The pages of a unit, and the parameters of their extraction: options by source, and the wanted languages."""

    batch_id: str
    run_id: str
    pages: tuple[UnitPage, ...]
    options: Mapping[str, ExtractOptions] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    extracted_at: datetime | None = None
    others: int = 0

    def batch(self) -> Batch:
        """Return it as a batch of looks."""
        return Batch(
            batch_id=self.batch_id, run_id=self.run_id, looks=tuple(one.look(self.extracted_at) for one in self.pages)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CutUnit:
    """A unit as cut from the archives, with its segment's bytes."""

    content: UnitContent
    segment: bytes


class UnitCutter:
    """Collects pages into units. The result is deterministic, down to the bytes."""

    def __init__(
        self, *, seed: str, run_id: str, software: str, pages: int, options: Mapping[str, ExtractOptions],
        languages: tuple[str, ...],
    ) -> None:  # fmt: skip
        self._seed, self._run_id, self._software = seed, run_id, software
        self._most, self._options, self._languages = pages, options, languages
        self._pages: list[UnitPage] = []
        self._ids = set[str]()
        self._batch_id = ""
        self._segment: SegmentWriter | None = None

    def add(self, page: ArchivedPage, whose: Announcement, *, source_id: str, origin: str, obeyed: Obedience) -> None:
        """Add a page to the current unit; raises BadUrl and BadResponse, and then adds nothing."""
        segment = self._segment or self._begin(page)
        ref = segment.add_exchange(
            url=page.url, request_head=b"", response_head=page.head, body=page.body, fetched_at=page.fetched_at,
            address=page.address,
        )  # fmt: skip
        capture = Capture(
            capture_id=page.capture_id,
            source_id=source_id,
            url=str(whose.url),
            final_url=page.url,
            url_key=whose.url_key,
            fetched_at=page.fetched_at,
            status=200,
            mime=page.mime,
            charset=None,
            payload_digest=ref.payload_digest,
            payload_size=len(page.body),
            outcome=Outcome.OK,
            reason=None,
            detail=truncated_detail(page.missing) if page.missing else None,
            novelty=None,
            article_id=None,
            revision=None,
            warc_key=self._key,
            warc_offset=ref.offset,
            warc_length=ref.length,
            etag=page.etag,
            last_modified=page.last_modified,
            elapsed_ms=0,
            attempt=1,
            run_id=self._run_id,
            origin_uri=origin,
            origin_offset=page.offset,
        )
        self._pages.append(UnitPage(capture=capture, obeyed=obeyed))
        self._ids.add(page.capture_id)

    def has(self, capture_id: str) -> bool:
        """Whether the current unit has a capture."""
        return capture_id in self._ids

    @property
    def is_full(self) -> bool:
        """Whether the current unit has reached a limit."""
        size = self._segment.size if self._segment else 0
        return len(self._pages) >= self._most or size >= MAX_SEGMENT_SIZE

    def close(self) -> CutUnit | None:
        """Return the current unit and begin another; None if it has no page."""
        segment, pages = self._segment, tuple(self._pages)
        self._segment, self._pages, self._ids = None, [], set()
        if segment is None or not pages:
            return None
        sources = {one.capture.source_id for one in pages}
        content = UnitContent(
            batch_id=self._batch_id,
            run_id=self._run_id,
            pages=pages,
            options={name: one for name, one in self._options.items() if name in sources},
            languages=self._languages,
        )
        return CutUnit(content=content, segment=segment.to_bytes())

    def _begin(self, first: ArchivedPage) -> SegmentWriter:
        named = hashlib.sha256(f"{self._seed}\n{first.capture_id}".encode()).hexdigest()[:24]
        self._batch_id = f"backfill-{named}"
        self._key = warc_key(self._batch_id, first.fetched_at.date())
        self._segment = SegmentWriter(self._key, software=self._software, created_at=first.fetched_at)
        return self._segment


def put_cut(store: ObjectStore, job_id: str, number: int, unit: CutUnit) -> None:
    """Keep a unit until a worker extracts it; raises LakeUnavailable."""
    store.put(scratch_key(job_id, number, SEGMENT), unit.segment, content_type="application/warc")
    store.put(scratch_key(job_id, number, CUT), encode(unit.content), content_type="application/json")


def encode(content: UnitContent) -> bytes:
    """Return a unit's content as JSON, without characters that UTF-8 cannot encode."""
    try:
        return _adapter().dump_json((content,))
    except PydanticSerializationError:  # unpaired surrogates from escapes in a page
        return _adapter().dump_json((replace(content, pages=tuple(map(_storable, content.pages))),))


def decode(body: bytes) -> UnitContent:
    """Return the content that `encode` encoded."""
    (content,) = _adapter().validate_json(body)
    return content


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[tuple[UnitContent]]:
    # a tuple, since a dataclass alone takes no configuration here
    return TypeAdapter(tuple[UnitContent], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))


def _storable(one: UnitPage) -> UnitPage:
    capture = replace(one.capture, **_clean(one.capture))
    page = replace(one.page, **_clean(one.page)) if one.page else None
    return replace(one, capture=capture, page=page)


def _clean(value: Capture | Page) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name in value.__dataclass_fields__:
        held = getattr(value, name)
        if type(held) is str:
            changed[name] = storable_text(held)
        elif isinstance(held, tuple):
            changed[name] = tuple(storable_text(one) if isinstance(one, str) else one for one in held)
    return changed


def keep_pages(segment: bytes, pages: Iterable[UnitPage]) -> tuple[bytes, tuple[UnitPage, ...]]:
    """Return a segment with only the records of these pages, and the pages with their offsets in it."""
    parts, moved = [segment[: _first_length(segment)]], []
    at = len(parts[0])
    for one in pages:
        start, length = one.capture.warc_offset or 0, one.capture.warc_length or 0
        parts.append(segment[start : start + length])
        moved.append(replace(one, capture=replace(one.capture, warc_offset=at)))
        at += length
    return b"".join(parts), tuple(moved)


def _first_length(segment: bytes) -> int:
    """Return the length of the segment's first member, the warcinfo record."""
    return next(iter_records(segment)).length
