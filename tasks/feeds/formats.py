"""The table of formats that announce articles: media types, detection and parser.

Pure. To add a format, write a module and add a row to `FORMATS`. Bytes count more than labels: among the formats
possible for a kind of feed, the first one that matches the document's beginning parses it.
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
"""The largest document in bytes, decompressed (sitemaps.org: 50 MB)."""

START_SIZE = 65_536
"""How many bytes are used to detect a format."""

_MAX_UNPACKINGS = 2  # some servers compress twice

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
    """One format.

    `kinds` are the kinds of feeds that may have it. It is detected by the first known element, one of `elements`, and
    by the pattern `opening` of the document's beginning; if one of them is missing, the other decides. `media_types`
    are its media types, the official one first: they go into Accept, and identify links to feeds on a page. A format
    without `parse` announces nothing; it is here so that errors can name it.
    """

    name: str
    media_types: tuple[str, ...]
    kinds: tuple[FeedKind, ...]
    parse: Callable[[bytes, Document], FeedContent] | None
    elements: tuple[str | None, ...] = ()
    opening: re.Pattern[str] | None = None

    def begins(self, start: str, element: str | None) -> bool:
        """Whether a document with this beginning and this first element has this format."""
        is_element = not self.elements or element in self.elements
        return is_element and (self.opening is None or self.opening.match(start) is not None)


# fmt: off
_FEEDS = (
    Format(name="a sitemap", media_types=_XML, kinds=(_FEED, _SITEMAP), elements=SITEMAP_ROOTS, parse=sitemap.parse),
    Format(name="a JSON Feed", media_types=("application/feed+json",), kinds=(_FEED,), opening=re.compile(r"\s*\{"), parse=json_feed.parse),
    # a feed may serve as a sitemap (sitemaps.org, "Other Sitemap formats")
    Format(name="RSS or Atom", media_types=("application/rss+xml", "application/atom+xml", "application/rdf+xml", *_XML), kinds=(_FEED, _SITEMAP), elements=(*FEED_ROOTS, *ITEMS), parse=rss_atom.parse),
    Format(name="a list of URLs", media_types=("text/plain",), kinds=(_SITEMAP,), elements=(_NO_ELEMENT,), opening=url_list.OPENING, parse=url_list.parse),
)
FEED_TYPES = frozenset(label for one in _FEEDS if _FEED in one.kinds for label in one.media_types)
"""Media types that make a page's link a link to a feed, including generic XML types, since the bytes decide later."""

FORMATS = (
    *_FEEDS,
    Format(name="an OPML list of feeds", media_types=("text/x-opml",), kinds=(), elements=("opml",), parse=None),
    Format(name="an HTML page", media_types=("text/html",), kinds=(_LISTING,), opening=MARKUP, parse=listing.parse),
    Format(name="an HTML page", media_types=("text/html",), kinds=(_HOME, _FALLBACK), opening=MARKUP, parse=partial(listing.parse_front_page, feed_types=FEED_TYPES)),
)
# fmt: on

ACCEPT = ", ".join((*sorted(FEED_TYPES.difference(_XML), reverse=True), *(f"{one};q=0.9" for one in _XML), "*/*;q=0.5"))
"""The Accept field of a request for a feed."""


def read_document(
    kind: FeedKind, body: bytes, *, content_type: str | None, url: str, now: datetime, own_urls: tuple[str, ...] = ()
) -> FeedContent:
    """Parse a document as a feed of this kind; raises NotAFeed, naming what it is instead.

    `body` is without content coding. A broken document is read as far as possible; omissions are counted. `own_urls`
    are the URLs that its source lists in the catalogue.
    """
    body, doubts = _unpacked(body, url=url)
    document = Document(content_type=content_type, url=url, now=now, own_urls=own_urls)
    start = _start_of(body, content_type)
    element, _ = first_element(start) or (None, 0)
    # formats of this kind come first: a page may contain a feed's tags, and a feed a page's
    ordered = sorted(FORMATS, key=lambda one: kind not in one.kinds)
    found = next((one for one in ordered if one.begins(start, element)), None)
    if found is None or found.parse is None or kind not in found.kinds:
        expected = " or ".join(one.name for one in FORMATS if kind in one.kinds)
        raise NotAFeed(f"{found.name if found else f'not {expected}'} at {url}")
    content = found.parse(body, document)
    return replace(content, warnings=(*doubts, *content.warnings)) if doubts else content


def _start_of(body: bytes, content_type: str | None) -> str:
    """Return the beginning as text, cut before a tag, so that no character is split."""
    cut = body.rfind(b"<", 0, START_SIZE) if len(body) > START_SIZE else -1
    return xml_text(body[: cut if cut > 0 else START_SIZE], content_type)


def _unpacked(body: bytes, *, url: str) -> tuple[bytes, tuple[str, ...]]:
    """Decompress gzip, detected by its first bytes and not by name; return the content, and warnings.

    `.xml.gz` may have been decompressed in transit. Raises NotAFeed for more than 50 MB and for corrupt gzip.
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
