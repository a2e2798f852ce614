"""Feeds: what announces articles, what one says, and its poll state. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.values.url import Url


class FeedKind(StrEnum):
    """What announces articles. `FEED` is RSS, Atom or JSON Feed: the bytes tell which.

    `HOME` is the front page of a source that names nothing else; `FALLBACK` one that is asked only if what the
    source names yields nothing.
    """

    FEED = "feed"
    SITEMAP = "sitemap"
    LISTING = "listing"
    HOME = "home"
    FALLBACK = "fallback"
    URLS = "urls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed: a pointer to an article. `url` is absolute, as announced; `published_at` is aware UTC.

    `rights` is the RSL licence that the feed gives with it, as XML.
    """

    url: Url
    title: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    rights: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """URLs or entries that a stranger named and that were refused for one reason; `detail` is the first one's."""

    reason: str
    number: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedContent:
    """What a feed's bytes say. `ttl_s` is its own wish, in seconds.

    `children` are the sitemaps that an index names, the newest first; of them `modified_at` alone may be known. `linked`
    are the feeds that a front page names in its head, `doubtful` the links of a page that look like no article's: they
    count if the source's `include` names them.
    `refused` is what it names and cannot be stored or asked for.
    """

    entries: tuple[Entry, ...]
    children: tuple[Entry, ...] = ()
    linked: tuple[Entry, ...] = ()
    doubtful: tuple[Entry, ...] = ()
    title: str | None = None
    ttl_s: float | None = None
    warnings: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """One feed as the index knows it: where it is, its validators and how it has behaved.

    `due_at` None means that it has ended (410). `moved_to` is where permanent redirects led, `sightings` how often in a
    row. `parent_url` is the feed that named this one: a sitemap index, or a front page. `unchanged` is how
    often in a row it brought nothing new.
    """

    feed_url: str
    source_id: str
    kind: FeedKind
    etag: str | None = None
    last_modified: str | None = None
    body_digest: str | None = None
    due_at: datetime | None
    polled_at: datetime | None = None
    interval_s: float | None = None
    failures: int = 0
    moved_to: str | None = None
    sightings: int = 0
    parent_url: str | None = None
    unchanged: int = 0
