"""Stored pages for extraction. A small module, because processes that only send pages must not load the extractor."""

from dataclasses import dataclass
from datetime import datetime

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.values.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractConfig:
    """Limits of one page: decoded bytes, and elements. Larger pages are not parsed.

    `has_markdown`: whether to produce markdown as well.
    """

    max_decoded_size: int = 5_000_000
    max_elements: int = 50_000
    has_markdown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """One page to extract. `record` is the gzip member of its WARC response, which contains its URL.

    `fetched_at` is the upper bound of plausible dates. With `is_truncated`, the body is incomplete and is read as far
    as it goes. `options` are its source's. `rendition` is the gzip member of the record with the rendered page.
    """

    capture_id: str
    fetched_at: datetime
    record: bytes
    options: ExtractOptions = NO_OPTIONS
    rendition: bytes | None = None
    is_truncated: bool = False


NamedPage = tuple[str, StoredPage]
"""A page with the URL that errors name."""


def extract_stored(stored: StoredPage, config: ExtractConfig) -> Page:
    """Extract a stored page, as `tasks.extract.page.extract_page` does."""
    from tasks.extract.page import extract_page  # noqa: PLC0415 - importing the extractor takes 20 MB and half a second

    return extract_page(stored, config)
