"""Bring the URLs from feeds, lists and commands into the index, each attributed to its owner.

Feeds are parsed in another process. Poll states are written together with the announcements, in batches, so that memory
does not grow with a sweep.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from tasks.config.catalogue import SourceRules, accepts
from tasks.config.owners import NO_OWNERS, Owners
from tasks.errors import FeedUnreadable, ItemError, SkippedError, UnexpectedError
from tasks.feeds.collector import Refusals
from tasks.feeds.formats import read_document
from tasks.index import announcing, feeds
from tasks.index.announcing import Allowance, Announcement, Excess, count_excess, find_known, take_in
from tasks.index.database import Index, Transaction, savepoint
from tasks.index.feeds import FeedAddress, PollRecord
from tasks.index.frontier import BACKFILL, NEWS, is_since
from tasks.politeness.robots import sitemaps_in
from tasks.politeness.visits import Visit
from tasks.reasons import Disposition
from tasks.runtime.allocator import collect_young
from tasks.runtime.guarding import check_share, store_rows
from tasks.runtime.reading import FeedJob, Reader
from tasks.values.feed import Entry, FeedContent, FeedKind, FeedState, Refusal
from tasks.values.permit import RobotsAnswer
from tasks.values.reports import DiscoverReport, Failure
from tasks.values.takedown import TAKEN_DOWN
from tasks.values.url import Url
from tasks.web.exchange import Exchange

MAX_FEED_SIZE = 50_000_000
"""The largest feed in bytes, compressed and decoded (sitemaps.org: 50 MB)."""

NEWS_AGE = timedelta(days=7)
"""Older entries wait until everything newer was fetched: a sitemap may hold an archive of years."""

_PERMANENT = frozenset({301, 308})

KeepUnreadable = Callable[[FeedState, Visit, FeedUnreadable], None]

FLUSH_ENTRIES = 1000
FLUSH_RECORDS = 500

OVER_BUDGET = "link_over_budget"


def keep_nothing(_feed: FeedState, _visit: Visit, _error: FeedUnreadable) -> None:
    """Keep nothing, as a dry run does."""


async def read_feed(
    kind: FeedKind, fetched: Exchange, *, rules: SourceRules, now: datetime, reader: Reader
) -> FeedContent:
    """Return a feed's content, parsed in another process; raises NotAFeed, and FeedUnreadable if that process was killed."""
    read = partial(
        read_document,
        content_type=fetched.header("content-type"),
        url=fetched.url,
        now=now,
        own_urls=rules.own_urls,
    )
    content = await reader.read(FeedJob(read, (kind, fetched.content), fetched.url))
    return replace(content, entries=content.entries + included_entries(content.doubtful, rules), doubtful=())


def included_entries(doubtful: Iterable[Entry], rules: SourceRules) -> tuple[Entry, ...]:
    """Return the doubtful links that match `include`: the catalogue overrides our guess."""
    return tuple(entry for entry in doubtful if accepts(entry.url, rules)) if rules.include else ()


async def read_sitemaps(answer: RobotsAnswer | None, *, reader: Reader) -> tuple[str, ...]:
    """Return the sitemaps that a robots.txt names, as written there, unresolved; raises FeedUnreadable."""
    if answer is None or answer.status is None or answer.status >= 300 or not answer.body:
        return ()
    return await reader.read(FeedJob(sitemaps_in, (answer.body,), f"{answer.origin}/robots.txt"))


def announcements(
    entries: Iterable[Entry],
    *,
    refusals: Refusals,
    source_id: str,
    announced_by: str,
    rules: SourceRules,
    now: datetime,
    since: datetime | None = None,
    owners: Owners = NO_OWNERS,
) -> Iterator[Announcement]:
    """Yield the entries as announcements, each attributed to its owner.

    Entries excluded by the patterns of the source or the owner are left out, as are those that their own source's feed
    dates before `since`. An entry whose unwrapped URL cannot be fetched is counted in `refusals`.
    """
    for entry in entries:
        found: Announcement | None = None
        with refusals.guarded(entry.url):
            one = attribute_url(
                entry.url,
                announcer=source_id,
                announced_by=announced_by,
                owners=owners,
                title=entry.title,
                announced_at=entry.published_at,
                priority=_priority(entry.published_at, entry.modified_at, now=now),
                rights=entry.rights,
            )
            if rules.follow == "own" and source_id not in one.owners:
                raise SkippedError(f"{source_id} follows its own hosts alone, not {one.host}", reason="foreign_host")
            is_late = since is not None and not one.is_foreign and is_before(entry, since)
            owner = owners.rules[one.source_id] if one.is_foreign else None
            if not is_late and is_wanted(one.url, announcer=rules, owner=owner):
                found = one
        if found is not None:
            yield found


