"""Turn one stored response into a page: decode, parse once, extract, label.

Pure; runs in a worker process.
"""

from codecs import BOM_UTF8
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lxml.etree import XPath
from lxml.html import HtmlElement

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.errors import DecompressionBomb, EmptyExtraction, NotAnArticle, TooManyElements
from tasks.extract.article import Extraction, extract_text
from tasks.extract.metadata import Metadata, read_metadata
from tasks.extract.page_type import classify_page, look_at
from tasks.extract.rights import Rights, rights_of, signals_of
from tasks.extract.rules import rules_name
from tasks.extract.selectors import with_selected
from tasks.extract.stored_page import ExtractConfig, StoredPage
from tasks.extract.tree import count_words, parse_html
from tasks.lake.records import RENDITION_TYPE, read_conversion, read_response
from tasks.values.page import Page
from tasks.values.rows import PageType
from tasks.values.text.fingerprint import fingerprint_of
from tasks.values.text.written_dates import offset_s_of
from tasks.values.url import Url
from tasks.web.decoding import decode_received, decode_received_prefix
from tasks.web.text import decode_text

TRUNCATED_QUALITY = 0.5
"""The greatest quality of a truncated page."""

_ELEMENTS = XPath("count(/descendant::*)")  # in a third of the time of counting tags in the source

LONG_PAGE_SIZE = 20_000
"""A story of more than this size (bytes) without text is a fault of ours, not an empty article."""


_AS_IN_A_SWEEP = ExtractConfig()


def extract_page(stored: StoredPage, config: ExtractConfig) -> Page:
    """Return the page with its text, or with a label and no text.

    Deterministic: the same record gives the same page, on any machine and at any time. Raises NotAnArticle if a
    story has no text, EmptyExtraction if it is longer than LONG_PAGE_SIZE and has none, TooManyElements, what
    `decode_received` raises, and CorruptRecord.
    """
    page = _read(_stored_document(stored, config), fetched_at=stored.fetched_at, options=stored.options, config=config)
    if not stored.is_truncated:
        return page
    best = TRUNCATED_QUALITY if page.quality is None else page.quality
    return replace(page, quality=min(best, TRUNCATED_QUALITY))


def extract_html(
    html: str | bytes, url: str, *, content_type: str | None = None, fetched_at: datetime | None = None
) -> Page:
    """Extract a page that was never stored. Raises like `extract_page`. Not pure: `fetched_at` defaults to now."""
    if isinstance(html, bytes):
        size = len(html)
        html, charset = decode_text(html, content_type)
    else:
        size, charset = len(html), "utf-8"
    if size > _AS_IN_A_SWEEP.max_decoded_size:
        raise DecompressionBomb(f"{size} bytes at {url}")
    tree = _tree_of(html, url, size=size, config=_AS_IN_A_SWEEP)
    document = _Document(tree=tree, charset=charset, size=size, headers=())
    return _read(document, fetched_at=fetched_at or datetime.now(UTC), options=NO_OPTIONS, config=_AS_IN_A_SWEEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """A page's tree, charset, size in bytes, and response headers."""

    tree: HtmlElement
    charset: str
    size: int
    headers: tuple[tuple[str, str], ...]


def _stored_document(stored: StoredPage, config: ExtractConfig) -> _Document:
    """Return the document of a record, and free its bytes and text before the tree is processed."""
    response = read_response(stored.record, 0, len(stored.record))
    headers, url = response.headers, Url.of(response.url)
    if stored.rendition is None:
        decode = decode_received_prefix if stored.is_truncated else decode_received
        body = decode(response.body, dict(headers).get("content-encoding"), max_size=config.max_decoded_size)
        content_type = dict(headers).get("content-type")
    else:
        body, content_type = read_conversion(stored.rendition, 0, len(stored.rendition)), RENDITION_TYPE
    del response
    html, charset = decode_text(body, content_type)
    tree = _tree_of(html, url, size=len(body), config=config, encoded=_as_utf8(html, charset, body))
    return _Document(tree=tree, charset=charset, size=len(body), headers=headers)


def _as_utf8(html: str, charset: str, body: bytes) -> bytes | None:
    """Return a page's own bytes if they are exactly its text in UTF-8, without byte order mark."""
    if charset != "utf-8" or body.startswith(BOM_UTF8):
        return None
    return None if "\ufffd" in html else body  # invalid bytes were decoded to it


def _tree_of(html: str, url: str, *, size: int, config: ExtractConfig, encoded: bytes | None = None) -> HtmlElement:
    tree = parse_page(html, url, encoded)
    if tree is None:
        raise NotAnArticle(f"{size} bytes without an element at {url}")
    _check_size(tree, config, url)
    return tree


def _read(document: _Document, *, fetched_at: datetime, options: ExtractOptions, config: ExtractConfig) -> Page:
    tree = document.tree
    metadata = read_metadata(tree, now=fetched_at)
    metadata = with_selected(metadata, tree, options, now=fetched_at)
    rights = rights_of(metadata, document.headers)
    signals = signals_of(tree, metadata, document.headers, token=options.crawler_name)
    facts = look_at(tree)
    found = extract_text(tree, metadata, options=options, has_markdown=config.has_markdown)
    kind = classify_page(metadata, found.text, facts)
    if not found.text and kind.is_story:
        if document.size > LONG_PAGE_SIZE:
            raise EmptyExtraction(f"no text in {document.size} bytes at {tree.base_url}")
        raise NotAnArticle(f"no text in {document.size} bytes at {tree.base_url}")
    return replace(_page(metadata, rights, kind, found, charset=document.charset), rights=signals)


def parse_page(html: str, url: str, encoded: bytes | None = None) -> HtmlElement | None:
    """Return the root of a page whose elements have its URL as `base_url`, or None if there is nothing to parse.

    `encoded` is the page in UTF-8, if the caller has it.
    """
    tree = parse_html(html, encoded)
    if tree is not None:
        tree.getroottree().docinfo.URL = url
    return tree


def _check_size(tree: HtmlElement, config: ExtractConfig, url: str) -> None:
    count = int(_ELEMENTS(tree))
    if count > config.max_elements:
        raise TooManyElements(f"{count} elements at {url}")


def _page(metadata: Metadata, rights: Rights, kind: PageType, found: Extraction, *, charset: str) -> Page:
    return Page(
        page_type=kind,
        title=metadata.title,
        text=found.text,
        markdown=found.markdown,
        lede=metadata.lede,
        authors=metadata.authors,
        published_at=metadata.published_at,
        published_at_offset_s=offset_s_of(metadata.published_at),
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
        word_count=count_words(found.text),
        charset=charset,
        extractor=f"{rules_name()} {found.path}",
        quality=found.quality,
        fingerprint=fingerprint_of(found.text) if kind.is_story else None,
    )
