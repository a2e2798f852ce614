"""A home page into the feeds and sitemaps that its site may have. Pure: what is proposed here is not tried yet.

What the site says of itself comes first: `<link rel="alternate">`, links that look like feeds, robots.txt's Sitemap
lines. What is merely common is proposed last.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from tasks.feeds.collector import absolute_url, plain_title
from tasks.feeds.html_links import page_base, page_tree
from tasks.feeds.refusals import Refusals
from tasks.values.feed import FeedKind

MAX_PROPOSALS = 40

COMMON_FEEDS = ("/feed/", "/rss.xml", "/feed.xml", "/atom.xml", "/rss", "/index.xml", "/feed.json")
COMMON_SITEMAPS = ("/news-sitemap.xml", "/sitemap_news.xml", "/sitemap.xml", "/sitemap_index.xml")

# with XML's general type a link is called a feed by some and a sitemap by others: the bytes will tell
_FEED_TYPES = re.compile(r"(?:application/(?:rss|atom|rdf|feed)\+(?:xml|json)|(?:text|application)/xml)", re.IGNORECASE)
_FEED_LINK = re.compile(
    r"(?:\.(?:rss|atom|rdf)|/(?:rss|feed|atom)s?(?:\.(?:xml|json|php|rdf))?/?|/index\.(?:xml|rdf))(?:[?#]|$)",
    re.IGNORECASE,
)
# what readers say of an article, and one article's own feed, announce no articles
_COMMENTS = re.compile(r"/comments?/|/comment(?:s|-feed)|[?&]comments?=", re.IGNORECASE)


class FoundBy(StrEnum):
    """What made us think of a feed, the surest first."""

    LINK = "link"
    ANCHOR = "anchor"
    ROBOTS = "robots"
    COMMON = "common"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One feed that a site may have."""

    url: str
    kind: FeedKind
    found_by: FoundBy
    title: str | None = None


def propose_feeds(
    body: bytes, *, content_type: str | None, page_url: str, robots_sitemaps: Iterable[str] = ()
) -> tuple[Proposal, ...]:
    """Return what the site says it has, then what is common, each URL once, at most 40."""
    said = (*linked_feeds(body, content_type=content_type, page_url=page_url), *_robots(robots_sitemaps, page_url))
    by_url: dict[str, Proposal] = {}
    for proposal in (*said, *_common(page_url)):
        by_url.setdefault(proposal.url, proposal)
    return tuple(by_url.values())[:MAX_PROPOSALS]


def linked_feeds(
    body: bytes, *, content_type: str | None, page_url: str, refusals: Refusals | None = None
) -> tuple[Proposal, ...]:
    """Return the feeds that a page links to, those in its head first; none where it is no HTML page.

    Links that cannot be stored are left out, and counted among the `refusals`.
    """
    refused = refusals or Refusals()
    root = page_tree(body, content_type)
    if root is None:
        return ()
    by_url: dict[str, Proposal] = {}
    for href, title, found_by in (*_head_links(root), *_anchors(root)):
        url = refused.url(href, base_url=page_base(root, page_url))
        if url is not None and not _COMMENTS.search(url):
            proposal = Proposal(url=url, kind=FeedKind.FEED, found_by=found_by, title=plain_title(title))
            by_url.setdefault(url, proposal)
    return tuple(by_url.values())


def _head_links(root: etree._Element) -> Iterator[tuple[str, str | None, FoundBy]]:
    for link in root.iter("link"):
        words = (link.get("rel") or "").lower().split()
        is_feed = _FEED_TYPES.fullmatch((link.get("type") or "").partition(";")[0].strip()) is not None
        # a stylesheet can be an alternate too, and hreflang's alternates have no type
        if link.get("href") and ("feed" in words or ("alternate" in words and is_feed and "stylesheet" not in words)):
            yield link.get("href"), link.get("title"), FoundBy.LINK


def _anchors(root: etree._Element) -> Iterator[tuple[str, str | None, FoundBy]]:
    for anchor in root.iter("a"):
        href = (anchor.get("href") or "").strip()
        if _FEED_LINK.search(href):
            yield href, "".join(anchor.itertext()), FoundBy.ANCHOR


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
