"""What a batch adds to the days of its sources, by which a new layout of a site is noticed. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from tasks.errors import EmptyExtraction, NotAnArticle
from tasks.index.drift import SourceDay
from tasks.values.batch import ExtractedBatch
from tasks.values.page import Page
from tasks.values.rows import Capture

USUAL = frozenset(("fast", "selected"))
"""Paths of extraction that need no second try."""

EMPTY = frozenset((EmptyExtraction.reason, NotAnArticle.reason))


def days_of(extracted: ExtractedBatch) -> Iterator[SourceDay]:
    """Yield what the batch's pages add, a source and day each; looks that gave no page add nothing."""
    looks: dict[tuple[str, date], list[Capture]] = defaultdict(list)
    for capture in extracted.captures:
        if capture.capture_id in extracted.pages or capture.reason in EMPTY:
            looks[capture.source_id, capture.dt].append(capture)
    for (source_id, day), captures in looks.items():
        pages = [extracted.pages[one.capture_id] for one in captures if one.capture_id in extracted.pages]
        yield SourceDay(
            source_id=source_id,
            day=day,
            pages=len(pages),
            empty=len(captures) - len(pages),
            titled=sum(page.title is not None for page in pages),
            dated=sum(page.published_at is not None for page in pages),
            usual=sum(_path_of(page) in USUAL for page in pages),
            log_length=sum(math.log1p(len(page.text)) for page in pages),
        )


def _path_of(page: Page) -> str:
    return page.extractor.rpartition(" ")[2]
