"""Parse a sitemap into entries: urlset, news sitemap, sitemap index.

Pure. It follows sitemaps.org 0.9 and Google's news extension. Parsing is incremental: each `url` is freed once it was
read, so that 50,000 take no more memory than their text.
"""

import re
from collections.abc import Iterator

from lxml import etree

from tasks.errors import NotAFeed
from tasks.feeds.collector import Collector
from tasks.feeds.dates import EARLIEST
from tasks.feeds.document import Document
from tasks.feeds.namespaces import is_sitemaps
from tasks.feeds.xml_tree import (
    READING,
    SITEMAP_ROOTS,
    children,
    first_element,
    mend_xml,
    split_name,
    without_half_address,
    xml_text,
)
from tasks.values.feed import Entry, FeedContent
from tasks.web.text import bounded_markup

MAX_ENTRIES = 50_000
"""The most URLs of one sitemap (sitemaps.org: 50,000)."""

_PREFIXED = re.compile(r"<([A-Za-z][\w.-]{0,40}):\w+")
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_SLICE_LENGTH = 262_144


def parse(body: bytes, document: Document) -> FeedContent:
    """Parse a sitemap, as far as possible; the children of an index come newest first. Raises NotAFeed."""
    collector = Collector(base_url=document.url, now=document.now, limit=MAX_ENTRIES)
    text, doubts = bounded_markup(xml_text(body, None))
    for doubt in doubts:
        collector.doubt(doubt)
    name, start = first_element(text) or ("", 0)
    if name not in SITEMAP_ROOTS:
        raise NotAFeed(f"not a sitemap: {document.url}")
    found = _read(text, start, collector, sitemap_url=document.url)
    collector.flag_equal_dates()
    return FeedContent(
        entries=collector.entries,
        children=found,
        warnings=collector.warnings,
        refused=collector.refusals.listed(),
    )


def _read(text: str, start: int, collector: Collector, *, sitemap_url: str) -> tuple[Entry, ...]:
    """Add a document's URLs to the collector, and return the sitemaps that it names, the newest first."""
    found: dict[str, Entry] = {}
    for element in _elements(text, start, collector):
        if collector.is_full or len(found) >= MAX_ENTRIES:
            collector.doubt(f"more than {MAX_ENTRIES:,} entries")
            break
        if split_name(element)[1] == "url":
            with collector.refusals.guarded(sitemap_url):
                _add_url(element, collector)
            continue
        words = {name: (child.text or "").strip() for _, name, child in children(element)}
        child_url = collector.refusals.url(words.get("loc"), base_url=sitemap_url)
        if child_url is None:
            collector.doubt("sitemap without a fetchable link")
        else:
            with collector.refusals.guarded(child_url):
                found.setdefault(child_url, Entry(url=child_url, modified_at=collector.instant(words.get("lastmod"))))
    return tuple(sorted(found.values(), key=lambda child: child.modified_at or EARLIEST, reverse=True))


def _add_url(element: etree._Element, collector: Collector) -> None:
    words: dict[str, str] = {}
    own = split_name(element)[0]
    for space, name, child in children(element):
        # the `loc` of pictures and videos is in other namespaces
        if name in ("loc", "lastmod") and (space == own or is_sitemaps(space)):
            words.setdefault(name, child.text or "")
        elif name == "news":
            for _, news_name, news_child in children(child):
                words.setdefault(f"news:{news_name}", news_child.text or "")
    collector.add(
        words.get("loc"),
        title=words.get("news:title"),
        published=words.get("news:publication_date"),
        modified=words.get("lastmod"),
    )


def _elements(text: str, start: int, collector: Collector) -> Iterator[etree._Element]:
    """Yield each `url` and `sitemap` while parsing; each is cleared when the next one is requested."""
    parser = etree.XMLPullParser(
        events=("end",),
        tag=("{*}url", "{*}sitemap"),
        **READING,
    )
    try:
        for piece in _pieces(*_declared(without_half_address(text), start)):
            parser.feed(mend_xml(piece).encode("utf-8", "replace"))
            for _, element in parser.read_events():
                yield element
                _forget(element)
        rest = parser.close()
    except etree.XMLSyntaxError as error:
        collector.doubt(f"not well-formed, {' '.join(str(error.msg)[:100].split())}")
        return
    if any(entry.level >= etree.ErrorLevels.FATAL for entry in parser.feed_error_log):
        collector.doubt("not well-formed")
        # an unclosed element caused no end event; a closed one is empty by now
        yield from (element for element in rest.iter("{*}url", "{*}sitemap") if len(element))


def _declared(text: str, start: int) -> tuple[str, int]:
    """Return the text with the prefix of its root declared, and the root's position."""
    root = _PREFIXED.match(text, start)
    end = text.find(">", start)
    if root is None or re.search(rf"xmlns:{re.escape(root[1])}\s*=", text[start:end]):
        return text, start
    at = root.end()
    return f'{text[start:at]} xmlns:{root[1]}="{_NAMESPACE}"{text[at:]}', 0


def _pieces(text: str, start: int) -> Iterator[str]:
    """Split the text before end tags, so that no entity and no CDATA section is split."""
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
