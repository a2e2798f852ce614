"""The fetch stage: a batch of due URLs into captures, with every byte of them in one WARC segment of the lake.

The segment is in the lake before this returns: nothing says that a page is captured before its bytes are there.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from tasks.config.catalogue import SourceRules
from tasks.errors import DETAIL_LENGTH, ItemError, SoftNotFound, UnexpectedError
from tasks.fetch.capture import RecordAddress, capture_of, check_is_html
from tasks.fetch.home import check_is_not_home
from tasks.fetch.render import Rendition, render_pages
from tasks.fetch.soft_404 import Look, find_missing, look_at
from tasks.lake.warc import RecordRef, RevisitProfile, SegmentWriter, payload_digest
from tasks.politeness.client import Answered, Deferred, PoliteClient, Visit
from tasks.reasons import Disposition
from tasks.runtime.guarding import check_share, guarded_item
from tasks.values.batch import Batch, FetchedBatch
from tasks.values.look import DueUrl
from tasks.values.rows import Capture, Outcome, outcome_of
from tasks.web.browser import RenderFailed
from tasks.web.exchange import Exchange, Fetched


async def fetch_batch(
    batch: Batch,
    *,
    client: PoliteClient,
    rules: Mapping[str, SourceRules],
    segment_key: str,
    software: str,
    max_segment_size: int,
    put: Callable[[str, bytes], None],
    fetched_one: Callable[[], None],
) -> FetchedBatch:
    """Ask for every URL of the batch, politely, and PUT what came back as one segment; raises LakeUnavailable.

    Where pages of a host look like what it gives for anything, it is asked once a day for what does not exist.
    A segment that has reached `max_segment_size` (bytes) is closed, and the URLs not yet asked for are given back.
    """
    segment = SegmentWriter(segment_key, software=software, created_at=datetime.now(UTC))
    gathering = _Gathering(batch=batch, segment=segment, segment_key=segment_key, fetched_one=fetched_one)
    visits = [
        Visit(
            key=due.url_key,
            url=due.url,
            rules=rules[due.source_id],
            etag=due.etag,
            last_modified=due.last_modified,
            wants_rights=rules[due.source_id].obey_tdm,
            is_article=True,
        )
        for due in batch.urls
    ]
    await client.visit(visits, gathering.take, is_full=lambda: segment.size >= max_segment_size)
    await render_pages(gathering.to_render, client=client, tell=gathering.take_rendition)
    if not segment.is_empty:
        put(segment_key, segment.to_bytes())
    for found in await find_missing(tuple(gathering.looks.values()), client=client, rules=rules):
        gathering.take_back(found)
    check_share(tuple(gathering.unexpected.values()), of=len(batch.urls), what="URLs")
    return gathering.finished()


class _Gathering:
    """What has come back so far, and its segment."""

    def __init__(
        self, *, batch: Batch, segment: SegmentWriter, segment_key: str, fetched_one: Callable[[], None]
    ) -> None:
        self._batch = batch
        self._due = {due.url_key: due for due in batch.urls}
        self._segment = segment
        self._segment_key = segment_key
        self._fetched_one = fetched_one
        self._captures: dict[str, Capture] = {}
        self._dispositions: dict[str, Disposition] = {}
        self._deferred: dict[str, datetime] = {}
        self._reservations: dict[str, bool | None] = {}
        self._record_ids: dict[str, str] = {}
        self._renditions: dict[str, tuple[int, int]] = {}
        self._hops: dict[str, tuple[str, ...]] = {}
        self.unexpected: dict[str, UnexpectedError] = {}
        self.looks: dict[str, Look] = {}
        self.to_render: dict[str, tuple[Fetched, SourceRules]] = {}

    def take(self, visit: Visit, result: Answered | Deferred) -> None:
        """Record what came of one visit."""
        due = self._due[visit.key]
        if isinstance(result, Deferred):
            self._deferred[due.url_key] = result.until
            return
        try:
            with guarded_item(due.url):
                self._take_answer(visit, due, result)
        except UnexpectedError as error:  # what came is of no use, since nothing can be said of it
            self._capture(due, replace(result, fetched=None, error=error), error, record=None, is_known=False)
        if result.obeys_rights:
            self._reservations[due.url_key] = result.tdm_reserved
        self._fetched_one()

    def _take_answer(self, visit: Visit, due: DueUrl, result: Answered) -> None:
        error = result.error or _trouble(result.fetched)
        is_known = error is None and _is_known(due, result.fetched)
        record = None
        if result.fetched:
            try:
                with guarded_item(due.url):
                    record = self._write(due, result.fetched, is_known=is_known)
            except ItemError as unwritable:  # a head that no WARC record can hold
                error, is_known = unwritable, False
        self._capture(due, result, error, record=record, is_known=is_known)
        if result.fetched and (passed := result.fetched.hops[1:-1]):
            self._hops[self._captures[due.url_key].capture_id] = tuple(hop.url for hop in passed)
        is_page = error is None and result.fetched and not is_known and result.fetched.final.status != 304
        if is_page and result.fetched and record:
            self._keep_look(due, visit, result.fetched, record)

    def _capture(
        self, due: DueUrl, result: Answered, error: ItemError | None, *, record: RecordAddress | None, is_known: bool
    ) -> None:
        self._captures[due.url_key] = capture_of(
            due,
            run_id=self._batch.run_id,
            asked_at=result.asked_at,
            fetched=result.fetched,
            error=error,
            record=record,
            is_known=is_known,
        )
        if error is not None:
            self._label(due.url_key, error)

    def _keep_look(self, due: DueUrl, visit: Visit, fetched: Fetched, record: RecordAddress) -> None:
        """Keep of a page what is looked at when all of the batch has come."""
        with self._guarded(due.url_key):
            self.looks[due.url_key] = look_at(due, fetched, record.payload_digest)
            if visit.rules.render == "browser":
                self._record_ids[due.url_key] = record.record_id
                self.to_render[due.url_key] = fetched, visit.rules

    @contextmanager
    def _guarded(self, url_key: str) -> Iterator[None]:
        """Handle a page that was captured: what is unexpected puts it into quarantine, with its payload."""
        try:
            with guarded_item(self._due[url_key].url):
                yield
        except UnexpectedError as error:
            self._quarantine(url_key, error)

    def _quarantine(self, url_key: str, error: UnexpectedError) -> None:
        self._captures[url_key] = replace(
            self._captures[url_key],
            outcome=outcome_of(error.disposition),
            reason=error.counted_as,
            detail=error.detail,
        )
        self.looks.pop(url_key, None)
        self._label(url_key, error)

    def _label(self, url_key: str, error: ItemError) -> None:
        self._dispositions[url_key] = error.disposition
        if isinstance(error, UnexpectedError):
            self.unexpected[url_key] = error

    def take_rendition(self, url_key: str, result: Rendition) -> None:
        """Put a page as its scripts made it beside the answer, or tell why there is none."""
        capture = self._captures[url_key]
        if isinstance(result, UnexpectedError):
            self._quarantine(url_key, result)
        elif isinstance(result, RenderFailed):
            self._captures[url_key] = replace(capture, detail=f"not rendered: {result}"[:DETAIL_LENGTH])
        else:
            with self._guarded(url_key):
                self._write_rendition(url_key, capture, result)

    def _write_rendition(self, url_key: str, capture: Capture, result: bytes) -> None:
        fetched, _ = self.to_render[url_key]
        ref = self._segment.add_conversion(
            url=fetched.url, refers_to=self._record_ids[url_key], html=result, rendered_at=datetime.now(UTC)
        )
        self._renditions[capture.capture_id] = ref.offset, ref.length
        # One shell for all articles is not one page for all: what counts is what a reader would see.
        rendered = replace(fetched, content=result)
        self.looks[url_key] = look_at(self._due[url_key], rendered, payload_digest(result))

    def take_back(self, look: Look) -> None:
        """Label a page that was captured as the one that its host gives for what does not exist."""
        error = SoftNotFound(f"as for what does not exist, at {look.url}")
        capture = self._captures[look.url_key]
        self._captures[look.url_key] = replace(
            capture, outcome=Outcome.SKIPPED, reason=error.counted_as, detail=str(error)
        )
        self._dispositions[look.url_key] = error.disposition

    def finished(self) -> FetchedBatch:
        """Return the batch, in the order in which its URLs were claimed."""
        captures = tuple(self._captures[key] for key in self._due if key in self._captures)
        return FetchedBatch(
            batch=self._batch,
            captures=captures,
            dispositions=self._dispositions,
            deferred=self._deferred,
            reservations=self._reservations,
            renditions=self._renditions,
            hops=self._hops,
        )

    def _write(self, due: DueUrl, fetched: Fetched, *, is_known: bool) -> RecordAddress:
        """Write every hop into the segment, the last as a revisit where its payload is known; returns the last's place."""
        *redirects, final = fetched.hops
        for hop in redirects:
            self._add(hop)
        if final.status != 304 and not is_known:
            ref = self._add(final)
        else:
            profile = RevisitProfile.SERVER_NOT_MODIFIED if final.status == 304 else RevisitProfile.IDENTICAL_PAYLOAD
            ref = self._segment.add_revisit(
                profile=profile,
                url=final.url,
                request_head=final.request_head,
                response_head=final.response_head,
                fetched_at=final.started_at,
                address=final.address,
                payload_digest=due.payload_digest,
                refers_to_url=due.url,
                refers_to_date=due.captured_at,
            )
        return RecordAddress(
            payload_digest=ref.payload_digest,
            warc_key=self._segment_key,
            warc_offset=ref.offset,
            warc_length=ref.length,
            record_id=ref.record_id,
        )

    def _add(self, hop: Exchange) -> RecordRef:
        return self._segment.add_exchange(
            url=hop.url,
            request_head=hop.request_head,
            response_head=hop.response_head,
            body=hop.body,
            fetched_at=hop.started_at,
            address=hop.address,
        )


def _trouble(fetched: Fetched | None) -> ItemError | None:
    """Return why an answer with a good status is no page, or None."""
    if fetched is None or fetched.final.status == 304:
        return None
    try:
        with guarded_item(fetched.url):
            check_is_html(fetched)
            check_is_not_home(fetched)
    except ItemError as error:
        return error
    return None


def _is_known(due: DueUrl, fetched: Fetched | None) -> bool:
    """Whether the payload is the one that was captured last time, though the server sent it whole."""
    if fetched is None or due.payload_digest is None:
        return False
    return payload_digest(fetched.final.body) == due.payload_digest
