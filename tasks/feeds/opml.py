"""OPML, in which feed readers hand on their lists of feeds, into sources and back. Pure.

Only feeds go into an OPML file: it has no word for sitemaps and listings.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import islice

from lxml import etree

from tasks.config.catalogue import Source
from tasks.config.source_ids import new_id
from tasks.errors import CatalogueError, NotAFeed
from tasks.feeds.collector import plain_title
from tasks.feeds.refusals import Refusals
from tasks.feeds.xml_tree import MAX_FEED_LENGTH, feed_tree, mend_xml, xml_text
from tasks.values.url import host_of, url_key

MAX_OUTLINES = 100_000
_ROOT = re.compile(r"<opml[\s>]", re.IGNORECASE)
_FEED_SCHEME = re.compile(r"^feed:(//)?(?!//)", re.IGNORECASE)
_BASE = "https://opml.invalid/"  # an address without a host of its own is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a list, with its site and its title."""

    feed_url: str
    home_url: str | None
    title: str | None


def is_opml(start: str) -> bool:
    """Whether a document is a list of feeds."""
    return _ROOT.search(start) is not None


def read_opml(body: bytes, *, name: str, refusals: Refusals | None = None) -> tuple[Outline, ...]:
    """Return the feeds of an OPML list, each once, in its order; raises CatalogueError, naming the file by `name`.

    A feed whose address cannot be stored is left out, and counted among the `refusals`.
    """
    refused = refusals or Refusals()
    text = xml_text(body, None)
    start = _ROOT.search(text)
    if start is None:
        raise CatalogueError(f"{name}: no OPML list of feeds")
    try:
        root, _ = feed_tree(mend_xml(text[start.start() :][:MAX_FEED_LENGTH]), feed_url=name)
    except NotAFeed as error:
        raise CatalogueError(f"{name}: no OPML list of feeds") from error
    outlines: dict[str, Outline] = {}
    for attributes in islice(_attributes(root), MAX_OUTLINES):
        feed_url = _address(attributes.get("xmlurl"), refused)
        if feed_url is not None:
            title = plain_title(attributes.get("text") or attributes.get("title"))
            outline = Outline(feed_url=feed_url, home_url=_address(attributes.get("htmlurl"), refused), title=title)
            outlines.setdefault(feed_url, outline)
    return tuple(outlines.values())


def sources_of(outlines: Iterable[Outline], *, known_ids: Collection[str] = ()) -> tuple[Source, ...]:
    """Return the feeds as sources for the catalogue; those of one home page are one source."""
    by_home: dict[str, list[Outline]] = {}
    for outline in outlines:
        by_home.setdefault(url_key(outline.home_url or outline.feed_url), []).append(outline)
    ids = set(known_ids)
    sources = []
    for group in by_home.values():
        first = group[0]
        name = first.title or host_of(first.home_url or first.feed_url)
        source_id = new_id(name, ids)
        ids.add(source_id)
        feeds = tuple(outline.feed_url for outline in group)
        sources.append(Source(id=source_id, name=name[:300], home_url=first.home_url, feeds=feeds))
    return tuple(sources)


def write_opml(sources: Iterable[Source], *, title: str, now: datetime) -> bytes:
    """Return the sources' feeds as an OPML 2.0 list; a source without feeds is left out."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    etree.SubElement(head, "dateCreated").text = format_datetime(now, usegmt=True)
    body = etree.SubElement(root, "body")
    for source in sources:
        for feed_url in source.feeds:
            # XML takes no control characters
            name = " ".join("".join(char if char.isprintable() else " " for char in source.name).split())
            outline = etree.SubElement(body, "outline", type="rss", text=name, xmlUrl=feed_url)
            if source.home_url:
                outline.set("htmlUrl", source.home_url)
            if source.language:
                outline.set("language", source.language)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return written


def _attributes(root: etree._Element) -> Iterator[dict[str, str]]:
    """Yield the attributes of each outline, however deep it lies, by name in lower case."""
    for element in root.iter("*"):
        if element.tag.lower() == "outline":
            yield {name.lower(): value for name, value in element.attrib.items()}


def _address(text: str | None, refusals: Refusals) -> str | None:
    # feed: is an old habit of readers, before an address or in place of http:
    bare = _FEED_SCHEME.sub(lambda found: "http://" if found[1] else "", (text or "").strip())
    url = refusals.url(bare, base_url=_BASE)
    return None if url is None or url.startswith(_BASE) else url