def attribute_url(
    url: str,
    *,
    announcer: str,
    announced_by: str,
    owners: Owners,
    title: str | None = None,
    announced_at: datetime | None = None,
    priority: int = NEWS,
    rights: str | None = None,
) -> Announcement:
    """Return the announcement of a URL for its owner, or for the announcer if the host has no owner; raises BadUrl, ForbiddenScheme.

    Date, priority and title from another source's feed are ignored for an owned URL.
    """
    address = Url.of(url).fetch_form
    claimants = owners.claimants(address.site)
    owner = announcer if announcer in claimants else owners.chosen(claimants, address) if claimants else None
    is_foreign = owner is not None and owner != announcer
    return Announcement(
        url=address,
        url_key=address.key,
        host=address.host,
        source_id=owner or announcer,
        announced_by=announced_by,
        title=None if is_foreign else title,
        announced_at=None if is_foreign else announced_at,
        priority=NEWS if is_foreign else priority,
        owners=claimants,
        is_foreign=is_foreign,
        announcer=announcer,
        rights=rights,
    )


def is_wanted(url: Url, *, announcer: SourceRules, owner: SourceRules | None) -> bool:
    """Whether the patterns of the announcing source, and of the owner if it is another source, keep a URL."""
    rules = (announcer,) if owner is None else (announcer, owner)
    return all(accepts(url, each) for each in rules if each.include or each.exclude)


def is_before(entry: Entry, since: datetime) -> bool:
    """Whether an entry has dates, and all of them are before `since`."""
    dates = [instant for instant in (entry.published_at, entry.modified_at) if instant is not None]
    return bool(dates) and not any(is_since(instant, since) for instant in dates)


def moved_to(fetched: Exchange) -> str | None:
    """Return the target of a chain of permanent redirects; None if there is none, or not all are permanent."""
    redirects = fetched.redirects
    return str(fetched.url) if redirects and all(hop.status in _PERMANENT for hop in redirects) else None


def _priority(*instants: datetime | None, now: datetime) -> int:
    dates = [instant for instant in instants if instant is not None]
    return BACKFILL if dates and max(dates) < now - NEWS_AGE else NEWS


@dataclass(slots=True)
class PollLog:
    """Buffers announcements and poll records, and counts for the whole sweep."""

    index: Index
    allowances: Mapping[str, Allowance] = field(default_factory=dict)
    polled: int = 0
    asked: int = 0
    unchanged: int = 0
    discovered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    polled_failed: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    unexpected: list[UnexpectedError] = field(default_factory=list)
    excess: Counter[tuple[str, str]] = field(default_factory=Counter)
    _unread: set[str] = field(default_factory=set)
    _announcements: list[Announcement] = field(default_factory=list)
    _records: list[PollRecord] = field(default_factory=list)

    def announce(self, announcements: Iterable[Announcement]) -> None:
        """Add announcements; call it before `record`, since a feed must not count as read before its entries are announced."""
        for announcement in announcements:
            self._announcements.append(announcement)
            if len(self._announcements) >= FLUSH_ENTRIES:
                self.flush()

    def record(self, record: PollRecord) -> None:
        """Add the record of a poll."""
        self._records.append(record)
        if len(self._records) >= FLUSH_RECORDS:
            self.flush()

    def fail(self, feed: FeedState, url: str, error: ItemError, *, is_named: bool) -> str:
        """Count a feed's failure, and return its reason."""
        reason = f"feed_{error.counted_as.removeprefix('feed_')}"
        if error.disposition is Disposition.SKIPPED:
            self.skipped[reason] += 1
            return reason
        self._fail(reason, url, feed.source_id, error.disposition, error.detail)
        self.polled_failed[reason] += is_named
        if isinstance(error, UnexpectedError):
            self.unexpected.append(error)
        return reason

    def known(self, feed_urls: Iterable[str]) -> tuple[FeedState, ...]:
        """Return the states of the known ones among these feeds."""
        with self.index.read() as tx:
            return feeds.select_feeds(tx, feed_urls, due_by=None)

    def states(self, addresses: Iterable[FeedAddress]) -> tuple[FeedState, ...]:
        """Return the states of child feeds, and add the unknown ones; known feeds are unchanged."""
        return self._states(addresses, self.index.write)

    def _states(
        self, addresses: Iterable[FeedAddress], opened: Callable[[], AbstractContextManager[Transaction]]
    ) -> tuple[FeedState, ...]:
        by_url = {one.feed_url: one for one in addresses}
        with opened() as tx:
            known = {feed.feed_url for feed in feeds.select_feeds(tx, by_url, due_by=None)}
            new = [one for feed_url, one in by_url.items() if feed_url not in known]
            feeds.add_feeds(tx, new, now=datetime.now(UTC))
            return feeds.select_feeds(tx, by_url, due_by=None)

    def refuse(self, feed: FeedState, refused: Iterable[Refusal]) -> None:
        """Count refused URLs of a feed, a page or a robots.txt; our own faults count as failures."""
        for one in refused:
            if one.reason == UnexpectedError.reason:
                reason = f"entry_{one.reason}"
                self.failed[reason] += one.number - 1
                self._fail(reason, feed.feed_url, feed.source_id, Disposition.QUARANTINED, one.detail)
            else:
                self.skipped[f"link_{one.reason}"] += one.number

    def flush(self) -> None:
        """Write the buffers; raises IndexUnavailable. A row that the database refuses affects no other row."""
        if not (self._announcements or self._records):
            return
        with self.index.write() as tx:
            now = datetime.now(UTC)
            offered = announcing.without_taken(tx, self._announcements)
            kept, beyond = take_in(tx, offered, self.allowances, now=now)
            self.skipped[TAKEN_DOWN] += len(self._announcements) - len(offered)
            self._note_excess(beyond)
            records = [_not_read(one) if one.feed_url in self._unread else one for one in self._records]
            discovered, refused = _write(tx, kept, records, now=now)
        for url, source_id, error in refused:
            self._fail(f"entry_{error.counted_as}", url, source_id, error.disposition, error.detail)
        check_share([error for _, _, error in refused], of=len(self._announcements) + len(self._records), what="rows")
        self.discovered += discovered
        self._announcements, self._records = [], []
        collect_young()

    def _note_excess(self, beyond: Sequence[Excess]) -> None:
        """Count entries beyond budgets, and mark their feeds as not completely read."""
        self.skipped[OVER_BUDGET] += len(beyond)
        self.excess.update(count_excess(beyond))
        self._unread.update(one.announcement.announced_by for one in beyond)

    def report(self) -> DiscoverReport:
        """Return the counts."""
        return DiscoverReport(
            polled=self.polled,
            unchanged=self.unchanged,
            discovered=self.discovered,
            skipped=dict(+self.skipped),
            failed=dict(self.failed),
            polled_failed=dict(+self.polled_failed),
            failures=tuple(self.failures),
            limits=tuple(
                f"{source_id}: {budget} reached, {number} URLs postponed to another day"
                for (source_id, budget), number in sorted(self.excess.items())
            ),
        )

    def _fail(self, reason: str, url: str, source_id: str, disposition: Disposition, detail: str) -> None:
        self.failed[reason] += 1
        self.failures.append(
            Failure(
                url=url,
                source_id=source_id,
                reason=reason,
                disposition=disposition,
                detail=detail,
                happened_at=datetime.now(UTC),
            )
        )


