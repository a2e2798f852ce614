"""The rows of the lake's tables: each column is defined here, once, with its type and its meaning. Pure.

A new column is a nullable field with the default None, at the end of its class: the tables' schemas, the outbox, the
readers and docs/lake.md follow (docs/adr/0003-delta-lake.md). No field is renamed, moved or given another type.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from tasks.reasons import Disposition
from tasks.values.columns import Column

DOUBTFUL_BELOW = 0.5
"""The extraction quality below which an article is doubtful."""


class Outcome(StrEnum):
    """The result of one fetch: a page, no change, or a failure, whose reason is in another column."""

    OK = "ok"
    NOT_MODIFIED = "not_modified"
    FAILED = "failed"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


def outcome_of(disposition: Disposition) -> Outcome:
    """Return the outcome of a look with this disposition."""
    return _OUTCOMES.get(disposition, Outcome.FAILED)


_OUTCOMES = {Disposition.SKIPPED: Outcome.SKIPPED, Disposition.QUARANTINED: Outcome.QUARANTINED}


class Novelty(StrEnum):
    """How a text compares with everything known (docs/glossary.md)."""

    NEW = "new"
    REVISION = "revision"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    EXCERPT = "excerpt"


class PageType(StrEnum):
    """The type of a page: a story, which becomes an article, or something else, which is labelled and counted."""

    ARTICLE = "article"
    LIVE_BLOG = "live_blog"
    GALLERY = "gallery"
    VIDEO = "video"
    PODCAST = "podcast"
    INDEX = "index"
    CONSENT = "consent"
    LOGIN = "login"
    PAYWALL = "paywall"
    BLOCKED = "blocked"
    SOFT_404 = "soft_404"
    NOTICE = "notice"

    @property
    def is_story(self) -> bool:
        """Whether a page of this type becomes an article."""
        return self in {PageType.ARTICLE, PageType.LIVE_BLOG, PageType.GALLERY, PageType.VIDEO, PageType.PODCAST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a site says about one use of a page; `raw` is its own wording."""

    signal: Annotated[
        str,
        Column(
            "the standard: `robots`, `robots-ai`, `content-usage`, `content-signal`, `rsl`, `tdmrep`, `robots-directive` or `payment`"
        ),
    ]
    scope: Annotated[
        str | None, Column("what it applies to: a path pattern, a user agent, or `header` or `meta` for this page only")
    ]
    value: Annotated[
        str | None,
        Column(
            "the term and its value: `train-ai=n`; `unreadable` if it cannot be parsed, `unset` if it contains no known term"
        ),
    ]
    raw: Annotated[str | None, Column("the site's own words")]
    policy_id: Annotated[
        str | None,
        Column(
            "the policy document; null if the signal is from the page's header or meta element, or from its feed item"
        ),
    ]

    @property
    def is_of_page(self) -> bool:
        """Whether the page itself says it, in a header or an element, and not a document of its site."""
        return (self.scope or "").partition(" ")[0] in {"header", "meta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What one GET of one URL returned at one instant: a row of the captures table, in its column order.

    Instants are aware UTC, sizes and offsets bytes. `warc_key`, `warc_offset` and `warc_length` point at the
    record's gzip member. `novelty`, `article_id` and `revision` are None until the page has been deduplicated.
    """

    capture_id: Annotated[str, Column("this fetch")]
    source_id: Annotated[
        str,
        Column(
            "the [owner](catalogue.md#whose-an-article-is) of the URL's host, else the source that announced it; `adhoc` "
            "for a requested URL that belongs to none"
        ),
    ]
    url: Annotated[str, Column("the requested URL")]
    final_url: Annotated[str, Column("the final URL, after redirects")]
    url_key: Annotated[str, Column("the URL's identity")]
    fetched_at: Annotated[datetime, Column("when it was requested")]
    status: Annotated[int | None, Column("the HTTP status; null without a response", type="integer")]
    mime: Annotated[str | None, Column("the media type declared by the server")]
    charset: Annotated[str | None, Column("the charset used for decoding")]
    payload_digest: Annotated[str | None, Column("`sha256:<hex>` of the body as received")]
    payload_size: Annotated[int | None, Column("bytes of the body as received")]
    outcome: Annotated[Outcome, Column("`ok`, `not_modified`, `failed`, `skipped` or `quarantined`")]
    reason: Annotated[str | None, Column("the reason if there is no article; null for `ok` and `not_modified`")]
    detail: Annotated[str | None, Column("details about the reason")]
    novelty: Annotated[
        Novelty | None,
        Column("`new`, `revision`, `unchanged`, `duplicate`, `near_duplicate` or `excerpt`; null if not an article"),
    ]
    article_id: Annotated[str | None, Column("the article's id in `articles`")]
    revision: Annotated[int | None, Column("the revision of the article that it shows", type="integer")]
    warc_key: Annotated[str | None, Column("the segment's key in the lake; null without a response")]
    warc_offset: Annotated[int | None, Column("offset of the record's gzip member, in bytes")]
    warc_length: Annotated[int | None, Column("its length, in bytes")]
    etag: Annotated[str | None, Column("the server's validator, for the next conditional request")]
    last_modified: Annotated[str | None, Column("the server's other validator")]
    elapsed_ms: Annotated[int, Column("milliseconds from the request to the end of the body")]
    attempt: Annotated[int, Column("number of attempts at the URL, including this one", type="integer")]
    run_id: Annotated[str, Column("the run that fetched it")]
    change_seq: Annotated[
        int | None,
        Column("the outbox sequence that last wrote the row's own content; null in rows written before 0.2.0"),
    ] = None
    origin_uri: Annotated[
        str | None, Column("the archive from which a backfill imported the record; null if fetched")
    ] = None
    origin_offset: Annotated[int | None, Column("offset of the record in that archive, in bytes")] = None

    @property
    def dt(self) -> date:
        """The lake's partition: the UTC day of the fetch."""
        return self.fetched_at.astimezone(UTC).date()

    @property
    def is_archived(self) -> bool:
        """Whether it came from an archive and was not fetched: it does not affect when or how its URL is fetched."""
        return self.origin_uri is not None

    def written_by(self, sequence: int) -> Self:
        """Return the row with the outbox sequence that writes it."""
        return replace(self, change_seq=sequence)

    @property
    def counted(self) -> "CountedCapture":
        """The part that counters need."""
        return CountedCapture(
            self.source_id, self.outcome, self.reason, self.novelty, self.payload_size or 0, self.fetched_at
        )

    @property
    def came_to(self) -> str:
        """The result of the look as one word: the page's novelty, no change, or the reason why there is no page."""
        if self.outcome is Outcome.OK:
            return str(self.novelty)
        return Outcome.NOT_MODIFIED if self.outcome is Outcome.NOT_MODIFIED else str(self.reason)


class CountedCapture(NamedTuple):
    """The part of a capture that counters need: source and result."""

    source_id: str
    outcome: Outcome
    reason: str | None
    novelty: Novelty | None
    payload_size: int
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One revision of one article: a row of the articles table, in its column order."""

    article_id: Annotated[str, Column("the article's id; the same for all its revisions")]
    revision: Annotated[
        int,
        Column(
            "1 for the first text stored for this URL, then 2, 3, ...; the latest revision is the one with the greatest `fetched_at`",
            type="integer",
        ),
    ]
    url: Annotated[str, Column("the requested URL")]
    canonical_url: Annotated[str | None, Column("the page's canonical URL, on the same registrable domain")]
    syndicated_from: Annotated[str | None, Column("the URL on another site that the page names as its original")] = None
    url_key: Annotated[str, Column("the URL's identity")]
    source_id: Annotated[str, Column("the owner of the URL's host, else the source that announced it, or `adhoc`")]
    host: Annotated[str, Column("the final host, after redirects")]
    title: Annotated[str | None, Column("the headline, or the feed's if the page has none")]
    text: Annotated[str, Column("the article's paragraphs, separated by one newline, without the title")]
    lede: Annotated[str | None, Column("the page's summary")]
    authors: Annotated[tuple[str, ...], Column("the authors' names, in the page's order")]
    published_at: Annotated[datetime | None, Column("publication time according to the page, or else the feed")]
    modified_at: Annotated[datetime | None, Column("last modification according to the page")]
    language: Annotated[str | None, Column("the language, as a BCP 47 tag")]
    section: Annotated[str | None, Column("the section according to the page")]
    tags: Annotated[tuple[str, ...], Column("the page's keywords")]
    image_url: Annotated[str | None, Column("the main picture's URL")]
    word_count: Annotated[int, Column("words of `text`", type="integer")]
    page_type: Annotated[PageType, Column("`article`, `live_blog`, `gallery`, `video` or `podcast`")]
    paywalled: Annotated[
        bool | None, Column("whether the page says that it is not free to read; null if it does not say")
    ]
    tdm_reserved: Annotated[
        bool | None,
        Column(
            "whether rights to text and data mining are reserved, by `tdm-reservation` (header or meta), `noai` or tdmrep.json; null if not stated"
        ),
    ]
    noarchive: Annotated[
        bool | None, Column("whether X-Robots-Tag or the page's robots meta says `noarchive`; null if it has neither")
    ] = None
    novelty: Annotated[Novelty, Column("`new`, `revision`, `duplicate`, `near_duplicate` or `excerpt`")]
    cluster_id: Annotated[str, Column("its cluster of near-duplicates; usually it is alone in it")]
    is_representative: Annotated[bool, Column("whether it is the cluster's earliest member")]
    cluster_size: Annotated[int, Column("number of articles in the cluster", type="integer")]
    cluster_earliest: Annotated[str, Column("the `article_id` of the cluster's earliest member")]
    duplicate_of: Annotated[str | None, Column("the `article_id` whose text it copies, fully, nearly or in part")]
    similarity: Annotated[
        float | None, Column("share of the shorter text that the other contains, 0 to 1; null if not a copy")
    ]
    first_seen_at: Annotated[
        datetime, Column("when it was first seen: the earliest `fetched_at`, including pages from archives")
    ]
    fetched_at: Annotated[datetime, Column("when this revision was fetched")]
    extracted_at: Annotated[datetime, Column("when this text was extracted")]
    extractor: Annotated[
        str,
        Column(
            "the extractor: `presslake/<rule set> trafilatura/<version> <path>`. The path is `fast` for most pages; `readability` or `paragraphs` if the faster paths missed too much; `jsonld` if the page shows less text than its JSON-LD; `unseen` if the page shows only its title and the story is in script data, a template or `noscript`; `selected` if the source's own selector found it"
        ),
    ]
    quality: Annotated[
        float | None,
        Column(
            "0 to 1: the share of the page's paragraphs that the text contains, reduced for lines of links and for guesses (`readability`, `paragraphs`, `unseen`). Below 0.5 the article is doubtful: check the page before you rely on the text"
        ),
    ] = None
    text_digest: Annotated[
        str, Column("identity of the text, ignoring case, spacing and punctuation, with the algorithm's number")
    ]
    payload_digest: Annotated[str, Column("`sha256:<hex>` of the body as received")]
    warc_key: Annotated[str, Column("the key, in the lake, of the segment with the page")]
    warc_offset: Annotated[int, Column("offset of the record's gzip member, in bytes")]
    warc_length: Annotated[int, Column("its length, in bytes")]
    content_digest: Annotated[
        str | None,
        Column(
            "identity of the page's content, exact except for whitespace: `c<algorithm>:` and one digest each for title, words, figures, authors and publication date, separated by dots; a title or date from the feed is not included"
        ),
    ] = None
    changes: Annotated[
        tuple[str, ...] | None,
        Column(
            "what the revision changed: `title`, `words` (including punctuation), `figures` (including signs and currencies), `authors`, `date`; null for the first revision or if unknown"
        ),
    ] = None
    markdown: Annotated[
        str | None,
        Column(
            "`text` as markdown (CommonMark with tables): headings, lists, quotes, tables, links (http and https), emphasis; no HTML; null with `PRESSLAKE_MARKDOWN=false`"
        ),
    ] = None
    published_at_offset_s: Annotated[
        int | None,
        Column(
            "UTC offset in the page's publication time, in seconds; null if the page gives none",
            type="integer",
        ),
    ] = None
    change_seq: Annotated[
        int | None,
        Column(
            "the outbox sequence that last wrote the row's own content; cluster updates and compaction keep it; null in rows written before 0.2.0"
        ),
    ] = None
    origin_uri: Annotated[
        str | None, Column("the archive from which a backfill imported the page; null if fetched")
    ] = None
    origin_offset: Annotated[int | None, Column("offset of its record in that archive, in bytes")] = None
    policy_ids: Annotated[
        tuple[str, ...] | None, Column("the documents in `policies` that were in force when it was fetched")
    ] = None
    rights: Annotated[
        tuple[Signal, ...] | None,
        Column("what the page's headers and meta elements, and those documents, say about its use"),
    ] = None
    text_removed_at: Annotated[
        datetime | None, Column("when retention removed the text; `text` is empty from then on")
    ] = None
    source_tags: Annotated[
        tuple[str, ...] | None,
        Column("the source's tags in the catalogue; null if the source is not in the catalogue"),
    ] = None
    source_country: Annotated[str | None, Column("the source's country in the catalogue, as an ISO 3166-1 code")] = None
    added_seq: Annotated[
        int | None,
        Column(
            "the outbox sequence that first wrote the row: less than `change_seq` if the row was replaced later, 0 if unknown; null in rows written before 0.2.0"
        ),
    ] = None

    def written_by(self, sequence: int) -> Self:
        """Return the row with the outbox sequence that writes it, which is also its first if the row is new."""
        return replace(self, change_seq=sequence, added_seq=sequence if self.added_seq is None else self.added_seq)

    @property
    def site_rights(self) -> tuple[Signal, ...]:
        """The signals from documents of its site at the time of the fetch, without those of the page itself."""
        return tuple(one for one in self.rights or () if not one.is_of_page)

    @property
    def is_doubtful(self) -> bool:
        """Whether a person should check its text before relying on it."""
        return self.quality is not None and self.quality < DOUBTFUL_BELOW

    @property
    def dt(self) -> date:
        """The lake's partition: the UTC day of the fetch."""
        return self.fetched_at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a policy document says about one use, to us or to others."""

    signal: Annotated[str, Column("the standard, as in `rights` of an article")]
    scope: Annotated[str | None, Column("the user agents and paths that it applies to")]
    value: Annotated[str | None, Column("the term and its value")]
    raw: Annotated[str | None, Column("the site's own words")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy document of a site: a row of the policies table, in its column order."""

    policy_id: Annotated[
        str,
        Column(
            "the document's id: a digest of its origin, kind, URL, status (if not 2xx) and `body_digest`; if a document returns to an earlier form, the last 8 digits differ"
        ),
    ]
    origin: Annotated[str, Column("the scheme, host and port of the pages that it applies to")]
    kind: Annotated[str, Column("`robots`, `tdmrep` or `rsl`")]
    url: Annotated[str, Column("the final URL, after redirects")]
    observed_at: Annotated[datetime, Column("when this version was first seen")]
    last_seen_at: Annotated[
        datetime, Column("when this version was last seen, to the day; `maintain` copies it from the index")
    ]
    valid_until: Annotated[
        datetime | None,
        Column("until when it was valid when first seen, according to itself or its headers; null if neither says"),
    ]
    status: Annotated[
        int,
        Column("the HTTP status; the body of an answer other than 2xx is kept only for a licence", type="integer"),
    ]
    body_digest: Annotated[str, Column("`sha256:<hex>` of the body after content decoding")]
    warc_key: Annotated[str, Column("the key, in the lake, of the segment with its record")]
    warc_offset: Annotated[int, Column("offset of the record's gzip member, in bytes")]
    warc_length: Annotated[int, Column("its length, in bytes")]
    statements: Annotated[
        tuple[Statement, ...],
        Column(
            "what it says to any crawler, as far as it can be parsed; at most 300 statements, the WARC record has all"
        ),
    ]

    @property
    def fetched_at(self) -> datetime:
        """The instant that decides the row's partition."""
        return self.observed_at

    @property
    def dt(self) -> date:
        """The lake's partition: the UTC day of the first observation."""
        return self.observed_at.astimezone(UTC).date()
