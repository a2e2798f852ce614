"""The discover stage: poll feeds, and put the articles that they announce into the frontier, each once.

A feed that answers 304, or the same bytes as last time, is not parsed. A failing feed is slowed, never killed.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tasks.catalogue import SourceRules, accepts
from tasks.discover.feeds import parse_feed
from tasks.discover.listings import parse_listing
from tasks.discover.schedule import PollConfig, PollOutcome, next_poll
from tasks.discover.sitemaps import parse_sitemap
from tasks.errors import Disposition, GoneError, ItemError, TransientError
from tasks.index import feeds as feed_book
from tasks.index import frontier
from tasks.index.database import Index
from tasks.index.feeds import PollRecord
from tasks.index.frontier import Announcement
from tasks.models import DiscoverReport, Entry, Failure, FeedContent, FeedKind, FeedState
from tasks.urls import fetch_url, host_of, url_key
from tasks.warc import payload_digest
from tasks.web.client import Fetched
from tasks.web.headers import max_age_s
from tasks.web.polite import Answered, Deferred, PoliteClient, Visit

ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
)
MAX_FEED_SIZE = 50_000_000
MAX_CHILDREN = 50
"""Sitemaps of an index that one sweep reads; archives are for backfill."""

MAX_DEPTH = 3
FLUSH_ENTRIES = 2000
EMPTY = "feed_empty"
DETAIL_LENGTH = 500


async def poll_feeds(
    feeds: Sequence[FeedState],
    *,
    client: PoliteClient,
    rules: Mapping[str, SourceRules],
    index: Index,
    config: PollConfig,
    polled_one: Callable[[], None],
) -> DiscoverReport:
    """Poll the feeds and announce what they hold; raises IndexUnavailable. Memory grows with the feeds, not with entries."""
    polling = _Polling(rules=rules, index=index, config=config, polled_one=polled_one)
    wave = [_Poll(feed=feed, url=feed.feed_url, kind=feed.kind, depth=1) for feed in feeds]
    while wave:
        polling.begin(wave)
        await client.visit([_visit(poll, number, rules) for number, poll in enumerate(wave)], polling.take)
        wave = polling.next_wave()
    polling.flush()
    return polling.report()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Poll:
    """One GET on a feed's behalf: the feed itself, or a sitemap that its index names."""

    feed: FeedState
    url: str
    kind: FeedKind
    depth: int

    @property
    def is_child(self) -> bool:
        return self.depth > 1


def _visit(poll: _Poll, number: int, rules: Mapping[str, SourceRules]) -> Visit:
    validators = {} if poll.is_child else {"etag": poll.feed.etag, "last_modified": poll.feed.last_modified}
    return Visit(
        key=str(number),
        url=poll.url,
        rules=rules[poll.feed.source_id],
        accept=ACCEPT,
        max_wire_size=MAX_FEED_SIZE,
        max_decoded_size=MAX_FEED_SIZE,
        **validators,
    )


