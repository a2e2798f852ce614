"""The discover stage: poll feeds, and put the articles that they announce into the frontier, each once.

A feed that answers 304, or the same bytes as last time, is not parsed. A failing feed is slowed, never killed. Polls go
in waves: the sources' own feeds, the sitemaps in an index, and last the front pages of sources that yield nothing.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from tasks.config.catalogue import SourceRules
from tasks.config.owners import NO_OWNERS, Owners
from tasks.discover.children import choose_children, is_open, is_worth_asking
from tasks.discover.intake import (
    KeepUnreadable,
    PollLog,
    announcements,
    is_before,
    keep_nothing,
    moved_to,
    read_feed,
    read_sitemaps,
)
from tasks.discover.polls import PendingPoll, Poll, visit_of
from tasks.discover.schedule import (
    PollConfig,
    PollOutcome,
    fresh_count,
    next_poll,
    poll_url,
    seen_moved,
)
from tasks.discover.validators import Validators, new_validators, stored_validators
from tasks.errors import FeedUnreadable, GoneError, ItemError, TransientError, UnexpectedError
from tasks.feeds.collector import Refusals
from tasks.index.announcing import Allowance
from tasks.index.database import Index
from tasks.index.feeds import FeedAddress, PollRecord
from tasks.index.hosts import HostLimits
from tasks.lake.records import payload_digest
from tasks.politeness.client import PoliteClient
from tasks.politeness.site_files import robots_name
from tasks.politeness.visits import Visit
from tasks.runtime.guarding import check_share, guarded_item, is_our_fault
from tasks.runtime.reading import Reader, SharedReader
from tasks.values.feed import Entry, FeedKind, FeedState, Refusal
from tasks.values.reports import DiscoverReport
from tasks.values.url import Url
from tasks.web.exchange import Exchange
from tasks.web.headers import max_age_s

MAX_CHILDREN = 50
"""The most sitemaps of an index per sweep: the newest, and those without a date in turn."""

MAX_LINKED = 5
"""The most feeds of a front page that are followed; the site's main feed usually comes first, then sections."""

ANNOUNCED_AT_ONCE = 250
"""Entries that are prepared before yielding to the event loop."""

MAX_DEPTH = 3
FAILURES_TOLERATED = 3
"""Consecutive transient failures of a feed before its source's front page is used instead."""

EMPTY = "feed_empty"
DEFERRED = "feed_deferred"
_HOMES = frozenset({FeedKind.HOME, FeedKind.FALLBACK})


async def poll_feeds(
    feeds: Sequence[FeedState],
    *,
    client: PoliteClient,
    rules: Mapping[str, SourceRules],
    index: Index,
    config: PollConfig,
    polled_one: Callable[[], None],
    since: datetime | None = None,
    poll_log: PollLog | None = None,
    owners: Owners = NO_OWNERS,
    reader: Reader | None = None,
    keep_unreadable: KeepUnreadable = keep_nothing,
    is_over: Callable[[], bool] = lambda: False,
) -> DiscoverReport:
    """Poll the feeds and announce what they hold; raises IndexUnavailable.

    Memory grows with the feeds, not with entries. With `since`, older entries are left out, so that a later sweep finds
    them again. Results go to `poll_log`. `owners` attributes entries to sources. `keep_unreadable` gets the response of
    a feed whose parser was killed, the first time in a row; it blocks, so it is called in a thread. Once `is_over`, no
    request is made.
    """
    polling = _Polling(
        feeds,
        rules=rules,
        index=index,
        config=config,
        polled_one=polled_one,
        since=since,
        poll_log=poll_log or PollLog(index, _allowances(rules)),
        owners=owners,
        reader=reader or SharedReader(),
        keep_unreadable=keep_unreadable,
    )
    while wave := polling.next_wave():
        visits = (visit_of(poll, number, rules) for number, poll in enumerate(wave))
        await client.visit(visits, polling.take, is_full=is_over)
    return await polling.end()


def _allowances(rules: Mapping[str, SourceRules]) -> dict[str, Allowance]:
    return {
        source_id: Allowance(new_urls_a_day=one.new_urls_a_day, new_hosts_a_day=one.new_hosts_a_day)
        for source_id, one in rules.items()
    }


