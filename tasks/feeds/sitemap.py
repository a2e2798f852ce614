"""The bytes of a sitemap into its entries: urlset, news sitemap, sitemap index, a plain list of URLs. Pure.

By sitemaps.org 0.9 and Google's news extension. A tree is never held: each `url` is forgotten once it was read, so that
50,000 cost no more memory than their text.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from tasks.errors import BadContentEncoding, BodyTruncated, DecompressionBomb, NotAFeed
from tasks.feeds.collector import Gathering
from tasks.feeds.dates import EARLIEST, parse_instant
from tasks.feeds.syndication import parse_feed
from tasks.feeds.xml_tree import READING, children, mend_xml, split_name, xml_text
from tasks.values.feed import Entry, FeedContent
from tasks.web.decoding import decode_body, decode_prefix

MAX_SITEMAP_SIZE = 50_000_000
"""Bytes of a sitemap, unpacked (sitemaps.org: 50 MB)."""

MAX_ENTRIES = 50_000
"""URLs of one sitemap that are kept (sitemaps.org: 50,000)."""

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_UNPACKINGS = 2  # some servers compress what is compressed already
_ROOT = re.compile(r"<(?:[A-Za-z][\w.-]{0,40}:)?(urlset|sitemapindex|rss|feed|rdf|html|opml)(?=[\s>/])", re.IGNORECASE)
_FEEDS = frozenset({"rss", "feed", "rdf"})
_ROOT_WITHIN = 65_536
_SLICE_LENGTH = 262_144
_URL_LINE = re.compile(r"https?://\S+", re.IGNORECASE)


def parse_sitemap(body: bytes, *, sitemap_url: str, now: datetime) -> FeedContent:
    """Return what a sitemap says, read as far as it goes; the children of an index come newest first.

    Raises NotAFeed for anything else, and for one that is more than 50 MB when unpacked. A feed may stand for a
    sitemap (sitemaps.org, "Other Sitemap formats").
    """
    gathering = Gathering(base_url=sitemap_url, now=now, limit=MAX_ENTRIES)
    unpacked = _unpacked(body, gathering, sitemap_url=sitemap_url)
    text = xml_text(unpacked, None)
    root = _ROOT.search(text, 0, _ROOT_WITHIN)
    name = root[1].lower() if root else None
    if root is None and _URL_LINE.match(text.lstrip()):
        for line in text.split("\n"):
            if _URL_LINE.fullmatch(line.strip()):
                gathering.add(line)
        return FeedContent(entries=gathering.entries, warnings=gathering.warnings, refused=gathering.refusals.listed())
    if name in _FEEDS:
        return parse_feed(unpacked, content_type=None, feed_url=sitemap_url, now=now)
    if root is None or name not in ("urlset", "sitemapindex"):
        raise NotAFeed(f"{'an HTML page' if name == 'html' else 'no sitemap'} at {sitemap_url}")
    found = _read(text, root.start(), gathering, sitemap_url=sitemap_url)
    gathering.flag_equal_dates()
    return FeedContent(
        entries=gathering.entries,
        children=found,
        warnings=gathering.warnings,
        refused=gathering.refusals.listed(),
    )


def _unpacked(body: bytes, gathering: Gathering, *, sitemap_url: str) -> bytes:
    """Undo gzip, which the file is by its first bytes, whatever its name: `.xml.gz` may have been unpacked on its way."""
    for _ in range(_MAX_UNPACKINGS):
        if not body.startswith(_GZIP_MAGIC):
            break
        try:
            body = decode_body(body, "gzip", max_size=MAX_SITEMAP_SIZE)
        except BodyTruncated:
            gathering.doubt("gzip stream ends early")
            body = decode_prefix(body, "gzip", max_size=MAX_SITEMAP_SIZE)
        except DecompressionBomb as error:
            raise NotAFeed(f"more than {MAX_SITEMAP_SIZE:,} bytes when unpacked at {sitemap_url}") from error
        except BadContentEncoding as error:
            raise NotAFeed(f"corrupt gzip at {sitemap_url}") from error
    return body[:MAX_SITEMAP_SIZE]


def _read(text: str, start: int, gathering: Gathering, *, sitemap_url: str) -> tuple[Entry, ...]:
    """Add a document's URLs to the gathering, and return the sitemaps that it names, the newest first."""
    found: dict[str, Entry] = {}
    for element in _elements(text, start, gathering):
        if split_name(element)[1] == "url":
            with gathering.refusals.guarded(sitemap_url):
                _add_url(element, gathering)
            continue
        words = {name: (child.text or "").strip() for _, name, child in children(element)}
        child_url = gathering.refusals.url(words.get("loc"), base_url=sitemap_url)
        if child_url is None:
            gathering.doubt("sitemap without a link that can be fetched")
        elif len(found) < MAX_ENTRIES:
            with gathering.refusals.guarded(child_url):
                found.setdefault(child_url, Entry(url=child_url, modified_at=parse_instant(words.get("lastmod"))))
    return tuple(sorted(found.values(), key=lambda child: child.modified_at or EARLIEST, reverse=True))


def _add_url(element: etree._Element, gathering: Gathering) -> None:
    words: dict[str, str] = {}
    for prefix, name, child in children(element):
        if name in ("loc", "lastmod") and prefix in ("", "sm", "s", "ns", "ns0", "sitemap"):
            words.setdefault(name, child.text or "")
        elif name == "news":
            for _, news_name, news_child in children(child):
                words.setdefault(f"news:{news_name}", news_child.text or "")
    gathering.add(
        words.get("loc"),
        title=words.get("news:title"),
        published=words.get("news:publication_date"),
        modified=words.get("lastmod"),
    )


def _elements(text: str, start: int, gathering: Gathering) -> Iterator[etree._Element]:
    """Yield each `url` and `sitemap`, as they come; each is emptied when the next is asked for."""
    parser = etree.XMLPullParser(
        events=("end",),
        tag=("{*}url", "{*}sitemap"),
        **READING,
    )
    try:
        for piece in _pieces(text, start):
            parser.feed(mend_xml(piece).encode("utf-8", "replace"))
            for _, element in parser.read_events():
                yield element
                _forget(element)
        rest = parser.close()
    except etree.XMLSyntaxError as error:
        gathering.doubt(f"not well-formed, {' '.join(str(error.msg)[:100].split())}")
        return
    if any(entry.level >= etree.ErrorLevels.FATAL for entry in parser.feed_error_log):
        gathering.doubt("not well-formed")
        # what was never closed told of no end; what was, is empty by now
        yield from (element for element in rest.iter("{*}url", "{*}sitemap") if len(element))


def _pieces(text: str, start: int) -> Iterator[str]:
    """Cut the text before end tags, so that no entity and no CDATA section is torn."""
    while start < len(text):
        end = text.find("</", start + _SLICE_LENGTH)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end


def _forget(element: etree._Element) -> None:
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