class _Polling:
    """What the polls have come to so far."""

    def __init__(
        self, *, rules: Mapping[str, SourceRules], index: Index, config: PollConfig, polled_one: Callable[[], None]
    ) -> None:
        self._rules = rules
        self._index = index
        self._config = config
        self._polled_one = polled_one
        self._wave: Sequence[_Poll] = ()
        self._children: list[_Poll] = []
        self._announcements: list[Announcement] = []
        self._records: list[PollRecord] = []
        self._report = _Tally()

    def begin(self, wave: Sequence[_Poll]) -> None:
        """Name the polls that are told next."""
        self._wave, self._children = wave, []

    def next_wave(self) -> list[_Poll]:
        """Return the sitemaps that were named by those just read."""
        return self._children

    def take(self, visit: Visit, result: Answered | Deferred) -> None:
        """Record what came of one poll."""
        poll = self._wave[int(visit.key)]
        if isinstance(result, Deferred):
            self._record(poll, PollOutcome(retry_after_at=result.until, is_failure=False), reason="deferred")
            return
        try:
            if result.error is not None:
                raise result.error
            if result.fetched is not None:
                self._read(poll, result.fetched)
        except ItemError as error:
            self._fail(poll, error)
        self._polled_one()

    def flush(self) -> None:
        """Write what was learned; raises IndexUnavailable."""
        now = datetime.now(UTC)
        with self._index.write() as tx:
            self._report.discovered += frontier.announce(tx, self._announcements, now=now)
            feed_book.record_polls(tx, self._records)
        self._announcements, self._records = [], []

    def report(self) -> DiscoverReport:
        """Return the tally."""
        tally = self._report
        return DiscoverReport(
            polled=tally.polled,
            unchanged=tally.unchanged,
            discovered=tally.discovered,
            skipped=dict(tally.skipped),
            failed=dict(tally.failed),
            failures=tuple(tally.failures),
        )

    def _read(self, poll: _Poll, fetched: Fetched) -> None:
        digest = payload_digest(fetched.content)
        if fetched.final.status == 304 or (not poll.is_child and digest == poll.feed.body_digest):
            self._report.polled += 1
            self._report.unchanged += 1
            self._record(
                poll,
                PollOutcome(is_failure=False, max_age_s=_max_age_s(fetched)),
                fetched=fetched,
                digest=poll.feed.body_digest,
            )
            return
        content = _parse(poll, fetched, now=datetime.now(UTC))
        self._report.polled += 1
        self._announce(poll, content)
        self._children += [
            replace(poll, url=child, kind=FeedKind.SITEMAP, depth=poll.depth + 1)
            for child in content.children[:MAX_CHILDREN]
            if poll.depth < MAX_DEPTH
        ]
        if not content.entries and not content.children:
            self._report.skipped[EMPTY] += 1
        outcome = PollOutcome(
            is_failure=False, ttl_s=content.ttl_s, max_age_s=_max_age_s(fetched), entries=_fresh(content.entries)
        )
        self._record(poll, outcome, fetched=fetched, digest=digest, entries=len(content.entries))

    def _announce(self, poll: _Poll, content: FeedContent) -> None:
        rules = self._rules[poll.feed.source_id]
        for entry in content.entries:
            announcement = _announcement(entry, poll, rules)
            if announcement is not None:
                self._announcements.append(announcement)
        if len(self._announcements) >= FLUSH_ENTRIES:
            self.flush()

    def _fail(self, poll: _Poll, error: ItemError) -> None:
        reason = f"feed_{error.counted_as}"
        tally = self._report
        tally.polled += 1
        if error.disposition is Disposition.SKIPPED:
            tally.skipped[reason] += 1
        else:
            tally.failed[reason] += 1
            tally.failures.append(
                Failure(
                    url=poll.url,
                    source_id=poll.feed.source_id,
                    reason=reason,
                    disposition=error.disposition,
                    detail=str(error)[:DETAIL_LENGTH],
                    happened_at=datetime.now(UTC),
                )
            )
        retry_after_s = error.retry_after_s if isinstance(error, TransientError) else None
        outcome = PollOutcome(is_failure=True, is_gone=isinstance(error, GoneError), retry_after_s=retry_after_s)
        self._record(poll, outcome, reason=reason, digest=poll.feed.body_digest)

    def _record(
        self,
        poll: _Poll,
        outcome: PollOutcome,
        *,
        fetched: Fetched | None = None,
        digest: str | None = None,
        entries: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Note what the poll taught; a sitemap below an index has no row of its own."""
        if poll.is_child:
            return
        now = datetime.now(UTC)
        due_at, interval_s, failures = next_poll(
            poll.feed, outcome, now=now, jitter=random.random(), config=self._config
        )
        self._records.append(
            PollRecord(
                feed_url=poll.feed.feed_url,
                polled_at=now,
                due_at=due_at,
                interval_s=interval_s,
                failures=failures,
                reason=reason,
                entries=entries,
                # a failing feed keeps what it had: its validators stand for a body that was read
                etag=fetched.header("etag") if fetched else poll.feed.etag,
                last_modified=fetched.header("last-modified") if fetched else poll.feed.last_modified,
                body_digest=digest,
            )
        )


@dataclass(slots=True)
class _Tally:
    polled: int = 0
    unchanged: int = 0
    discovered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


def _parse(poll: _Poll, fetched: Fetched, *, now: datetime) -> FeedContent:
    """Read a feed by what it is; where the catalogue says only "feed", its first bytes may say sitemap."""
    body, content_type = fetched.content, fetched.header("content-type")
    if poll.kind is FeedKind.LISTING:
        return parse_listing(body, content_type=content_type, page_url=fetched.url, now=now)
    start = body[:1024].lower()
    if poll.kind is FeedKind.SITEMAP or b"<urlset" in start or b"<sitemapindex" in start:
        return parse_sitemap(body, sitemap_url=fetched.url, now=now)
    return parse_feed(body, content_type=content_type, feed_url=fetched.url, now=now)


def _announcement(entry: Entry, poll: _Poll, rules: SourceRules) -> Announcement | None:
    """Return the entry as the frontier wants it, or None where it is nothing that could be fetched or is wanted."""
    try:
        url = fetch_url(entry.url)
        if not accepts(url, rules):
            return None
        return Announcement(
            url=url,
            url_key=url_key(url),
            host=host_of(url),
            source_id=poll.feed.source_id,
            announced_by=poll.url,
            title=entry.title,
            announced_at=entry.published_at,
        )
    except ItemError:
        return None


def _max_age_s(fetched: Fetched) -> float | None:
    return max_age_s(fetched.header("cache-control"))
