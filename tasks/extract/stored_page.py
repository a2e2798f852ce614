"""Stored pages as jobs for the extractor; a light module, so that only worker processes load the extractor."""

from dataclasses import dataclass
from datetime import datetime

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.values.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractConfig:
    """The limits of one page: bytes after content decoding, and elements; larger pages are not parsed.

    `has_markdown`: also return the text as markdown.
    """

    max_decoded_size: int = 5_000_000
    max_elements: int = 50_000
    has_markdown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """One page to extract: `record` is the gzip member of its WARC response, which has its URL.

    `fetched_at` bounds plausible dates. `is_truncated`: its body is incomplete, and is decoded as far as possible.
    `options` are its source's, `rendition` the gzip member of the record with the rendered page.
    """

    capture_id: str
    fetched_at: datetime
    record: bytes
    options: ExtractOptions = NO_OPTIONS
    rendition: bytes | None = None
    is_truncated: bool = False


NamedPage = tuple[str, StoredPage]
"""A page's URL, for error messages, and the page."""


def extract_stored(stored: StoredPage, config: ExtractConfig) -> Page:
    """Extract a stored page, as `tasks.extract.page.extract_page` does."""
    from tasks.extract.page import extract_page  # noqa: PLC0415 - importing the extractor takes 20 MB and half a second

    return extract_page(stored, config)
