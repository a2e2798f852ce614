"""Pages: what extraction returns. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tasks.values.rows import PageType, Signal
from tasks.values.text.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What extraction made of one capture: the article alone, or the label of what it is instead.

    `text` is paragraphs parted by one newline, NFC, without the title; instants are aware. `canonical_url` is on the
    same registrable domain; one on another domain is `syndicated_from`. `fingerprint` is of the text, None if nobody has
    made it yet; `markdown` is the text with its markup, None if that is not wanted.
    `published_at_offset_s` is the zone that was written with `published_at`, None if none was.
    `rights` is what the page says of its own use, in its header, its meta elements and inline.
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
    """What is stored of an article, in the digests that are made today; `revision` is its newest.

    `contents` are the revisions with the content of each (several, if its row leaves open which), `bases` what the newest
    may be under the rules that the page was extracted with; none if it is not known.
    """

    revision: int
    contents: tuple[tuple[int, str], ...]
    bases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPage:
    """A page as its decision needs it, with what is known of its URL.

    `told_at` is the article's time, `host` the one that answered, `content` the page's content digest. `names` are its other URLs on the site (keys, with how
    they are known), `elsewhere` those of other sites that led to it or that it was at, `syndicated_key` whose copy it says
    it is. `restated` is what the lake had to be asked for, by article.
    """

    host: str
    told_at: datetime
    text: Fingerprint
    content: str
    names: Mapping[str, str]
    elsewhere: tuple[str, ...]
    syndicated_key: str | None
    restated: Mapping[str, Restated] = field(default_factory=dict)
