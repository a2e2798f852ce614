"""Feeds: their kinds, content and poll state. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.values.url import Url


class FeedKind(StrEnum):
    """The kinds of feeds.

    `FEED` is RSS, Atom or JSON Feed, detected from the bytes. `HOME` is the front page of a source that lists nothing
    else; `FALLBACK` is a front page that is used only if the source's feeds yield nothing.
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

    `rights` is its RSL licence from the feed, as XML.
    """

    url: Url
    title: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    rights: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """URLs or entries from the web that were refused for one reason; `detail` is that of the first one."""

    reason: str
    number: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedContent:
    """The parsed content of a feed.

    `ttl_s` is the requested poll interval in seconds. `children` are the sitemaps in an index, the newest first; only
    their `modified_at` may be known. `linked` are the feeds in a front page's head, `doubtful` the links of a page that
    do not look like articles: they count if they match the source's `include`. `refused` counts its invalid URLs and
    entries.
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
    """One feed's state in the index: URL, validators and history.

    `due_at` None means that it has ended (410). `moved_to` is the target of permanent redirects, `sightings` how often
    in a row it was seen. `parent_url` is the feed that named this one: a sitemap index, or a front page. `unchanged` is
    how often in a row it brought nothing new.
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
