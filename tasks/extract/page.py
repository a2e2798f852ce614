"""One stored response into the page that it is: decoded, parsed once, read, labelled. Pure; runs in a worker process."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version

from lxml.html import HtmlElement

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.errors import EmptyExtraction, NotAnArticle, TooManyElements
from tasks.extract.article import Extraction, extract_text
from tasks.extract.metadata import Metadata, read_metadata
from tasks.extract.page_type import classify_page, look_at
from tasks.extract.rights import Rights, rights_of
from tasks.extract.selectors import with_selected
from tasks.extract.tree import parse_html, words_in
from tasks.lake.warc import RENDITION_TYPE, read_conversion, read_response
from tasks.values.page import Page
from tasks.values.rows import PageType
from tasks.values.text.fingerprint import fingerprint_of
from tasks.values.url import Url
from tasks.web.charset import decode_text
from tasks.web.decoding import decode_body

RULE_SET = 1
"""Raised whenever the same page may give another text; part of every article's `extractor`."""

LONG_PAGE_SIZE = 20_000
"""A page of so many bytes that gives no text is a fault of ours, not an empty article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractConfig:
    """How much one page may be: bytes after its content coding is undone, and elements; what is more is not parsed."""

    max_decoded_size: int = 5_000_000
    max_elements: int = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """One page to extract: `record` is the gzip member of its WARC response; `fetched_at` bounds what dates may be true.

    `options` are its source's, `rendition` the gzip member of the record with the page as its scripts made it.
    """

    capture_id: str
    url: Url
    fetched_at: datetime
    record: bytes
    options: ExtractOptions = NO_OPTIONS
    rendition: bytes | None = None


def extract_page(stored: StoredPage, config: ExtractConfig) -> Page:
    """Return the page with its text, or with the label of what it is instead and no text.

    The same record gives the same page, on any machine and at any time. Raises NotAnArticle where there is nothing to
    read, EmptyExtraction where there should be, TooManyElements, what `decode_body` raises, and CorruptRecord.
    """
    response = read_response(stored.record, 0, len(stored.record))
    headers = dict(response.headers)
    if stored.rendition is None:
        body = decode_body(response.body, headers.get("content-encoding"), max_size=config.max_decoded_size)
        html, charset = decode_text(body, headers.get("content-type"))
    else:
        body = read_conversion(stored.rendition, 0, len(stored.rendition))
        html, charset = decode_text(body, RENDITION_TYPE)
    tree = parse_html(html)
    if tree is None:
        raise NotAnArticle(f"nothing but {len(body)} bytes without an element at {stored.url}")
    _check_size(tree, config, stored.url)
    metadata = read_metadata(tree, url=stored.url, now=stored.fetched_at)
    metadata = with_selected(metadata, tree, stored.options, now=stored.fetched_at)
    rights = rights_of(metadata, response.headers)
    facts = look_at(tree, url=stored.url)
    found = extract_text(tree, metadata, url=stored.url, options=stored.options)
    kind = classify_page(metadata, found.text, facts)
    if not found.text and kind.is_story:
        if len(body) > LONG_PAGE_SIZE:
            raise EmptyExtraction(f"no text in {len(body)} bytes at {stored.url}")
        raise NotAnArticle(f"no text in {len(body)} bytes at {stored.url}")
    return _page(metadata, rights, kind, found, charset=charset)


def _check_size(tree: HtmlElement, config: ExtractConfig, url: str) -> None:
    count = int(tree.xpath("count(//*)"))
    if count > config.max_elements:
        raise TooManyElements(f"{count} elements at {url}")


def _page(metadata: Metadata, rights: Rights, kind: PageType, found: Extraction, *, charset: str) -> Page:
    return Page(
        page_type=kind,
        title=metadata.title,
        text=found.text,
        lede=metadata.lede,
        authors=metadata.authors,
        published_at=metadata.published_at,
        modified_at=metadata.modified_at,
        language=metadata.language,
        section=metadata.section,
        tags=metadata.tags,
        image_url=metadata.image_url,
        canonical_url=metadata.canonical_url,
        syndicated_from=metadata.syndicated_from,
        paywalled=metadata.paywalled,
        tdm_reserved=rights.tdm_reserved,
        noarchive=rights.noarchive,
        word_count=len(words_in(found.text)),
        charset=charset,
        extractor=f"presslake/{RULE_SET} {_library()} {found.path}",
        quality=found.quality,
        fingerprint=fingerprint_of(found.text) if kind.is_story else None,
    )


@lru_cache(maxsize=1)
def _library() -> str:
    return f"trafilatura/{version('trafilatura')}"
