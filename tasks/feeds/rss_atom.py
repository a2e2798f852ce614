"""Parse a feed into entries: RSS 0.9x, 1.0 and 2.0, Atom, CDF.

Pure. No feed library is used: fastfeedparser takes dates from guids and from the clock, and an Atom enclosure for the
article; feedparser needs minutes for deep nesting and mangles links in broken feeds; and neither reports the feed's
requested poll interval.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from lxml import etree

from tasks.feeds.collector import Collector, Item, Link, Rank, absolute_url, add_items, base_of_channel, plain_title
from tasks.feeds.document import Document
from tasks.feeds.namespaces import is_foreign, is_known
from tasks.feeds.xml_tree import (
    MAX_FEED_LENGTH,
    children,
    count_items,
    feed_tree,
    item_fragments,
    mended_feed,
    split_name,
    xml_text,
)
from tasks.values.feed import FeedContent
from tasks.web.text import bounded_markup

MAX_ENTRIES = 10_000
MAX_LICENCE_LENGTH = 4000
RSL = "https://rslstandard.org/rsl"

_PERIODS_S = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_PUBLISHED = ("pubdate", "published", "issued", "date", "created")
_MODIFIED = ("updated", "modified")
_WORDS = frozenset({"title", *_PUBLISHED, *_MODIFIED})
_OF_CHANNEL = frozenset({"title", "ttl", "updateperiod", "updatefrequency"})
_LINKS = frozenset({"link", "origlink", "guid", "id"})
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_MAX_SEARCHED = 200_000
_MAX_TTL_S = 31_536_000.0


def parse(body: bytes, document: Document) -> FeedContent:
    """Parse a feed, as far as possible if it is not well-formed.

    Raises NotAFeed. Dates are aware UTC; implausible ones are None and counted. Entries without a valid link are left
    out and counted.
    """
    feed_url, now = document.url, document.now
    text, doubts = bounded_markup(xml_text(body, document.content_type))
    collector = Collector(base_url=feed_url, now=now, limit=MAX_ENTRIES)
    mended = mended_feed(text, feed_url=feed_url)
    root, fault = feed_tree(mended, feed_url=feed_url)
    channel = _channel(root)
    base_url = base_of_channel(channel.get("link"), feed_url=feed_url, own_urls=document.own_urls)
    bases = _Bases(base_url, has_any="xml:base" in mended)
    elements = _items(root)
    if len(elements) > MAX_ENTRIES:
        collector.doubt(f"more than {MAX_ENTRIES:,} entries")
    items: list[Item] = []
    for one in elements[:MAX_ENTRIES]:
        with collector.refusals.guarded(feed_url):
            items.append(_item(one, children(one), bases))
    add_items(items, collector, feed_url=feed_url)
    if fault and (collector.is_lacking or len(elements) < count_items(mended)):
        collector = _rescued(mended, collector, feed_url=feed_url, base_url=base_url, now=now)
    collector.drop_equal_dates()
    for doubt in doubts:
        collector.doubt(doubt)
    if fault:
        collector.doubt(f"not well-formed, {fault}")
    if len(text) > MAX_FEED_LENGTH:
        collector.doubt(f"longer than {MAX_FEED_LENGTH:,} characters")
    return FeedContent(
        entries=collector.entries,
        title=plain_title(channel.get("title")),
        ttl_s=_ttl_s(channel),
        warnings=collector.warnings,
        refused=collector.refusals.listed(),
    )


def _items(root: etree._Element) -> list[etree._Element]:
    """Return the items at any depth: RSS 1.0 has them next to the channel, broken feeds inside each other."""
    usual = [item for item in root.iter("{*}item", "{*}entry") if not is_foreign(split_name(item)[0])]
    # or in capitals, or with an undeclared prefix
    return usual or [item for item in islice(root.iter("*"), _MAX_SEARCHED) if split_name(item)[1] in ("item", "entry")]


def _rescued(mended: str, before: Collector, *, feed_url: str, base_url: str, now: datetime) -> Collector:
    """Parse a broken feed item by item; returns this result or the first one, whichever has more entries."""
    after = Collector(base_url=feed_url, now=now, limit=MAX_ENTRIES)
    items: list[Item] = []
    for fragment in item_fragments(mended, MAX_ENTRIES):
        with after.refusals.guarded(feed_url):
            elements = [(*split_name(element), element) for element in islice(fragment.iter("*"), _MAX_SEARCHED)]
            item = next((element for _, name, element in elements if name in ("item", "entry")), fragment)
            items.append(_item(item, elements, _Bases(base_url, has_any=False)))
    add_items(items, after, feed_url=feed_url)
    return after if len(after.entries) > len(before.entries) else before


def _attributes(item: etree._Element) -> dict[str, str]:
    """Return the attributes of an item by lower-case local name."""
    return {name.rpartition("}")[2].rpartition(":")[2].lower(): value for name, value in item.attrib.items()}


def _item(item: etree._Element, elements: Iterable[tuple[str, str, etree._Element]], bases: "_Bases") -> Item:
    """Return the item that these elements describe."""
    attributes, own, words, links = _attributes(item), split_name(item)[0], dict[str, str](), list[Link]()
    elements = list(elements)
    read = [one for one in elements if not is_foreign(one[0])]
    # unknown namespaces count only if no feed namespace has the value
    for _, name, element in sorted(read, key=lambda one: not (one[0] == own or is_known(one[0]))):
        if name in _LINKS:
            links.extend(_links(name, element, bases.of(element)))
        elif name in _WORDS:
            words.setdefault(name, _text(element))
    # CDF's href, and rdf:about in RSS 1.0 if the link is missing
    about = [attributes[name].strip() for name in ("href", "about") if attributes.get(name)]
    links.extend(Link(rank=Rank.ABOUT, text=text, base_url=bases.of(item)) for text in about)
    return Item(
        links=tuple(links),
        title=words.get("title"),
        published=next((words[name] for name in _PUBLISHED if name in words), None),
        modified=next((words[name] for name in _MODIFIED if name in words), attributes.get("lastmod")),
        rights=next((_licence(one) for space, name, one in elements if space == RSL and name == "content"), None),
    )


def _licence(element: etree._Element) -> str:
    """Return an item's RSL content as XML; truncated content is not XML, so it grants nothing."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))[:MAX_LICENCE_LENGTH]


