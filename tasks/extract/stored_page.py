"""Stored pages on their way to the extractor, which the processes that extract load, and who sends them pages does not."""

from dataclasses import dataclass
from datetime import datetime

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.values.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractConfig:
    """How much one page may be: bytes after its content coding is undone, and elements; what is more is not parsed.

    `has_markdown` says whether the text is wanted as markdown, too.
    """

    max_decoded_size: int = 5_000_000
    max_elements: int = 50_000
    has_markdown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """One page to extract: `record` is the gzip member of its WARC response, which names its URL.

    `fetched_at` bounds what dates may be true.
    With `is_truncated`, its body ended before its end, and is read as far as it goes. `options` are its source's, `rendition` the gzip member of the record with the page as its scripts made it.
    """

    capture_id: str
    fetched_at: datetime
    record: bytes
    options: ExtractOptions = NO_OPTIONS
    rendition: bytes | None = None
    is_truncated: bool = False


NamedPage = tuple[str, StoredPage]
"""A page with the URL by which errors name it."""


def extract_stored(stored: StoredPage, config: ExtractConfig) -> Page:
    """Return the page as `tasks.extract.page.extract_page` does."""
    from tasks.extract.page import extract_page  # noqa: PLC0415 - the extractor takes 20 MB, and half a second to import

    return extract_page(stored, config)
