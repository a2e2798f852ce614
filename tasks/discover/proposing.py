"""Propose a source for the catalogue from a home page's URL: probe the feeds that the site may have, and keep those that work."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.config.catalogue import Source, SourceRules, new_id
from tasks.discover.intake import read_sitemaps
from tasks.discover.probe import ProbeResult, Target, look_at
from tasks.errors import Deferred, ItemError, NotAFeed
from tasks.feeds.autodiscovery import propose_feeds
from tasks.feeds.html_links import FoundBy, Proposal
from tasks.politeness.client import PoliteClient
from tasks.politeness.robots import origin_of
from tasks.runtime.reading import FeedJob, Reader, SharedReader
from tasks.values.feed import FeedKind
from tasks.values.permit import RobotsAnswer
from tasks.values.url import host_of, url_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedFeed:
    """One feed that was probed, with its result; `reason` None means that it works."""

    url: str
    kind: FeedKind
    found_by: FoundBy
    entries: int
    newest_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProposal:
    """A source with all feeds that work, those declared by the site first, and everything that was probed."""

    source: Source
    tried: tuple[ProbedFeed, ...]


async def propose_source(
    home_url: str,
    *,
    rules: SourceRules,
    client: PoliteClient,
    robots: Callable[[str], RobotsAnswer | None],
    known_ids: Collection[str] = (),
    reader: Reader | None = None,
) -> SourceProposal:
    """Fetch a front page and probe the feeds that it may have; the URL may also be a feed itself.

    `robots` returns the stored robots.txt of an origin. If the page's own feed works, nothing else is probed; without a
    working feed, the page itself is the listing. Raises ItemError if there is neither page nor feed, or the host
    requires a wait.
    """
    reader = reader or SharedReader()
    home = (await look_at([_target(home_url, FeedKind.HOME, rules)], client=client, reader=reader))[0]
    if home.until is not None:
        raise Deferred(f"{host_of(home_url)} requires a wait until {home.until:%Y-%m-%d %H:%M} UTC")
    is_page = not isinstance(home.error, NotAFeed)
    if home.error is not None and is_page:
        raise home.error
    page_url = home.url or home_url
    answer = robots(origin_of(page_url))
    proposals = await _proposals(home, page_url, answer, reader) if is_page else _itself(home_url)
    looks, tried = list[ProbeResult](), list[ProbedFeed]()
    for wave in _waves(proposals):
        seen = await look_at([_target(one.url, one.kind, rules) for one in wave], client=client, reader=reader)
        looks += seen
        tried += [_tried(look, one.found_by) for look, one in zip(seen, wave, strict=True)]
        if any(map(_works, seen)):
            break
    works = [look for look in looks if _works(look)]
    if not is_page and not works:
        raise looks[0].error or NotAFeed(f"no entries at {home_url}")
    distinct = _distinct(works)
    titles = [look.content.title for look in (home, *works) if look.content and look.content.title]
    source = Source(
        id=new_id(host_of(page_url).removeprefix("www."), known_ids),
        name=(titles[0] if titles else host_of(page_url))[:300],
        home_url=page_url if is_page else None,
        feeds=tuple(url for url, kind in distinct if kind is FeedKind.FEED),
        sitemaps=tuple(url for url, kind in distinct if kind is FeedKind.SITEMAP),
        listings=() if distinct else (page_url,),
    )
    return SourceProposal(source=source, tried=tuple(tried))


async def _proposals(
    home: ProbeResult, page_url: str, answer: RobotsAnswer | None, reader: Reader
) -> tuple[Proposal, ...]:
    sitemaps = await read_sitemaps(answer, reader=reader)
    return await reader.read(FeedJob(_proposed, (home.body, home.content_type, page_url, sitemaps), page_url))


def _proposed(body: bytes, content_type: str | None, page_url: str, sitemaps: tuple[str, ...]) -> tuple[Proposal, ...]:
    return propose_feeds(body, content_type=content_type, page_url=page_url, robots_sitemaps=sitemaps)


def _itself(feed_url: str) -> tuple[Proposal, ...]:
    return (Proposal(url=feed_url, kind=FeedKind.FEED, found_by=FoundBy.LINK),)


def _waves(proposals: Sequence[Proposal]) -> Iterator[Sequence[Proposal]]:
    """Yield groups of feeds to probe together: the page's main feed, its other feeds, those in robots.txt, common paths."""
    linked = [one for one in proposals if one.found_by in {FoundBy.LINK, FoundBy.ANCHOR}]
    named = [one for one in proposals if one.found_by is FoundBy.ROBOTS]
    common = [one for one in proposals if one.found_by is FoundBy.COMMON]
    yield from filter(None, (linked[:1], linked[1:], named, common))


def _works(look: ProbeResult) -> bool:
    return look.error is None and look.content is not None and bool(look.content.entries)


def _target(url: str, kind: FeedKind, rules: SourceRules) -> Target:
    return Target(url=url, kind=kind, source_id="", rules=rules)


def _tried(look: ProbeResult, found_by: FoundBy) -> ProbedFeed:
    entries = len(look.content.entries) if look.content else 0
    reason = look.error.counted_as if look.error else ("deferred" if look.until else None if entries else "no_entries")
    return ProbedFeed(
        url=look.target.url,
        kind=look.target.kind,
        found_by=found_by,
        entries=entries,
        newest_at=look.newest_at,
        reason=reason,
    )


def _distinct(looks: Iterable[ProbeResult]) -> list[tuple[str, FeedKind]]:
    """Return URL and kind of each distinct feed, although several URLs may lead to it or have the same content."""
    places: set[str] = set()
    tidings: set[frozenset[str]] = set()
    distinct = []
    for look in looks:
        entries = look.content.entries if look.content else ()
        url = look.moved_to or look.target.url
        entry_urls = frozenset(entry.url for entry in entries)
        if _key(look.url or url) in places or entry_urls in tidings:
            continue
        places.add(_key(look.url or url))
        tidings.add(entry_urls)
        is_sitemap = look.target.kind is FeedKind.SITEMAP or bool(look.content and look.content.children)
        distinct.append((url, FeedKind.SITEMAP if is_sitemap else FeedKind.FEED))
    return distinct


def _key(url: str) -> str:
    try:
        return url_key(url)
    except ItemError:
        return url
