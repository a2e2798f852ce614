"""A plain list of URLs, a line each, into its entries. Pure. By sitemaps.org 0.9, "Text file"."""

import re

from tasks.feeds.collector import Collector
from tasks.feeds.document import Document
from tasks.feeds.sitemap import MAX_ENTRIES, has_root
from tasks.feeds.xml_tree import xml_text
from tasks.values.feed import FeedContent

_LINE_END = re.compile(r"[\r\n]")
_URL_LINE = re.compile(r"https?://\S+", re.IGNORECASE)


def is_url_list(start: str) -> bool:
    """Whether a document begins with a URL, and is no XML."""
    return not has_root(start) and _URL_LINE.match(start.lstrip()) is not None


def parse(document: Document) -> FeedContent:
    """Return the lines that are URLs; others are passed over."""
    collector = Collector(base_url=document.url, now=document.now, limit=MAX_ENTRIES)
    for line in _LINE_END.split(xml_text(document.body, None)):
        if _URL_LINE.fullmatch(line.strip()):
            collector.add(line)
    return FeedContent(entries=collector.entries, warnings=collector.warnings, refused=collector.refusals.listed())
