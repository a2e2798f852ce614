"""Walk through a source's own archives (sitemaps, paged listings, lists of URLs), and announce the URLs of the wanted days.

Found URLs wait in the frontier with the lowest priority, and only backfills of sources fetch them, so that an
interrupted backfill can continue days later.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from tasks.backfill.dated import Window, days_in, is_within, may_hold
from tasks.config.catalogue import Source, SourceRules
from tasks.config.owners import Owners
from tasks.discover.intake import MAX_FEED_SIZE, announcements, read_feed, read_sitemaps
from tasks.errors import ItemError
from tasks.feeds.collector import Refusals
from tasks.feeds.formats import ACCEPT
from tasks.feeds.next_page import linked_next, next_in_address, second_pages
from tasks.index import announcing
from tasks.index.announcing import Announcement
from tasks.index.database import Index
from tasks.index.frontier import ARCHIVE
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.politeness.site_files import robots_name
from tasks.politeness.visits import Visit
from tasks.runtime.guarding import guarded_item
from tasks.runtime.reading import FeedJob, Reader
from tasks.values.feed import Entry, FeedKind
from tasks.values.url import Url
from tasks.web.exchange import Exchange

MAX_DEPTH = 3
MAX_SITEMAPS = 5000
MAX_PAGES = 1000
"""The most pages of one listing."""

ANNOUNCED_BY = "backfill:"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkReport:
    """The results of a walk: lists read, URLs of the wanted days, how many of them are new, and failures by reason."""

    read: int = 0
    found: int = 0
    discovered: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One list to read.

    `depth` is the number of levels below the source's own list, `page` the page of a listing, `others` candidate URLs
    of its next page.
    """

    url: Url
    kind: FeedKind
    source_id: str
    depth: int = 1
    page: int = 1
    others: tuple[str, ...] = ()


@dataclass(slots=True)
class _Walk:
    rules: Mapping[str, SourceRules]
    owners: Owners
    wanted: Window
    index: Index
    reader: Reader
    read: int = 0
    found: set[int] = field(default_factory=set)
    discovered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    wave: list[_Place] = field(default_factory=list)
    following: list[_Place] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    known: dict[str, set[str]] = field(default_factory=dict)

    def add(self, place: _Place) -> None:
        """Read a list later, once."""
        if str(place.url) not in self.seen and len(self.seen) < MAX_SITEMAPS + MAX_PAGES:
            self.seen.add(str(place.url))
            self.following.append(place)

    async def take(self, visit: Visit) -> None:
        place = self.wave[int(visit.key)]
        if visit.deferred_until is not None:
            self.skipped["feed_deferred"] += 1
            return
        try:
            with guarded_item(place.url):
                if visit.error is not None:
                    raise visit.error
                if visit.fetched is not None:
                    await self._read(place, visit.fetched)
        except ItemError as error:
            if place.page > 1:  # an error after the last page is the end of the listing
                self._try_other(place)
                return
            self.failed[f"feed_{error.counted_as.removeprefix('feed_')}"] += 1
            self.troubles.append(f"{place.url}: {error}"[:300])

    async def _read(self, place: _Place, fetched: Exchange) -> None:
        rules = self.rules[place.source_id]
        content = await read_feed(place.kind, fetched, rules=rules, now=datetime.now(UTC), reader=self.reader)
        self.read += 1
        if place.depth < MAX_DEPTH:
            for child in content.children:
                if may_hold(child, self.wanted):
                    self.add(
                        _Place(url=child.url, kind=FeedKind.SITEMAP, source_id=place.source_id, depth=place.depth + 1)
                    )
                else:
                    self.skipped["other_date"] += 1
        self.announce(place.source_id, content.entries, announced_by=str(place.url))
        if place.kind is FeedKind.LISTING:
            await self._turn(place, fetched, content.entries)

    def announce(self, source_id: str, entries: Iterable[Entry], *, announced_by: str) -> None:
        """Put the entries of the wanted days into the frontier; raises IndexUnavailable."""
        chosen = []
        for entry in entries:
            if is_within(entry, self.wanted):
                chosen.append(entry)
            else:
                self.skipped["other_date"] += 1
        refusals, now = Refusals(), datetime.now(UTC)
        found: list[Announcement] = [
            replace(one, priority=ARCHIVE)
            for one in announcements(
                chosen, refusals=refusals, source_id=source_id, announced_by=f"{ANNOUNCED_BY}{announced_by}",
                rules=self.rules[source_id], now=now, owners=self.owners,
            )
        ]  # fmt: skip
        for refused in refusals.listed():
            self.skipped[refused.reason] += refused.number
        self.found.update(hash(one.url_key) for one in found)
        if found:
            with self.index.write() as tx:
                self.discovered += announcing.announce(tx, found, now=now)

    async def _turn(self, place: _Place, fetched: Exchange, entries: Iterable[Entry]) -> None:
        """Go to a listing's next page, until a page has no new link or is too old."""
        known = self.known.setdefault(place.source_id, set())
        fresh = [one for one in entries if str(one.url) not in known]
        known.update(str(one.url) for one in fresh)
        if not fresh or place.page >= MAX_PAGES:
            self._try_other(place)
            return
        if all(self._is_too_old(one) for one in fresh):
            return
        read = partial(linked_next, content_type=fetched.header("content-type"), url=fetched.url)
        linked = await self.reader.read(FeedJob(read, (fetched.content,), fetched.url))
        said = linked or next_in_address(str(place.url))
        candidates = (str(said),) if said else second_pages(str(place.url))
        self._go(place, candidates, page=place.page + 1)

    def _is_too_old(self, entry: Entry) -> bool:
        named = days_in(str(entry.url))
        day = entry.published_at.astimezone(UTC).date() if entry.published_at else named.last if named else None
        return day is not None and day < self.wanted.first

    def _try_other(self, place: _Place) -> None:
        self._go(place, place.others, page=place.page)

    def _go(self, place: _Place, candidates: tuple[str, ...], *, page: int) -> None:
        if candidates:
            first, *others = candidates
            self.add(replace(place, url=Url.of(first), page=page, others=tuple(others)))


