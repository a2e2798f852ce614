"""Extract the stored pages of a unit again, through the same stage as in a sweep."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from tasks.config.catalogue import SourceRules
from tasks.errors import CorruptRecord, RecordGone
from tasks.extract.extraction import Extractor, extract_batch
from tasks.index.replayed import Note, UrlState
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.records import iter_records, read_record
from tasks.lake.tombstones import Cause
from tasks.reasons import Disposition
from tasks.values.batch import Batch
from tasks.values.columns import revive
from tasks.values.look import DueUrl, Look
from tasks.values.rights import TDMREP, Obedience
from tasks.values.rows import Article, Capture, Outcome, Signal
from tasks.values.text.content import content_digest, is_current
from tasks.values.truncation import is_truncated
from tasks.values.url import Url, host_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCapture:
    """A stored capture, with the row of `articles` made from its page, if there is one.

    `home` notes the revision that it showed before a replay moved it.
    """

    capture: Capture
    row: Article | None = None
    home: Note | None = None

    @property
    def is_moved(self) -> bool:
        """Whether a replay has moved it from the revision that it showed."""
        home = self.home
        return home is not None and home.article_id is not None and home.revision != self.capture.revision

    @property
    def site(self) -> "StoredFacts":
        """What its row has, or had, that its page does not give."""
        if self.row is not None:
            return _site(kept_of(self.row))
        if self.home is not None and self.home.kept is not None:
            return _site(self.home.kept)
        return StoredFacts(tdm_reserved=True if self.capture.reason == "tdm_reserved" else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFacts:
    """What a row has that its page does not give: the signals of site documents, and the sequence that first wrote it."""

    tdm_reserved: bool | None = None
    policy_ids: tuple[str, ...] = ()
    rights: tuple[Signal, ...] = ()
    added_seq: int | None = None

    @property
    def is_reserved_alone(self) -> bool:
        """Whether a reservation is known but not its origin, which was not recorded at the time."""
        return bool(self.tdm_reserved) and not any(one.signal == TDMREP for one in self.rights)


def kept_of(row: Article) -> dict[str, Any]:
    """Return as JSON what a row has that its page does not give."""
    return {
        "tdm_reserved": row.tdm_reserved,
        "policy_ids": list(row.policy_ids or ()),
        "rights": [asdict(one) for one in row.site_rights],
        "added_seq": row.added_seq,
    }


def _site(kept: Mapping[str, Any]) -> StoredFacts:
    return StoredFacts(
        tdm_reserved=kept["tdm_reserved"],
        policy_ids=tuple(kept["policy_ids"]),
        rights=tuple(revive(Signal, one) for one in kept["rights"]),
        added_seq=kept["added_seq"],
    )


_RESERVED = Signal(signal=TDMREP, scope="", value="tdm-reservation=1", raw="", policy_id=None)
_HEAD_SIZE = 64
EXPIRED = Cause.EXPIRED.value
GONE = frozenset(cause.value for cause in Cause)
"""Reasons why a page is no longer stored, which is not a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A stored capture and its look under the current rules; `failure` says why it could not be read."""

    stored: StoredCapture
    look: Look
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The context of extraction: the sources' rules by id, the workers, the lake."""

    sources: Mapping[str, SourceRules]
    pool: Extractor
    store: ObjectStore


def read_unit(
    unit: Sequence[StoredCapture],
    rules: Rules,
    *,
    urls: Mapping[str, UrlState],
    now: datetime,
    read_one: Callable[[], None],
) -> list[Reading]:
    """Extract the pages of a unit again, in order; an unreadable one has a failure. Raises LakeUnavailable."""
    segments = _Segments(rules.store)
    looks, readings = [], dict[str, Reading]()
    for one in unit:
        look = _look(one, rules, urls.get(one.capture.url_key))
        if segments.is_gone(str(one.capture.warc_key)):
            readings[one.capture.capture_id] = Reading(stored=one, look=look, failure="segment_gone")
        elif cause := _gone(one, segments):
            readings[one.capture.capture_id] = Reading(stored=one, look=look, failure=cause)
        else:
            looks.append(replace(look, rendition=segments.find_rendition(look, rules)))
    by_id = {one.capture.capture_id: one for one in unit}
    for look in _extract(looks, rules, segments, now=now, read_one=read_one):
        one = by_id[look.captured.capture_id]
        look = _with_announced(look, one)  # noqa: PLW2901
        readings[one.capture.capture_id] = Reading(stored=one, look=look, failure=_failure(one, look))
    return [readings[one.capture.capture_id] for one in unit]


