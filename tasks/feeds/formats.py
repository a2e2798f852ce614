"""Every format that announces articles, in one table: how it is labelled, how it is recognised, what reads it. Pure.

A new format is one module and one row of `FORMATS`. Bytes come before labels: of the formats that may be where a
document is, the first that begins as the document does reads it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from tasks.errors import BadContentEncoding, BodyTruncated, DecompressionBomb, NotAFeed
from tasks.feeds import json_feed, listing, rss_atom, sitemap, url_list
from tasks.feeds.document import Document
from tasks.feeds.html_links import MARKUP
from tasks.feeds.xml_tree import FEED_ROOTS, ITEMS, SITEMAP_ROOTS, first_element, xml_text
from tasks.values.feed import FeedContent, FeedKind
from tasks.web.decoding import GZIP_MAGIC, decode_body, decode_prefix

MAX_SIZE = 50_000_000
"""Bytes of a document, unpacked (sitemaps.org: 50 MB)."""

START_SIZE = 65_536
"""Bytes from which a format is recognised."""

_MAX_UNPACKINGS = 2  # some servers compress what is compressed already

_FEED, _SITEMAP, _LISTING, _HOME, _FALLBACK = (
    FeedKind.FEED,
    FeedKind.SITEMAP,
    FeedKind.LISTING,
    FeedKind.HOME,
    FeedKind.FALLBACK,
)
_XML = ("application/xml", "text/xml")
_NO_ELEMENT = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. `kinds` are the places where it may be.

    It is recognised by the first element that we know, one of `elements`, and by how the document begins, `opening`; if
    one of them is not given, the other decides.

    `media_types` are its labels, its own first: what is asked for, and what a page's links to feeds are known by. A
    format without `parse` announces nothing; it is here so that an error can name it.
    """

    name: str
    media_types: tuple[str, ...]
    kinds: tuple[FeedKind, ...]
    parse: Callable[[bytes, Document], FeedContent] | None
    elements: tuple[str | None, ...] = ()
    opening: re.Pattern[str] | None = None

    def begins(self, start: str, element: str | None) -> bool:
        """Whether a document with this beginning, and this first element, is of this format."""
        is_element = not self.elements or element in self.elements
        return is_element and (self.opening is None or self.opening.match(start) is not None)


# fmt: off
_FEEDS = (
    Format(name="a sitemap", media_types=_XML, kinds=(_FEED, _SITEMAP), elements=SITEMAP_ROOTS, parse=sitemap.parse),
    Format(name="a JSON Feed", media_types=("application/feed+json",), kinds=(_FEED,), opening=re.compile(r"\s*\{"), parse=json_feed.parse),
    # a feed may stand for a sitemap (sitemaps.org, "Other Sitemap formats")
    Format(name="RSS or Atom", media_types=("application/rss+xml", "application/atom+xml", "application/rdf+xml", *_XML), kinds=(_FEED, _SITEMAP), elements=(*FEED_ROOTS, *ITEMS), parse=rss_atom.parse),
    Format(name="a list of URLs", media_types=("text/plain",), kinds=(_SITEMAP,), elements=(_NO_ELEMENT,), opening=url_list.OPENING, parse=url_list.parse),
)
FEED_TYPES = frozenset(label for one in _FEEDS if _FEED in one.kinds for label in one.media_types)
"""By these a page's link is one to a feed; XML's general types too: the bytes will tell."""

FORMATS = (
    *_FEEDS,
    Format(name="an OPML list of feeds", media_types=("text/x-opml",), kinds=(), elements=("opml",), parse=None),
    Format(name="an HTML page", media_types=("text/html",), kinds=(_LISTING,), opening=MARKUP, parse=listing.parse),
    Format(name="an HTML page", media_types=("text/html",), kinds=(_HOME, _FALLBACK), opening=MARKUP, parse=partial(listing.parse_front_page, feed_types=FEED_TYPES)),
)
# fmt: on

ACCEPT = ", ".join((*sorted(FEED_TYPES.difference(_XML), reverse=True), *(f"{one};q=0.9" for one in _XML), "*/*;q=0.5"))
"""What a feed's server is asked for."""


def read_document(
    kind: FeedKind, body: bytes, *, content_type: str | None, url: str, now: datetime, own_urls: tuple[str, ...] = ()
) -> FeedContent:
    """Return what a document says that is where a feed of this kind is wanted; raises NotAFeed, naming what it is.

    `body` has its content coding undone. One that is broken is read as far as it goes; what is left out is counted.
    `own_urls` are what its source names in the catalogue.
    """
    body, doubts = _unpacked(body, url=url)
    document = Document(content_type=content_type, url=url, now=now, own_urls=own_urls)
    start = _start_of(body, content_type)
    element, _ = first_element(start) or (None, 0)
    # those that may be here come first: a page may hold a feed's words, and a feed a page's
    ordered = sorted(FORMATS, key=lambda one: kind not in one.kinds)
    found = next((one for one in ordered if one.begins(start, element)), None)
    if found is None or found.parse is None or kind not in found.kinds:
        expected = " or ".join(one.name for one in FORMATS if kind in one.kinds)
        raise NotAFeed(f"{found.name if found else f'not {expected}'} at {url}")
    content = found.parse(body, document)
    return replace(content, warnings=(*doubts, *content.warnings)) if doubts else content


def _start_of(body: bytes, content_type: str | None) -> str:
    """Return the beginning as text, cut before a tag, so that no character is torn."""
    cut = body.rfind(b"<", 0, START_SIZE) if len(body) > START_SIZE else -1
    return xml_text(body[: cut if cut > 0 else START_SIZE], content_type)


def _unpacked(body: bytes, *, url: str) -> tuple[bytes, tuple[str, ...]]:
    """Undo gzip, which a file is by its first bytes, whatever its name; return what is in it, and doubts.

    `.xml.gz` may have been unpacked on its way. Raises NotAFeed for more than 50 MB.
    """
    doubts: tuple[str, ...] = ()
    for _ in range(_MAX_UNPACKINGS):
        if not body.startswith(GZIP_MAGIC):
            break
        try:
            body = decode_body(body, "gzip", max_size=MAX_SIZE)
        except BodyTruncated:
            doubts = ("gzip stream ends early",)
            body = decode_prefix(body, "gzip", max_size=MAX_SIZE)
        except DecompressionBomb as error:
            raise NotAFeed(f"more than {MAX_SIZE:,} bytes when unpacked at {url}") from error
        except BadContentEncoding as error:
            raise NotAFeed(f"corrupt gzip at {url}") from error
    return body[:MAX_SIZE], doubts
