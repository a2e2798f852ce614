"""Parse a listing page, or a site's front page, into entries: its links to the same site, without obvious furniture.

Pure. Whether a link is an article is decided by extraction. A missed link loses an article, a superfluous one costs a
GET; the catalogue's `exclude` narrows it down, and `include` overrides the score.
"""

from collections.abc import Container, Iterator
from dataclasses import replace
from itertools import islice

from lxml import etree

from tasks.errors import BadUrl, ForbiddenScheme, NotAFeed
from tasks.feeds.collector import FURNITURE, Collector, Refusals, plain_title
from tasks.feeds.document import Document
from tasks.feeds.html_links import FoundBy, HtmlPage, linked_feeds, read_page
from tasks.feeds.link_weight import weight_of
from tasks.values.feed import Entry, FeedContent
from tasks.values.url import Url

MAX_LINKS = 1000
_MAX_LOOKED_AT = 10_000
_FURNITURE_ELEMENTS = frozenset({"nav", "footer", "form", "dialog", "template"})
_FURNITURE_ROLES = frozenset({"navigation", "contentinfo", "search", "menu", "menubar", "dialog"})
_MAX_TITLE = 300


def parse(body: bytes, document: Document) -> FeedContent:
    """Return the page's links that may be articles; raises NotAFeed."""
    return read_links(page_of(body, document), document)


def parse_front_page(body: bytes, document: Document, *, feed_types: Container[str]) -> FeedContent:
    """Return the page's links, and in `linked` the feeds of its head; raises NotAFeed."""
    page = page_of(body, document)
    content = read_links(page, document)
    refusals = Refusals()
    refusals.add(content.refused)
    linked = linked_feeds(page, feed_types=feed_types, refusals=refusals)
    feeds = tuple(Entry(url=Url.of(one.url)) for one in linked if one.found_by is FoundBy.LINK)
    return replace(content, linked=feeds, refused=refusals.listed())


def page_of(body: bytes, document: Document) -> HtmlPage:
    """Return the page; raises NotAFeed."""
    page = read_page(body, document.content_type, url=document.url)
    if page is None:
        raise NotAFeed(f"not an HTML page: {document.url}")
    return page


def read_links(page: HtmlPage, document: Document) -> FeedContent:
    """Return the page's links, each once and in order, with the longest of their texts."""
    refusals = Refusals(ignored=FURNITURE)
    found = _each_once(page, document.url, refusals)
    collector = Collector(base_url=document.url, now=document.now, limit=MAX_LINKS)
    doubtful = Collector(base_url=document.url, now=document.now, limit=MAX_LINKS)
    for url, title in found:
        weight = weight_of(url, title)
        chosen = collector if weight is not None and weight >= 0 else doubtful
        if not chosen.is_full:
            chosen.add(url, title=title)
    refusals.add(collector.refusals.listed())
    return FeedContent(
        entries=collector.entries,
        doubtful=doubtful.entries,
        title=plain_title(page.root.findtext(".//title")),
        warnings=collector.warnings,
        refused=refusals.listed(),
    )


def _each_once(page: HtmlPage, page_url: str, refusals: Refusals) -> list[tuple[Url, str]]:
    found: dict[str, tuple[Url, str]] = {}
    own = Url.of(page_url)
    for href, words in islice(_links(page.root), _MAX_LOOKED_AT):
        with refusals.guarded(page_url):
            url = page.absolute(href, refusals)
            key = _key(url, page=own) if url else None
            if url is not None and key is not None:
                first_url, title = found.get(key, (url, ""))
                found[key] = first_url, words if len(title) < len(words) <= _MAX_TITLE else title
    return list(found.values())


def _links(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield href and text of each link outside of navigation, footers and forms."""
    inside = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag in _FURNITURE_ELEMENTS or element.get("role", "").lower() in _FURNITURE_ROLES:
            inside += 1 if event == "start" else -1
        elif element.tag == "a" and event == "end" and not inside and element.get("href"):
            words = " ".join("".join(element.itertext()).split()) or (element.get("title") or "").strip()
            yield element.get("href"), words


def _key(url: Url, *, page: Url) -> str | None:
    """Return the identity of a link to another page of the site, or None."""
    try:
        return url.key if url.is_same_site(page) and url.key != page.key else None
    except (BadUrl, ForbiddenScheme):
        return None
