"""Every format that announces articles, in one table: how it is labelled, how it is recognised, what reads it. Pure.

A new format is one module and one row of `FORMATS`. Bytes come before labels: of the formats that may stand where a
document stands, the first that recognises its beginning reads it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from tasks.errors import NotAFeed
from tasks.feeds import front_page, json_feed, listing, opml, rss_atom, sitemap, url_list
from tasks.feeds.document import Document, unpacked
from tasks.values.feed import FeedContent, FeedKind

_FEED, _SITEMAP, _LISTING, _HOME, _FALLBACK = (
    FeedKind.FEED,
    FeedKind.SITEMAP,
    FeedKind.LISTING,
    FeedKind.HOME,
    FeedKind.FALLBACK,
)
_XML = ("application/xml", "text/xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. `kinds` are the places where it may stand; `is_it` is asked for the beginning of a document as text.

    `media_types` are its labels, its own first: what is asked for, and what a page's links to feeds are known by. A format
    without `parse` announces nothing; it is here so that an error can name it.
    """

    name: str
    media_types: tuple[str, ...]
    kinds: tuple[FeedKind, ...]
    is_it: Callable[[str], bool]
    parse: Callable[[Document], FeedContent] | None


# fmt: off
_FEEDS = (
    Format(name="a sitemap", media_types=_XML, kinds=(_FEED, _SITEMAP), is_it=sitemap.is_sitemap, parse=sitemap.parse),
    Format(name="a JSON Feed", media_types=("application/feed+json",), kinds=(_FEED,), is_it=json_feed.is_json, parse=json_feed.parse),
    # a feed may stand for a sitemap (sitemaps.org, "Other Sitemap formats")
    Format(name="RSS or Atom", media_types=("application/rss+xml", "application/atom+xml", "application/rdf+xml", *_XML), kinds=(_FEED, _SITEMAP), is_it=rss_atom.is_rss_or_atom, parse=rss_atom.parse),
    Format(name="a list of URLs", media_types=("text/plain",), kinds=(_SITEMAP,), is_it=url_list.is_url_list, parse=url_list.parse),
)
FEED_TYPES = frozenset(label for one in _FEEDS if _FEED in one.kinds for label in one.media_types)
"""By these a page's link is one to a feed; XML's general types too: the bytes will tell."""

FORMATS = (
    *_FEEDS,
    Format(name="an OPML list of feeds", media_types=("text/x-opml",), kinds=(), is_it=opml.is_opml, parse=None),
    Format(name="an HTML page", media_types=("text/html",), kinds=(_LISTING,), is_it=listing.is_page, parse=listing.parse),
    Format(name="an HTML page", media_types=("text/html",), kinds=(_HOME, _FALLBACK), is_it=listing.is_page, parse=partial(front_page.parse, feed_types=FEED_TYPES)),
)
# fmt: on

ACCEPT = ", ".join((*sorted(FEED_TYPES.difference(_XML), reverse=True), *(f"{one};q=0.9" for one in _XML), "*/*;q=0.5"))
"""What a feed's server is asked for."""


def read_document(
    kind: FeedKind, body: bytes, *, content_type: str | None, url: str, now: datetime, own_urls: tuple[str, ...] = ()
) -> FeedContent:
    """Return what a document says that stands where a feed of this kind is wanted; raises NotAFeed, naming what it is.

    `body` has its content coding undone. One that is broken is read as far as it goes; what is left out is counted.
    `own_urls` are what its source names in the catalogue.
    """
    body, doubts = unpacked(body, url=url)
    document = Document(body=body, content_type=content_type, url=url, now=now, own_urls=own_urls)
    start = document.start
    # those that may stand here come first: a page may hold a feed's words, and a feed a page's
    ordered = sorted(FORMATS, key=lambda one: kind not in one.kinds)
    found = next((one for one in ordered if one.is_it(start)), None)
    if found is None or found.parse is None or kind not in found.kinds:
        expected = " or ".join(one.name for one in FORMATS if kind in one.kinds)
        raise NotAFeed(f"{found.name if found else f'not {expected}'} at {url}")
    content = found.parse(document)
    return replace(content, warnings=(*doubts, *content.warnings)) if doubts else content
