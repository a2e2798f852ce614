"""The values that stages hand to each other. Pure: frozen, keyword-only, no behaviour."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tasks.reasons import Disposition
from tasks.rows import Article, Capture, PageType
from tasks.texts.fingerprint import Fingerprint


class FeedKind(StrEnum):
    """What announces articles. `FEED` is RSS, Atom or JSON Feed: the bytes tell which.

    `HOME` is the front page of a source that names nothing else; `FALLBACK` one that is asked only where what the
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
    """One item of a feed: a pointer to an article. `url` is absolute, as announced; `published_at` is aware UTC."""

    url: str
    title: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """URLs or entries that a stranger named and that were refused for one reason; `detail` is the first one's."""

    reason: str
    number: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedContent:
    """What a feed's bytes say. `ttl_s` is its own wish, in seconds.

    `children` are the sitemaps that an index names, the newest first; of them `modified_at` alone may be known.
    `refused` is what it names and cannot be stored or asked for.
    """

    entries: tuple[Entry, ...]
    children: tuple[Entry, ...] = ()
    title: str | None = None
    ttl_s: float | None = None
    warnings: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """One feed as the index knows it: where it is, its validators and how it has behaved.

    `due_at` None means that it has ended (410). `moved_to` is where permanent redirects led, `sightings` how often in a
    row. `parent_url` is the feed that named this one: a sitemap index, or a front page.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that went wrong with one URL, as it is counted, shown and kept. `detail` may be text from the web."""

    url: str
    source_id: str
    reason: str
    disposition: Disposition
    detail: str
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueUrl:
    """One URL of the frontier, claimed: where to look, what is known of it, and who announced it."""

    url: str
    url_key: str
    host: str
    source_id: str
    attempt: int
    etag: str | None = None
    last_modified: str | None = None
    payload_digest: str | None = None
    captured_at: datetime | None = None
    announced_title: str | None = None
    announced_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """robots.txt as an origin (scheme://host[:port]) answered it; `status` None: nothing answered.

    What else an origin is asked once a day stands under another name than its own: see tasks.web.polite.
    """

    origin: str
    status: int | None
    body: bytes
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """A turn wanted at one host, under one source's rules: one request, which takes at most `lease_s` (seconds)."""

    host: str
    delay_s: float
    max_per_host: int
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Leave to make one request at a host, now."""

    turn_id: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """No turn yet: it may be asked for again in `wait_s`. The host is asked every `delay_s` (seconds)."""

    host: str
    wait_s: float
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """What came of a turn: how long it took, whether the host said that it is busy, the wait it wants (seconds).

    `delay_s` is the source's own.
    """

    turn: Turn
    delay_s: float
    elapsed_s: float
    is_busy: bool = False
    hold_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRobots:
    """A robots.txt that was just asked for, and the delay that it wants at its host (seconds)."""

    answer: RobotsAnswer
    host: str
    crawl_delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """URLs over many hosts that are fetched, extracted and decided together."""

    batch_id: str
    run_id: str
    urls: tuple[DueUrl, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedBatch:
    """A batch whose bytes lie in the lake; what failed is a capture with its reason.

    `dispositions` are those of the captures that failed, `deferred` the URLs that were not asked for, since their
    host wants a wait, with the instant from which they may be; both by url_key. `reservations` has the URLs at
    which reservations of text and data mining are obeyed, with what their site's tdmrep.json says of them. `renditions`
    has, by capture_id, the offset and length of the record with the page as its scripts made it, in the capture's segment.
    `hops` has, by capture_id, the URLs between the one that was asked for and the one that answered, where there are any.
    """

    batch: Batch
    captures: tuple[Capture, ...]
    dispositions: dict[str, Disposition]
    deferred: dict[str, datetime]
    reservations: dict[str, bool | None] = field(default_factory=dict)
    renditions: dict[str, tuple[int, int]] = field(default_factory=dict)
    hops: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What extraction made of one capture: the article alone, or the label of what it is instead.

    `text` is paragraphs parted by one newline, NFC, without the title; instants are aware UTC. `canonical_url` is on the
    same registrable domain; one on another domain is `syndicated_from`. `fingerprint` is of the text, None where nobody has
    made it yet.
    """

    page_type: PageType
    title: str | None
    text: str
    lede: str | None
    authors: tuple[str, ...]
    published_at: datetime | None
    modified_at: datetime | None
    language: str | None
    section: str | None
    tags: tuple[str, ...]
    image_url: str | None
    canonical_url: str | None
    paywalled: bool | None
    tdm_reserved: bool | None
    noarchive: bool | None = None
    word_count: int
    charset: str | None
    extractor: str
    quality: float | None = None
    syndicated_from: str | None = None
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedBatch:
    """A batch with its pages: `pages` by capture_id, for the captures whose outcome is OK, and no others."""

    fetched: FetchedBatch
    captures: tuple[Capture, ...]
    pages: dict[str, Page]
    dispositions: dict[str, Disposition]
    extracted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One batch that is decided and not yet published; `sequence` grows in the order of the decisions."""

    sequence: int
    batch_id: str
    captures: tuple[Capture, ...]
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What one batch came to, as it is counted, kept in the index and shown. Reasons and novelties are counted by name, doubtful articles by source.

    `segments` are the keys of its WARC segments.
    """

    batch_id: str
    fetched: int = 0
    not_modified: int = 0
    articles: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0
    doubtful: dict[str, int] = field(default_factory=dict)
    payload_size: int = 0
    host_ms: dict[str, int] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverReport:
    """What polling came to: feeds asked, unchanged, URLs that are new, and trouble by reason."""

    polled: int = 0
    unchanged: int = 0
    discovered: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
