"""Pages: what extraction returns. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tasks.values.rows import PageType, Signal
from tasks.values.text.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The result of extracting one capture: the article alone, or the label of another page type.

    `text` consists of paragraphs separated by one newline, in NFC, without the title; instants are aware.
    `canonical_url` is on the same registrable domain; one on another domain is `syndicated_from`. `fingerprint` is that
    of the text, None if not computed yet; `markdown` is the text with its markup, None if not requested.
    `published_at_offset_s` is the UTC offset written with `published_at`, None if there was none. `rights` are the
    page's own statements about its use, in headers, meta elements and inline.
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
    markdown: str | None = None
    rights: tuple[Signal, ...] = ()
    published_at_offset_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """The stored contents of an article, as digests of the current algorithm; `revision` is its newest.

    `contents` are pairs of a revision and its content digest (several if its row is ambiguous), `bases` the possible
    contents of the newest under the rules of the page; empty if unknown.
    """

    revision: int
    contents: tuple[tuple[int, str], ...]
    bases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPage:
    """A page prepared for its decision.

    `told_at` is the article's time, `host` the one that answered, `content` the page's content digest. `names` maps the
    keys of its other URLs on the site to how they are known, `elsewhere` are keys on other sites that redirected to it,
    `syndicated_key` is the key of its declared original. `restated` are contents read from the lake, by article.
    """

    host: str
    told_at: datetime
    text: Fingerprint
    content: str
    names: Mapping[str, str]
    elsewhere: tuple[str, ...]
    syndicated_key: str | None
    restated: Mapping[str, Restated] = field(default_factory=dict)
