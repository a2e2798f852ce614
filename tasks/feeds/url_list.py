"""Parse a plain list of URLs, one per line (sitemaps.org 0.9, "Text file"), into entries. Pure."""

import re

from tasks.feeds.collector import Collector
from tasks.feeds.document import Document
from tasks.feeds.sitemap import MAX_ENTRIES
from tasks.feeds.xml_tree import xml_text
from tasks.values.feed import FeedContent

_LINE_END = re.compile(r"[\r\n]")
_URL_LINE = re.compile(r"https?://\S+", re.IGNORECASE)
OPENING = re.compile(r"\s*https?://\S", re.IGNORECASE)
"""The beginning of a list of URLs."""


def parse(body: bytes, document: Document) -> FeedContent:
    """Return the lines that are URLs; others are skipped."""
    collector = Collector(base_url=document.url, now=document.now, limit=MAX_ENTRIES)
    for line in _LINE_END.split(xml_text(body, None)):
        if _URL_LINE.fullmatch(line.strip()):
            collector.add(line)
    return FeedContent(entries=collector.entries, warnings=collector.warnings, refused=collector.refusals.listed())