async def walk_archives(
    sources: Iterable[Source],
    *,
    client: PoliteClient,
    rules: Mapping[str, SourceRules],
    owners: Owners,
    wanted: Window,
    index: Index,
    reader: Reader,
    is_over: Callable[[], bool] = lambda: False,
    on_step: Callable[[int], None] = lambda _: None,
) -> WalkReport:
    """Walk politely through the archives of sources, and announce the URLs of the wanted days; raises IndexUnavailable.

    For a source without sitemaps, those in its robots.txt are used. No request is made once `is_over`.
    """
    walk = _Walk(rules, owners, wanted, index, reader)
    for source in sources:
        await _begin(walk, source, client=client)
    while walk.following and not is_over():
        walk.wave, walk.following = walk.following, []
        visits = [_visit(number, place, rules) for number, place in enumerate(walk.wave)]
        await client.visit(visits, walk.take, is_full=is_over)
        on_step(len(walk.found))
    return WalkReport(
        read=walk.read,
        found=len(walk.found),
        discovered=walk.discovered,
        skipped=dict(walk.skipped),
        failed=dict(walk.failed),
        troubles=tuple(walk.troubles[:20]),
    )


async def _begin(walk: _Walk, source: Source, *, client: PoliteClient) -> None:
    for url in source.sitemaps or await _sitemaps_of_robots(walk, source, client=client):
        walk.add(_Place(url=Url.of(url), kind=FeedKind.SITEMAP, source_id=source.id))
    for url in source.listings:
        walk.add(_Place(url=Url.of(url), kind=FeedKind.LISTING, source_id=source.id))
    if source.urls:
        listed = [Entry(url=Url.of(url)) for url in source.urls]
        walk.announce(source.id, listed, announced_by=f"catalogue:{source.id}")


async def _sitemaps_of_robots(walk: _Walk, source: Source, *, client: PoliteClient) -> tuple[str, ...]:
    """Return the sitemaps that the robots.txt of a source's front page names; it is fetched together with that page."""
    if source.home_url is None:
        return ()
    home, rules = Url.of(source.home_url), walk.rules[source.id]

    async def nothing(_visit: Visit) -> None:
        return

    await client.visit([Visit(key="home", url=home, rules=rules)], nothing)
    try:
        lines = await read_sitemaps(HostLimits(walk.index).robots(robots_name(home.origin, rules)), reader=walk.reader)
    except ItemError as error:
        walk.failed[error.counted_as] += 1
        return ()
    refusals = Refusals()
    return tuple(str(one) for line in lines if (one := refusals.url(line, base_url=home)))


def _visit(number: int, place: _Place, rules: Mapping[str, SourceRules]) -> Visit:
    return Visit(
        key=str(number),
        url=place.url,
        rules=rules[place.source_id],
        accept=ACCEPT,
        max_wire_size=MAX_FEED_SIZE,
        max_decoded_size=MAX_FEED_SIZE,
    )
