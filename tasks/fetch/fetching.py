"""The fetch stage: turn a batch of due URLs into captures, with every byte in one WARC segment of the lake.

The segment is in the lake before this returns, so that a page counts as captured only when its bytes are stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import BinaryIO

from tasks.config.catalogue import SourceRules
from tasks.errors import DETAIL_LENGTH, BodyTruncated, ItemError, SkippedError, UnexpectedError
from tasks.fetch.capture import RecordAddress, capture_of, check_is_html, check_is_not_home, count_partial, is_accepted
from tasks.fetch.documents import MeetPolicies, record_documents
from tasks.fetch.render import Rendition, render_pages
from tasks.fetch.soft_404 import Sample, find_missing, sample_of
from tasks.lake.records import payload_digest
from tasks.lake.warc import RecordRef, RevisitProfile, SegmentWriter
from tasks.politeness.client import PoliteClient
from tasks.politeness.rights.documents import SiteDocument
from tasks.politeness.visits import Visit
from tasks.runtime.guarding import check_share, guarded_item
from tasks.values.batch import Batch
from tasks.values.look import Look
from tasks.values.truncation import truncated_detail
from tasks.values.url import Url
from tasks.web.browser import RenderFailed
from tasks.web.exchange import Exchange

MAX_TEXT_SIZE = 48_000_000
"""The most bytes of decoded pages per batch, since they are processed together."""


async def fetch_batch(
    batch: Batch,
    *,
    client: PoliteClient,
    rules: Mapping[str, SourceRules],
    segment_key: str,
    software: str,
    max_segment_size: int,
    put: Callable[[str, BinaryIO], None],
    fetched_one: Callable[[], None],
    meet_policies: MeetPolicies = lambda _: frozenset(),
) -> Batch:
    """Fetch every URL of the batch, politely, and PUT the responses as one segment; raises LakeUnavailable.

    The policy documents of its sites are included, unless `meet_policies` says that the lake has them. If pages of a
    host look like soft 404s, the host is asked once a day for a page that does not exist. A segment that reaches
    `max_segment_size` (bytes), or pages that reach MAX_TEXT_SIZE, end the batch, and the URLs not yet fetched are
    released.
    """
    created_at = datetime.now(UTC)
    with TemporaryFile(prefix="presslake-") as out:
        segment = SegmentWriter(segment_key, software=software, created_at=created_at, out=out)
        collector = _Collector(batch=batch, segment=segment, segment_key=segment_key, fetched_one=fetched_one)
        visits = [_visit(number, look, rules[look.due.source_id]) for number, look in enumerate(batch.looks)]
        await client.visit(
            visits, collector.take, is_full=lambda: segment.size >= max_segment_size or collector.is_full
        )
        await render_pages(collector.to_render(), client=client, take=collector.take_rendition)
        policies = record_documents(collector.documents, segment, segment_key=segment_key, meet=meet_policies)
        if not segment.is_empty:
            put(segment_key, out)
    for found in await find_missing(collector.samples(), client=client, rules=rules):
        collector.take_back(found)
    check_share(collector.unexpected(), of=len(batch.looks), what="URLs")
    return replace(batch, looks=tuple(find.look for find in collector.finds), policies=policies)


def _visit(number: int, look: Look, rules: SourceRules) -> Visit:
    due = look.due
    return Visit(
        key=str(number),
        url=due.url,
        rules=rules,
        etag=due.etag,
        last_modified=due.last_modified,
        is_article=True,
        announced_rights=due.announced_rights,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _FetchedLook:
    """One look, with the parts of its response needed until the batch is complete.

    `sample` is for the comparison of pages, `to_render` the response to render with its rules and the id of its record,
    `unexpected` the exception that the response caused.
    """

    look: Look
    sample: Sample | None = None
    to_render: tuple[Exchange, SourceRules, str] | None = None
    unexpected: UnexpectedError | None = None


class _Collector:
    """Collects the responses, in the order of the claimed URLs, and writes the segment."""

    def __init__(
        self, *, batch: Batch, segment: SegmentWriter, segment_key: str, fetched_one: Callable[[], None]
    ) -> None:
        self._run_id = batch.run_id
        self._segment = segment
        self._segment_key = segment_key
        self._fetched_one = fetched_one
        self.finds = [_FetchedLook(look=look) for look in batch.looks]
        self._text_size = 0
        self.documents: dict[str, SiteDocument] = {}

    @property
    def is_full(self) -> bool:
        """Whether the pages have reached the size limit of a batch."""
        return self._text_size >= MAX_TEXT_SIZE

    def take(self, visit: Visit) -> None:
        """Record the result of one visit."""
        number = int(visit.key)
        look = self.finds[number].look
        if visit.deferred_until is not None:
            self.finds[number] = _FetchedLook(look=replace(look, deferred_until=visit.deferred_until))
            return
        self.documents.update((one.policy_id, one) for one in visit.documents)
        look = replace(
            look,
            policy_ids=tuple(one.policy_id for one in visit.documents),
            rights=visit.rights,
            obeyed=visit.obeyed,
        )
        try:
            with guarded_item(look.due.url):
                self.finds[number] = self._answered(number, look, visit)
        except UnexpectedError as error:  # the response is unusable
            self.finds[number] = self._captured(look, replace(visit, fetched=None), error)
        self._fetched_one()

    def _answered(self, number: int, look: Look, visit: Visit) -> _FetchedLook:
        fetched, record = visit.fetched, None
        error, partial, detail = visit.error, None, None
        if fetched and isinstance(error, BodyTruncated):
            partial = count_partial(look.due, payload_digest(fetched.body))
            if _is_known(look, fetched) or is_accepted(partial):
                error, detail = None, truncated_detail(str(fetched.missing))
        error = error or _trouble(fetched)
        is_known = error is None and _is_known(look, fetched)
        if fetched:
            try:
                with guarded_item(look.due.url):
                    record = self._write(look, fetched, is_known=is_known)
            except ItemError as unwritable:  # a head that a WARC record cannot hold
                error, is_known = unwritable, False
            look = replace(look, hops=tuple(hop.url for hop in fetched.hops[1:-1]), partial=partial)
        find = self._captured(look, visit, error, record=record, is_known=is_known, detail=detail)
        is_page = error is None and not is_known and fetched and fetched.status != 304
        if not (is_page and fetched and record):
            return find
        self._text_size += len(fetched.content)
        return _sampled(number, find.look, visit.rules, fetched, record)

    def _captured(
        self,
        look: Look,
        visit: Visit,
        error: ItemError | None,
        *,
        record: RecordAddress | None = None,
        is_known: bool = False,
        detail: str | None = None,
    ) -> _FetchedLook:
        capture = capture_of(
            look,
            run_id=self._run_id,
            asked_at=visit.asked_at,
            fetched=visit.fetched,
            error=error,
            record=record,
            is_known=is_known,
            detail=detail,
        )
        return _FetchedLook(
            look=replace(look, capture=capture, disposition=error.disposition if error else None),
            unexpected=error if isinstance(error, UnexpectedError) else None,
        )

    def to_render(self) -> dict[int, tuple[Exchange, SourceRules, str]]:
        """Return the responses to render, by position in the batch, with their rules and routes."""
        return {
            number: (*find.to_render[:2], Url.of(find.look.due.url).parts.hash)
            for number, find in enumerate(self.finds)
            if find.to_render
        }

    def samples(self) -> tuple[Sample, ...]:
        """Return the samples of the fetched pages."""
        return tuple(find.sample for find in self.finds if find.sample)

    def unexpected(self) -> tuple[UnexpectedError, ...]:
        """Return the exceptions that responses caused."""
        return tuple(find.unexpected for find in self.finds if find.unexpected)

    def take_rendition(self, number: int, result: Rendition) -> None:
        """Add the rendition of a page to its response, or the reason why there is none."""
        find = self.finds[number]
        if isinstance(result, UnexpectedError):
            self.finds[number] = _quarantined(find.look, result)
        elif isinstance(result, RenderFailed):
            detail = f"not rendered: {result}"[:DETAIL_LENGTH]
            self.finds[number] = replace(
                find, look=replace(find.look, capture=replace(find.look.captured, detail=detail))
            )
        else:
            try:
                with guarded_item(find.look.due.url):
                    self.finds[number] = self._rendered(number, find, result)
            except UnexpectedError as error:
                self.finds[number] = _quarantined(find.look, error)

    def _rendered(self, number: int, find: _FetchedLook, html: bytes) -> _FetchedLook:
        if find.to_render is None:
            return find
        fetched, _, record_id = find.to_render
        ref = self._segment.add_conversion(
            url=fetched.url, refers_to=record_id, html=html, rendered_at=datetime.now(UTC)
        )
        # Equal HTML shells may render to different articles, so the rendition is compared.
        sample = _sample(number, find.look, fetched, html, payload_digest(html))
        return replace(find, look=replace(find.look, rendition=(ref.offset, ref.length)), sample=sample)

    def take_back(self, sample: Sample) -> None:
        """Label a captured page as a soft 404."""
        find = self.finds[sample.number]
        url = find.look.captured.final_url
        error = SkippedError(f"same response as for a page that does not exist, at {url}", reason="soft_404")
        self.finds[sample.number] = replace(find, look=find.look.labelled(error))

    def _write(self, look: Look, fetched: Exchange, *, is_known: bool) -> RecordAddress:
        """Write every hop into the segment, the last as a revisit if its payload is known; returns the location of the last."""
        due, (*redirects, final) = look.due, fetched.hops
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


def _sampled(number: int, look: Look, rules: SourceRules, fetched: Exchange, record: RecordAddress) -> _FetchedLook:
    """Keep the sample of a page until the batch is complete."""
    try:
        with guarded_item(look.due.url):
            return _FetchedLook(
                look=look,
                sample=_sample(number, look, fetched, fetched.content, record.payload_digest),
                to_render=(fetched, rules, record.record_id) if rules.render == "browser" else None,
            )
    except UnexpectedError as error:  # quarantined with its payload, since that was captured
        return _quarantined(look, error)


def _sample(number: int, look: Look, fetched: Exchange, content: bytes, digest: str | None) -> Sample:
    return sample_of(
        content, number=number, source_id=look.due.source_id, origin=fetched.url.origin, payload_digest=digest
    )


def _quarantined(look: Look, error: UnexpectedError) -> _FetchedLook:
    return _FetchedLook(look=look.labelled(error), unexpected=error)


def _trouble(fetched: Exchange | None) -> ItemError | None:
    """Return why a response with a good status is not a page, or None."""
    if fetched is None or fetched.status == 304:
        return None
    try:
        with guarded_item(fetched.url):
            check_is_html(fetched)
            if len(fetched.hops) > 1:
                check_is_not_home(fetched)
    except ItemError as error:
        return error
    return None


def _is_known(look: Look, fetched: Exchange | None) -> bool:
    """Whether the payload is the one captured last time, although the server sent it in full."""
    if fetched is None or look.due.payload_digest is None:
        return False
    return payload_digest(fetched.body) == look.due.payload_digest
