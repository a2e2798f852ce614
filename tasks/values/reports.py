"""Counts of polls and batches, and single failures. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from tasks.reasons import Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One URL's failure, as counted, shown and stored. `detail` may be text from the web."""

    url: str
    source_id: str
    reason: str
    disposition: Disposition
    detail: str
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A new article, as listed at the end of a sweep. `title` is text from the web."""

    title: str
    source_id: str
    url: str
    published_at: datetime | None
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """The results of one batch, as counted, stored in the index and shown.

    Reasons and novelties are counted by name, doubtful articles by source. `segments` are the keys of its WARC
    segments. `again` counts those that failed and stay due.
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
    again: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The rows in the lake at a run's end: those of sequences after `since` up to `upto`, in these table versions.

    They include all rows of the run, and may include rows of concurrent runs.
    """

    since: int
    upto: int
    delta_versions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverReport:
    """The results of polling: feeds polled and unchanged, new URLs, failures by reason; `limits`: budgets reached.

    `polled_failed` are those of `failed` that `polled` counts: without child sitemaps and fallback front pages.
    """

    polled: int = 0
    unchanged: int = 0
    discovered: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    polled_failed: dict[str, int] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    limits: tuple[str, ...] = ()
