"""Store the response of a feed whose parser was killed: a capture in quarantine, in a segment of its own."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from tasks.errors import FeedUnreadable
from tasks.fetch.capture import RecordAddress, capture_of
from tasks.index import announcing, capture_counts, frontier, health, outbox
from tasks.index.announcing import Announcement
from tasks.index.database import Index, Transaction
from tasks.index.frontier import Settlement, State
from tasks.index.health import Quarantined
from tasks.lake.keys import quarantine_key, warc_key
from tasks.lake.warc import SegmentWriter
from tasks.politeness.visits import Visit
from tasks.values.feed import FeedState
from tasks.values.look import DueUrl, Look
from tasks.values.rows import Capture
from tasks.values.url import Url


def keep_unreadable(
    feed: FeedState,
    visit: Visit,
    error: FeedUnreadable,
    *,
    run_id: str,
    software: str,
    put: Callable[[str, bytes], None],
    index: Index,
) -> None:
    """Store a feed's response, and quarantine it; raises LakeUnavailable, IndexUnavailable, BadUrl.

    Like any capture it is in the lake before the index refers to it, and is published through the outbox.
    """
    if visit.fetched is None:
        return
    now = datetime.now(UTC)
    batch_id = f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}"
    key = warc_key(batch_id, now.date())
    segment = SegmentWriter(key, software=software, created_at=now)
    for hop in visit.fetched.hops:
        ref = segment.add_exchange(
            url=hop.url,
            request_head=hop.request_head,
            response_head=hop.response_head,
            body=hop.body,
            fetched_at=hop.started_at,
            address=hop.address,
        )
    put(key, segment.to_bytes())
    record = RecordAddress(
        payload_digest=ref.payload_digest,
        warc_key=key,
        warc_offset=ref.offset,
        warc_length=ref.length,
        record_id=ref.record_id,
    )
    url = Url.of(feed.feed_url)
    due = DueUrl(
        url=url,
        url_key=url.key,
        host=url.host,
        source_id=feed.source_id,
        attempt=feed.failures + 1,
    )
    capture = capture_of(
        Look(due=due),
        run_id=run_id,
        asked_at=visit.asked_at,
        fetched=visit.fetched,
        error=error,
        record=record,
        is_known=False,
    )
    _note(index, capture, batch_id=batch_id, run_id=run_id, now=now)


def _note(index: Index, capture: Capture, *, batch_id: str, run_id: str, now: datetime) -> None:
    page = Quarantined(
        document_key=quarantine_key(batch_id, 0, capture.dt),
        url_key=capture.url_key,
        source_id=capture.source_id,
        url=capture.url,
        reason=str(capture.reason),
        captured_at=capture.fetched_at,
    )
    counts = {"batch_id": batch_id}  # the sweep counts it with its feeds
    with index.write() as tx:
        _shelve(tx, capture, now=now)
        outbox.append(tx, batch_id=batch_id, run_id=run_id, captures=[capture], articles=[], counts=counts, now=now)
        capture_counts.count_captures(tx, [capture.counted])
        health.note_quarantined(tx, [page])


def _shelve(tx: Transaction, capture: Capture, *, now: datetime) -> None:
    """Add the feed's URL to the frontier, which has every captured URL, unless it is scheduled there."""
    url = Url.of(capture.url)
    new = Announcement(
        url=url,
        url_key=capture.url_key,
        host=url.host,
        source_id=capture.source_id,
        announced_by=capture.url,
    )
    if announcing.announce(tx, [new], now=now):
        settled = Settlement(
            url_key=capture.url_key,
            state=State.QUARANTINED,
            due_at=None,
            attempts=capture.attempt,
            outcome=capture.outcome,
            reason=capture.reason,
            etag=None,
            last_modified=None,
            payload_digest=capture.payload_digest,
            captured_at=capture.fetched_at,
            article_id=None,
        )
        frontier.settle(tx, [settled])