class _Polling:
    """The results of the polls so far, and the polls that come next."""

    def __init__(
        self,
        feeds: Sequence[FeedState],
        *,
        rules: Mapping[str, SourceRules],
        index: Index,
        config: PollConfig,
        polled_one: Callable[[], None],
        since: datetime | None,
        poll_log: PollLog,
        owners: Owners,
        reader: Reader,
        keep_unreadable: KeepUnreadable,
    ) -> None:
        self._rules = rules
        self._index = index
        self._config = config
        self._polled_one = polled_one
        self._since = since
        self._poll_log = poll_log
        self._owners = owners
        self._reader = reader
        self._keep_unreadable = keep_unreadable
        self._wave: Sequence[Poll] = ()
        self._next = [Poll(feed=feed, root_url=feed.feed_url) for feed in feeds if feed.kind is not FeedKind.FALLBACK]
        self._fallbacks = [Poll(feed=feed, root_url=feed.feed_url) for feed in feeds if feed.kind is FeedKind.FALLBACK]
        self._seen = {feed.feed_url for feed in feeds}
        self._waiting: list[PendingPoll] = []
        self._paces_s: dict[str, float] = {}
        self._yielding: set[str] = set()
        self._dead: set[str] = set()

    def next_wave(self) -> Sequence[Poll]:
        """Return the polls of the next wave; none at the end."""
        if not self._next:
            self._next = [poll for poll in self._fallbacks if self._has_run_dry(poll.feed)]
            self._fallbacks = []
        self._wave, self._next = self._next, []
        return self._wave

    async def take(self, visit: Visit) -> None:
        """Record the result of one poll, after reading it."""
        poll = self._wave[int(visit.key)]
        is_asked = visit.deferred_until is None
        self._poll_log.asked += is_asked
        self._poll_log.polled += poll.is_named and is_asked
        try:
            with guarded_item(poll_url(poll.feed)):
                if visit.deferred_until is not None:
                    self._defer(poll, until=visit.deferred_until)
                elif visit.error is not None:
                    raise visit.error
                elif visit.fetched is not None:
                    await self._read(poll, visit.fetched)
        except ItemError as error:
            self._fail(poll, error)
            if isinstance(error, FeedUnreadable) and is_asked and not poll.feed.failures:
                await self._keep(poll, visit, error)
        if poll.is_named:
            self._polled_one()

    async def end(self) -> DiscoverReport:
        """Write the rest, take front pages of sources that still yield nothing as listings, and return the counts."""
        now = datetime.now(UTC)
        for one in self._waiting:
            if one.links is not None and one.poll.feed.source_id not in self._yielding:
                try:
                    with guarded_item(one.poll.feed.feed_url):
                        await self._announce(one.poll, one.links, now=now)
                except ItemError as error:
                    self._fail(one.poll, error)
                    continue
            pace_s = self._paces_s.get(one.poll.root_url, self._bounds(one.poll.feed.source_id).longest_s)
            outcome = PollOutcome(is_failure=False, max_age_s=one.max_age_s, pace_s=pace_s)
            # no validators: what it links to may change while it stays the same
            self._record(one.poll, outcome, Validators(), place=one.place)
        check_share(self._poll_log.unexpected, of=self._poll_log.asked, what="feeds")
        self._poll_log.flush()
        return self._poll_log.report()

    def _bounds(self, source_id: str) -> PollConfig:
        rules = self._rules[source_id]
        return replace(self._config, shortest_s=rules.poll_min_s, longest_s=rules.poll_max_s)

    def _has_run_dry(self, feed: FeedState) -> bool:
        return feed.source_id in self._dead and feed.source_id not in self._yielding

    async def _read(self, poll: Poll, fetched: Exchange) -> None:
        feed, now = poll.feed, datetime.now(UTC)
        place = seen_moved(feed, moved_to(fetched))
        max_age = max_age_s(fetched.header("cache-control"))
        etag, last_modified = fetched.header("etag"), fetched.header("last-modified")
        digest = payload_digest(fetched.content)
        if fetched.status == 304 or digest == feed.body_digest:
            self._poll_log.unchanged += 1
            self._yielding.add(feed.source_id)
            # a 304 need not repeat them all (RFC 9110, 15.4.5)
            same = Validators(
                etag=etag or feed.etag, last_modified=last_modified or feed.last_modified, digest=feed.body_digest
            )
            outcome = PollOutcome(is_failure=False, max_age_s=max_age)
            self._record(poll, outcome, same, place=place, unchanged=feed.unchanged + 1)
            return
        content = await read_feed(feed.kind, fetched, rules=self._rules[feed.source_id], now=now, reader=self._reader)
        refusals = Refusals()
        refusals.add(content.refused)
        named = await self._named(poll, fetched.url, (content.children, content.linked), refusals)
        self._poll_log.refuse(feed, refusals.listed())
        is_home = feed.kind in _HOMES
        unexpected = refusals.unexpected
        if not named or (content.entries and not is_home):
            unexpected += await self._announce(poll, content.entries, now=now)
        if named:
            self._next += self._children(poll, named)
        _check_entries(len(content.entries), unexpected, refusals.listed())
        if named and poll.is_asked_for:
            own_links = content.entries if is_home else None
            self._waiting.append(PendingPoll(poll=poll, max_age_s=max_age, place=place, links=own_links))
            return
        entries = fresh_count((one.published_at or one.modified_at for one in content.entries), now=now)
        outcome = PollOutcome(is_failure=False, ttl_s=content.ttl_s, max_age_s=max_age, entries=entries)
        # no validators if entries were left out, so that a later sweep without `since` finds them
        is_partial = self._since is not None and any(is_before(entry, self._since) for entry in content.entries)
        is_read = not (named or is_partial or unexpected)
        new = new_validators(feed, etag, last_modified, digest, now=now) if is_read else Validators()
        self._record(poll, outcome, new, place=place, entries=len(content.entries))

    async def _announce(self, poll: Poll, entries: Sequence[Entry], *, now: datetime) -> int:
        """Announce a feed's entries; returns how many of them raised an unexpected exception."""
        source_id = poll.feed.source_id
        refusals = Refusals()
        found = announcements(
            entries,
            refusals=refusals,
            source_id=source_id,
            announced_by=poll.feed.feed_url,
            rules=self._rules[source_id],
            now=now,
            since=self._since,
            owners=self._owners,
        )
        while part := tuple(islice(found, ANNOUNCED_AT_ONCE)):
            self._poll_log.announce(part)
            await asyncio.sleep(0)  # let other requests proceed
        self._poll_log.refuse(poll.feed, refusals.listed())
        if entries:
            self._yielding.add(source_id)
        else:
            self._poll_log.skipped[EMPTY] += 1
            self._dead.add(source_id)
        return refusals.unexpected

    async def _named(
        self, poll: Poll, url: Url, said: tuple[Sequence[Entry], Sequence[Entry]], refusals: Refusals
    ) -> list[tuple[Entry, FeedKind]]:
        """Return the feeds that this one names: sitemaps in an index; a front page's feeds, else the sitemaps in its robots.txt."""
        children, linked = said
        if poll.feed.kind not in _HOMES:
            return [(child, FeedKind.SITEMAP) for child in children]
        if linked:
            return [(feed, FeedKind.FEED) for feed in linked[:MAX_LINKED]]
        name = robots_name(url.origin, self._rules[poll.feed.source_id])
        lines = await read_sitemaps(HostLimits(self._index).robots(name), reader=self._reader)
        sitemaps = [found for line in lines if (found := refusals.url(line, base_url=url))]
        return [(Entry(url=one), FeedKind.SITEMAP) for one in sitemaps]

    def _children(self, poll: Poll, named: Iterable[tuple[Entry, FeedKind]]) -> list[Poll]:
        """Return polls of a feed's children, each URL once per sweep, so that an index that names itself ends."""
        if poll.depth >= MAX_DEPTH:
            return []
        kinds = {str(entry.url): (entry, kind) for entry, kind in named if entry.url not in self._seen}
        chosen = self._chosen(kinds)
        self._seen.update(chosen)
        states = self._poll_log.states(
            FeedAddress(feed_url=url, source_id=poll.feed.source_id, kind=kind, parent_url=poll.feed.feed_url)
            for url, (_, kind) in chosen.items()
        )
        return [
            Poll(feed=state, root_url=poll.root_url, depth=poll.depth + 1)
            for state in states
            if is_worth_asking(state, chosen[state.feed_url][0].modified_at, now=datetime.now(UTC))
        ]

    def _chosen(self, kinds: dict[str, tuple[Entry, FeedKind]]) -> dict[str, tuple[Entry, FeedKind]]:
        if len(kinds) <= MAX_CHILDREN:
            return kinds
        known = {state.feed_url: state for state in self._poll_log.known(kinds)}
        now = datetime.now(UTC)
        open_ones = [entry for entry, _ in kinds.values() if entry.url not in known or is_open(known[entry.url], now)]
        return {one.url: kinds[one.url] for one in choose_children(open_ones, known, limit=MAX_CHILDREN)}

    async def _keep(self, poll: Poll, visit: Visit, error: FeedUnreadable) -> None:
        with suppress(ItemError), guarded_item(poll.feed.feed_url):  # some heads cannot be stored in a WARC record
            await asyncio.to_thread(self._keep_unreadable, poll.feed, visit, error)

    def _defer(self, poll: Poll, *, until: datetime) -> None:
        self._poll_log.skipped[DEFERRED] += 1
        outcome = PollOutcome(is_failure=False, retry_after_at=until)
        self._record(poll, outcome, stored_validators(poll.feed), reason="deferred", is_asked=False)

    def _fail(self, poll: Poll, error: ItemError) -> None:
        feed = poll.feed
        reason = self._poll_log.fail(feed, poll_url(feed), error, is_named=poll.is_named)
        is_transient = isinstance(error, TransientError)
        if not is_transient or feed.failures + 1 >= FAILURES_TOLERATED:
            self._dead.add(feed.source_id)
        # if the new address refuses, use the feed's own address again
        is_refused_there = not is_transient and poll_url(feed) != feed.feed_url
        outcome = PollOutcome(
            is_failure=True,
            is_gone=isinstance(error, GoneError) and not is_refused_there,
            retry_after_s=error.retry_after_s if isinstance(error, TransientError) else None,
        )
        place = (None, 0) if is_refused_there else None
        self._record(poll, outcome, stored_validators(feed), place=place, reason=reason)

    def _record(
        self,
        poll: Poll,
        outcome: PollOutcome,
        validators: Validators,
        *,
        place: tuple[str | None, int] | None = None,
        entries: int | None = None,
        reason: str | None = None,
        is_asked: bool = True,
        unchanged: int | None = None,
    ) -> None:
        """Record the outcome of a poll.

        `place` is where the feed has moved and how often that was seen (None: unchanged). `unchanged` is how often in a
        row it has brought nothing new; None means 0 for a feed that was read, and as before if there is a `reason`.
        """
        feed, now = poll.feed, datetime.now(UTC)
        jitter = random.random()  # noqa: S311 - spreads polls over time; no security involved
        bounds = self._bounds(feed.source_id)
        due_at, interval_s, failures = next_poll(feed, outcome, now=now, jitter=jitter, config=bounds)
        if interval_s is not None and not poll.is_asked_for:
            self._paces_s[poll.root_url] = min(interval_s, self._paces_s.get(poll.root_url, interval_s))
        place_url, sightings = place or (feed.moved_to, feed.sightings)
        self._poll_log.record(
            PollRecord(
                feed_url=feed.feed_url,
                polled_at=now if is_asked else None,
                due_at=due_at,
                interval_s=interval_s,
                failures=failures,
                reason=reason,
                entries=entries,
                etag=validators.etag,
                last_modified=validators.last_modified,
                body_digest=validators.digest,
                moved_to=place_url,
                sightings=sightings,
                unchanged=unchanged if unchanged is not None else feed.unchanged if reason else 0,
            )
        )


def _check_entries(read: int, unexpected: int, refused: Iterable[Refusal]) -> None:
    """Raise UnexpectedError if too many entries raised exceptions: then reading the feed as a whole failed."""
    of = read + unexpected
    if is_our_fault(unexpected, of=of):
        first = next((one.detail for one in refused if one.reason == UnexpectedError.reason), "")
        raise UnexpectedError(f"{unexpected} of {of} entries raised an exception", trace=first)
