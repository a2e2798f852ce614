"""Convert OPML, the list format of feed readers, to sources and back.

Pure. Only feeds go into an OPML file, since it cannot express sitemaps and listings.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import islice

from lxml import etree

from tasks.config.catalogue import Source, new_id
from tasks.errors import CatalogueError, NotAFeed
from tasks.feeds.collector import Refusals, plain_title
from tasks.feeds.xml_tree import MAX_FEED_LENGTH, feed_tree, mend_xml, xml_text
from tasks.values.url import host_of, url_key

MAX_OUTLINES = 100_000
MAX_TAG, MAX_FOLDERS = 100, 16
_ROOT = re.compile(r"<opml[\s>]", re.IGNORECASE)
_FEED_SCHEME = re.compile(r"^feed:(//)?(?!//)", re.IGNORECASE)
_BASE = "https://opml.invalid/"  # detects addresses without a host


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a list, with its site and its title."""

    feed_url: str
    home_url: str | None
    title: str | None
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A feed of a list that cannot be used: its title and URL as written, and why."""

    title: str
    address: str
    reason: str


def read_opml(body: bytes, *, name: str) -> tuple[tuple[Outline, ...], tuple[LeftOut, ...]]:
    """Return the feeds of an OPML list, each once, in order, and those left out; raises CatalogueError with `name`.

    A feed's folders are the titles of the enclosing outlines, the outermost first.
    """
    text = xml_text(body, None)
    start = _ROOT.search(text)
    if start is None:
        raise CatalogueError(f"{name}: not an OPML file")
    try:
        root, _ = feed_tree(mend_xml(text[start.start() :][:MAX_FEED_LENGTH]), feed_url=name)
    except NotAFeed as error:
        raise CatalogueError(f"{name}: not an OPML file") from error
    outlines: dict[str, Outline] = {}
    left_out: list[LeftOut] = []
    for element in islice(_outlines(root), MAX_OUTLINES):
        attributes = _attributes(element)
        address, title = attributes.get("xmlurl", "").strip(), _title(attributes)
        if not address:
            continue  # a folder, or a link to a page
        refused = Refusals()
        feed_url = _address(address, refused)
        if feed_url is None:
            left_out.append(LeftOut(title=title or "", address=address, reason=_why(refused)))
            continue
        home_url = _address(attributes.get("htmlurl"), Refusals())
        outline = Outline(feed_url=feed_url, home_url=home_url, title=title, folders=_folders(element))
        outlines.setdefault(feed_url, outline)
    return tuple(outlines.values()), tuple(left_out)


def sources_of(outlines: Iterable[Outline], *, known_ids: Collection[str] = ()) -> tuple[Source, ...]:
    """Return the feeds as sources for the catalogue; feeds with the same home page become one source."""
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
        tags = tuple(dict.fromkeys(folder for outline in group for folder in outline.folders))
        sources.append(Source(id=source_id, name=name[:300], home_url=first.home_url, feeds=feeds, tags=tags))
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
            # XML forbids control characters
            name = " ".join("".join(char if char.isprintable() else " " for char in source.name).split())
            outline = etree.SubElement(body, "outline", type="rss", text=name, xmlUrl=feed_url)
            if source.home_url:
                outline.set("htmlUrl", source.home_url)
            if source.language:
                outline.set("language", source.language)
            if source.tags:
                outline.set("category", ",".join(tag.replace(",", " ") for tag in source.tags))
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return written


def _outlines(root: etree._Element) -> Iterator[etree._Element]:
    """Yield each outline, however deep it is."""
    return (element for element in root.iter("*") if element.tag.lower() == "outline")


def _attributes(element: etree._Element) -> dict[str, str]:
    """Return the attributes of an outline, by lower-case name."""
    return {name.lower(): value for name, value in element.attrib.items()}


def _title(attributes: dict[str, str]) -> str | None:
    return plain_title(attributes.get("text") or attributes.get("title"))


def _folders(element: etree._Element) -> tuple[str, ...]:
    """Return the titles of the enclosing outlines that are not feeds, the outermost first."""
    around = [_attributes(one) for one in islice(element.iterancestors("outline"), MAX_FOLDERS)]
    titles = [_title(one) for one in reversed(around) if not one.get("xmlurl")]
    return tuple(title[:MAX_TAG] for title in titles if title)


def _why(refused: Refusals) -> str:
    return next((one.reason for one in refused.listed()), "no URL")


def _address(text: str | None, refusals: Refusals) -> str | None:
    # `feed:` is an old scheme of feed readers, before a URL or in place of http:
    bare = _FEED_SCHEME.sub(lambda found: "http://" if found[1] else "", (text or "").strip())
    url = refusals.url(bare, base_url=_BASE)
    return None if url is None or url.startswith(_BASE) else url
