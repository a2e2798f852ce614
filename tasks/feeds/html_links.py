"""Parse an HTML page, and find the feeds that it links to. Pure."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree, html

from tasks.feeds.collector import Refusals, absolute_url, plain_title
from tasks.values.feed import FeedKind
from tasks.values.url import Url, without_breaks
from tasks.web.text import bounded_markup, decode_text

MAX_PAGE_LENGTH = 5_000_000
"""The most characters of a page that are parsed."""

_XML = r"\s*(?:<\?xml\s[^>]{0,200}\?>\s*)?<(?:rss|feed|urlset|sitemapindex|rdf:RDF)\b"
MARKUP = re.compile(rf"(?!{_XML})(?s:.*?)<(?i:!doctype\s+html|html|head|body|a|div)\b")
"""The beginning of an HTML page or fragment, which no feed has."""

_FEED_LINK = re.compile(
    r"(?:\.(?:rss|atom|rdf)|/(?:rss|feed|atom)s?(?:\.(?:xml|json|php|rdf))?/?|/index\.(?:xml|rdf))(?:[?#]|$)",
    re.IGNORECASE,
)
# comment feeds, and feeds of a single article, announce no articles
_COMMENTS = re.compile(r"/comments?/|/comment(?:s|-feed)|[?&]comments?=", re.IGNORECASE)


class FoundBy(StrEnum):
    """How a feed was found, the most reliable way first."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlPage:
    """A parsed page, its base URL, and its charset."""

    root: etree._Element
    base_url: str
    charset: str

    def absolute(self, href: str | None, refusals: Refusals) -> Url | None:
        """Return a link resolved as in browsers; None if it is invalid, which is counted."""
        return refusals.url(href, base_url=self.base_url, charset=self.charset)


def read_page(body: bytes, content_type: str | None, *, url: str) -> HtmlPage | None:
    """Return an HTML page, or None if the bytes are not HTML."""
    text, charset = decode_text(body, content_type)
    text, _ = bounded_markup(text[:MAX_PAGE_LENGTH])
    if MARKUP.match(text) is None:
        return None
    parser = html.HTMLParser(huge_tree=True, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # only white space and comments
        return None
    declared = next((base.get("href") for base in root.iter("base") if base.get("href")), None)
    return HtmlPage(root=root, base_url=absolute_url(declared, base_url=url) or url, charset=charset)


def linked_feeds(
    page: HtmlPage, *, feed_types: Container[str], refusals: Refusals | None = None
) -> tuple[Proposal, ...]:
    """Return the feeds that a page links to, those in its head first: links with a feed's type, and links that look like feeds.

    Invalid links are left out, and counted in `refusals`.
    """
    refused = refusals or Refusals()
    by_url: dict[str, Proposal] = {}
    for href, title, found_by in (*_head_links(page.root, feed_types), *_anchors(page.root)):
        url = page.absolute(href, refused)
        if url is not None and not _COMMENTS.search(url):
            proposal = Proposal(url=url, kind=FeedKind.FEED, found_by=found_by, title=plain_title(title))
            by_url.setdefault(url, proposal)
    return tuple(by_url.values())


def _head_links(root: etree._Element, feed_types: Container[str]) -> Iterator[tuple[str, str | None, FoundBy]]:
    for link in root.iter("link"):
        words = (link.get("rel") or "").lower().split()
        is_feed = (link.get("type") or "").partition(";")[0].strip().lower() in feed_types
        # style sheets can be alternates too, and hreflang alternates have no type
        if link.get("href") and ("feed" in words or ("alternate" in words and is_feed and "stylesheet" not in words)):
            yield link.get("href"), link.get("title"), FoundBy.LINK


def _anchors(root: etree._Element) -> Iterator[tuple[str, str | None, FoundBy]]:
    for anchor in root.iter("a"):
        href = without_breaks(anchor.get("href") or "")
        if _FEED_LINK.search(href):
            yield href, "".join(anchor.itertext()), FoundBy.ANCHOR
