"""Propose the feeds and sitemaps that a site may have, from its home page.

Pure: nothing is probed here. What the site declares comes first: `<link rel="alternate">`, links that look like feeds,
Sitemap lines of robots.txt. Common paths come last.
"""

from collections.abc import Iterable, Iterator

from tasks.feeds.collector import absolute_url
from tasks.feeds.formats import FEED_TYPES
from tasks.feeds.html_links import FoundBy, Proposal, linked_feeds, read_page
from tasks.values.feed import FeedKind

MAX_PROPOSALS = 40

COMMON_FEEDS = ("/feed/", "/rss.xml", "/feed.xml", "/atom.xml", "/rss", "/index.xml", "/feed.json")
COMMON_SITEMAPS = ("/news-sitemap.xml", "/sitemap_news.xml", "/sitemap.xml", "/sitemap_index.xml")


def propose_feeds(
    body: bytes, *, content_type: str | None, page_url: str, robots_sitemaps: Iterable[str] = ()
) -> tuple[Proposal, ...]:
    """Return the feeds that the site declares, then common paths, each URL once, at most 40."""
    page = read_page(body, content_type, url=page_url)
    linked = linked_feeds(page, feed_types=FEED_TYPES) if page is not None else ()
    said = (*linked, *_robots(robots_sitemaps, page_url))
    by_url: dict[str, Proposal] = {}
    for proposal in (*said, *_common(page_url)):
        by_url.setdefault(proposal.url, proposal)
    return tuple(by_url.values())[:MAX_PROPOSALS]


def _robots(sitemaps: Iterable[str], page_url: str) -> Iterator[Proposal]:
    for sitemap in sitemaps:
        url = absolute_url(sitemap, base_url=page_url)
        if url is not None:
            yield Proposal(url=url, kind=FeedKind.SITEMAP, found_by=FoundBy.ROBOTS)


def _common(page_url: str) -> Iterator[Proposal]:
    for paths, kind in ((COMMON_FEEDS, FeedKind.FEED), (COMMON_SITEMAPS, FeedKind.SITEMAP)):
        for path in paths:
            url = absolute_url(path, base_url=page_url)
            if url is not None:
                yield Proposal(url=url, kind=kind, found_by=FoundBy.COMMON)