def _extract(
    looks: Sequence[Look], rules: Rules, segments: "_Segments", *, now: datetime, read_one: Callable[[], None]
) -> Iterator[Look]:
    """Yield the looks, extracted; if a record among them is damaged, they are read one by one."""
    options = {source_id: one.extract for source_id, one in rules.sources.items()}
    batch = Batch(batch_id="replay", run_id="replay", looks=tuple(looks))
    try:
        done = extract_batch(
            batch, pool=rules.pool, read_segment=segments.get, now=now, extracted_one=read_one, options=options
        )
        yield from done.looks
    except CorruptRecord as error:
        if len(looks) == 1:
            yield looks[0].refused(Disposition.QUARANTINED, reason="corrupt_record", detail=str(error))
            return
        middle = len(looks) // 2
        for part in (looks[:middle], looks[middle:]):
            yield from _extract(part, rules, segments, now=now, read_one=read_one)


def _gone(stored: StoredCapture, segments: "_Segments") -> str | None:
    """Return why a stored page is gone: it was taken down, or the page or its text has expired."""
    if stored.row is not None and stored.row.text_removed_at is not None:
        return EXPIRED
    capture = stored.capture
    try:
        segment, start, length = segments.get(str(capture.warc_key)), capture.warc_offset or 0, capture.warc_length or 0
        if _may_be_tombstone(segment[start : start + length]):
            read_record(segment, start, length)
    except RecordGone as gone:
        return gone.cause
    except (CorruptRecord, MissingObject, zlib.error):
        return None  # extraction will fail with the proper reason
    return None


def _may_be_tombstone(member: bytes) -> bool:
    """Whether a gzip member may be a tombstone, by its first bytes; most are responses, which only extraction then parses."""
    return b"WARC-Type: response" not in zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(member, _HEAD_SIZE)


def _failure(stored: StoredCapture, look: Look) -> str | None:
    """Return why a page could not be read: a fault of ours or of the lake, not of the page.

    A failure with the same reason as before is not counted again.
    """
    is_failed = look.disposition is Disposition.QUARANTINED
    return look.captured.reason if is_failed and look.captured.reason != stored.capture.reason else None


def _look(stored: StoredCapture, rules: Rules, url: UrlState | None) -> Look:
    """Return the look as it was after fetching and before extraction."""
    capture, source = stored.capture, rules.sources.get(stored.capture.source_id)
    due = DueUrl(
        url=Url.of(capture.url),
        url_key=capture.url_key,
        host=host_of(capture.url),
        source_id=capture.source_id,
        attempt=capture.attempt,
        announced_title=url.announced_title if url else None,
        announced_at=url.announced_at if url else None,
    )
    fetched = replace(
        capture,
        outcome=Outcome.OK,
        reason=None,
        detail=capture.detail if is_truncated(capture.detail) else None,
        novelty=None,
        article_id=None,
        revision=None,
    )
    site, obeyed = stored.site, Obedience(obeys_tdm=source is not None and source.obedience.obeys_tdm)
    rights = (*site.rights, *([_RESERVED] if obeyed.obeys_tdm and site.is_reserved_alone else ()))
    return Look(due=due, capture=fetched, policy_ids=site.policy_ids, rights=rights, obeyed=obeyed)


def _with_announced(look: Look, stored: StoredCapture) -> Look:
    """Return a look with the title and date that the feed gave then, if the page lacks them.

    They are those of the row that did not come from its page. The frontier may have later ones, since feeds may
    announce a URL again.
    """
    page, row = look.page, stored.row
    if page is None or row is None or (page.title and page.published_at) or not is_current(row.content_digest):
        return look
    due = look.due
    for has_title, has_date in ((True, True), (False, True), (True, False), (False, False)):
        made = content_digest(
            title=row.title if has_title else None,
            text=row.text,
            authors=row.authors,
            published_at=row.published_at if has_date else None,
        )
        if made == row.content_digest:
            title, at = (
                (due.announced_title if has_title else row.title),
                (due.announced_at if has_date else row.published_at),
            )
            return replace(look, due=replace(due, announced_title=title, announced_at=at))
    return look


class _Segments:
    """The segments of a unit; the last one is cached, since captures are ordered by segment."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._held: dict[str, bytes] = {}
        self._gone: set[str] = set()

    def get(self, key: str) -> bytes:
        """Return a segment; raises MissingObject, LakeUnavailable."""
        if key not in self._held:
            self._held = {key: self._store.get(key)}
        return self._held[key]

    def is_gone(self, key: str) -> bool:
        """Whether a segment is no longer in the lake."""
        if key not in self._held and key not in self._gone and not self._store.exists(key):
            self._gone.add(key)
        return key in self._gone

    def find_rendition(self, look: Look, rules: Rules) -> tuple[int, int] | None:
        """Return offset and length of the page's rendition, if its source renders pages and the segment has one."""
        source, capture = rules.sources.get(look.captured.source_id), look.captured
        if source is None or source.render == "none":
            return None
        try:
            for record in iter_records(self.get(str(capture.warc_key))):
                is_its = record.conversion is not None and record.url == capture.final_url
                if is_its and record.offset > (capture.warc_offset or 0):
                    return record.offset, record.length
        except (MissingObject, CorruptRecord):
            return None
        return None
