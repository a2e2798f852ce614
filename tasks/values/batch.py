"""Batches: looks that are fetched, extracted and decided together. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from tasks.reasons import Disposition
from tasks.values.look import DueUrl
from tasks.values.page import Page
from tasks.values.rows import Article, Capture


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