def with_given_urls(
    polled: DiscoverReport, named: Sequence[Announcement], index: Index, *, announced: int
) -> DiscoverReport:
    """Return the counts of a sweep including the URLs named by the user, of which `announced` were new."""
    with index.read() as tx:
        taken = len(named) - len(announcing.without_taken(tx, named))
    skipped = dict(Counter(polled.skipped) + Counter({TAKEN_DOWN: taken}))
    return replace(polled, discovered=polled.discovered + announced, skipped=skipped)


def _not_read(record: PollRecord) -> PollRecord:
    return replace(record, etag=None, last_modified=None, body_digest=None)


def _write(
    tx: Transaction, announcements: Sequence[Announcement], records: Sequence[PollRecord], *, now: datetime
) -> tuple[int, list[tuple[str, str, UnexpectedError]]]:
    """Write both; returns how many URLs were new, and the URL, source and error of each row that could not be written."""
    discovered = 0

    def announce(part: Sequence[Announcement]) -> None:
        nonlocal discovered
        with savepoint(tx):
            new = announcing.announce(tx, part, now=now)
        discovered += new

    def record(part: Sequence[PollRecord]) -> None:
        with savepoint(tx):
            feeds.record_polls(tx, part)

    unwritten = [(str(one.url), one.source_id, error) for one, error in store_rows(announcements, announce)]
    unwritten += [(one.feed_url, "", error) for one, error in store_rows(records, record)]
    return discovered, unwritten


@dataclass(slots=True)
class DryPollLog(PollLog):
    """A poll log that writes nothing; it collects the announcements of unknown URLs, each once."""

    new: dict[str, Announcement] = field(default_factory=dict)

    def known(self, feed_urls: Iterable[str]) -> tuple[FeedState, ...]:
        """Return the states of the known ones among these feeds."""
        with self.index.read() as tx:
            return feeds.select_feeds(tx, feed_urls, due_by=None)

    def states(self, addresses: Iterable[FeedAddress]) -> tuple[FeedState, ...]:
        """Return the states that child feeds would get."""
        return self._states(addresses, self.index.rehearse)

    def flush(self) -> None:
        """Collect what would be new; raises IndexUnavailable."""
        keys = [one.url_key for one in self._announcements]
        with self.index.read() as tx:
            known = find_known(tx, keys)
            offered = announcing.without_taken(tx, self._announcements)
        self.skipped[TAKEN_DOWN] += len(self._announcements) - len(offered)
        for one in offered:
            if one.url_key not in known:
                self.new.setdefault(one.url_key, one)
        self.discovered = len(self.new)
        self._announcements, self._records = [], []
