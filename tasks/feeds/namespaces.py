"""The XML namespaces in which feeds describe articles, and those of other things in an item.

Pure. Elements are identified by namespace and never by prefix, which the author chooses. Namespace URIs are compared
without scheme, `www.` and trailing characters, since feeds get these wrong; an undeclared prefix means its usual
namespace.
"""

import re
from functools import lru_cache

_PRESENTATION = re.compile(r"^https?://(?:www\.)?|[/#]+$")

# for pictures, podcasts, comments and places, which have titles, links and dates of their own
_FOREIGN = {
    "media": "search.yahoo.com/mrss",
    "itunes": "itunes.com/dtds/podcast-1.0.dtd",
    "googleplay": "google.com/schemas/play-podcasts/1.0",
    "podcast": "podcastindex.org/namespace/1.0",
    "image": "purl.org/rss/1.0/modules/image",
    "thr": "purl.org/syndication/thread/1.0",
    "geo": "w3.org/2003/01/geo/wgs84_pos",
    "georss": "georss.org/georss",
}
_KNOWN = {
    "": "",
    "atom": "w3.org/2005/atom",
    "atom03": "purl.org/atom/ns",
    "rss": "purl.org/rss/1.0",
    "rss09": "my.netscape.com/rdf/simple/0.9",
    "rss2": "backend.userland.com/rss2",
    "dc": "purl.org/dc/elements/1.1",
    "dcterms": "purl.org/dc/terms",
    "feedburner": "rssnamespace.org/feedburner/ext/1.0",
    "sy": "purl.org/rss/1.0/modules/syndication",
}
# with the prefixes that are used undeclared
_SITEMAPS = frozenset(
    {"", "sitemaps.org/schemas/sitemap/0.9", "google.com/schemas/sitemap/0.84", "google.com/schemas/sitemap/0.9"}
)
_SITEMAPS_PREFIXES = frozenset({"sm", "s", "ns", "ns0", "sitemap"})
_FOREIGN_NAMES = frozenset((*_FOREIGN, *_FOREIGN.values()))
_KNOWN_NAMES = frozenset((*_KNOWN, *_KNOWN.values()))
_SPACES = 1024


@lru_cache(maxsize=_SPACES)
def is_foreign(space: str) -> bool:
    """Whether a namespace, in lower case, describes something other than the article."""
    return _PRESENTATION.sub("", space) in _FOREIGN_NAMES


@lru_cache(maxsize=_SPACES)
def is_known(space: str) -> bool:
    """Whether a namespace, in lower case, is one in which feeds describe the article itself."""
    return _PRESENTATION.sub("", space) in _KNOWN_NAMES


@lru_cache(maxsize=_SPACES)
def is_sitemaps(space: str) -> bool:
    """Whether a namespace, in lower case, is that of sitemaps."""
    return space in _SITEMAPS_PREFIXES or _PRESENTATION.sub("", space) in _SITEMAPS