def _text(element: etree._Element) -> str:
    """Return an element's text without markup; only its beginning if a broken feed nests fields."""
    is_broken = any(name in _LINKS or name in _WORDS for _, name, _ in children(element))
    return element.text or "" if is_broken else "".join(element.itertext())


def _links(name: str, element: etree._Element, base_url: str) -> Iterator[Link]:
    """Yield the links of an element, each with its rank."""
    text = (element.text or "").strip()
    href = (element.get("href") or "").strip()
    if name == "link" and href:
        # RFC 4287, 4.2.7.2: without rel it is an alternate; among several prefer HTML, not a PDF
        if element.get("rel", "alternate").lower() == "alternate":
            is_page = "html" in element.get("type", "html").lower()
            yield Link(rank=Rank.PAGE if is_page else Rank.OTHER, text=href, base_url=base_url)
    elif name == "origlink" and text:
        yield Link(rank=Rank.ORIGINAL, text=text, base_url=base_url)
    elif name == "link" and (text or (element.tail or "").strip().startswith("http")):
        yield Link(rank=Rank.PAGE, text=text or (element.tail or "").strip(), base_url=base_url)
    elif text.lower().startswith(("http://", "https://")) and element.get("isPermaLink", "true").lower() != "false":
        yield Link(rank=Rank.PERMALINK, text=text, base_url=base_url)


class _Bases:
    """The bases of links: each xml:base from the root down, resolved against the one before, cached."""

    def __init__(self, feed_url: str, *, has_any: bool) -> None:
        self.feed_url = feed_url
        self._has_any = has_any
        self._known: dict[etree._Element, str] = {}

    def of(self, item: etree._Element) -> str:
        """Return the base of an item's links."""
        if not self._has_any:
            return self.feed_url
        parent = item.getparent()
        around = self.feed_url
        if parent is not None:
            if parent not in self._known:
                self._known[parent] = self.of(parent)
            around = self._known[parent]
        declared = item.get(_XML_BASE)
        return (absolute_url(declared, base_url=around) or around) if declared else around


def _channel(root: etree._Element) -> dict[str, str]:
    """Return the feed's own fields: title, link, and requested poll interval."""
    channel = next((child for _, name, child in children(root) if name == "channel"), root)
    words: dict[str, str] = {}
    for space, name, child in sorted(children(channel), key=lambda one: not is_known(one[0])):
        if name == "link" and not is_foreign(space):
            for link in _links(name, child, ""):  # without the feed's link to itself
                words.setdefault("link", link.text)
        elif name in _OF_CHANNEL and not is_foreign(space):
            words.setdefault(name, "".join(child.itertext()).strip())
    return words


def _ttl_s(channel: dict[str, str]) -> float | None:
    wishes_s = [_number(channel.get("ttl")) * 60]
    period_s = _PERIODS_S.get(channel.get("updateperiod", "").lower())
    if period_s is not None:
        wishes_s.append(period_s / (_number(channel.get("updatefrequency")) or 1))
    return min(max(wishes_s), _MAX_TTL_S) or None


def _number(text: str | None) -> float:
    return float(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else 0.0
