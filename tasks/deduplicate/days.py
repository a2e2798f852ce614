"""The daily figures that a batch adds to its sources, from which a site's new layout is detected. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from tasks.errors import EmptyExtraction, NotAnArticle
from tasks.index.drift import SourceDay
from tasks.values.page import Page

USUAL = frozenset(("fast", "selected"))
"""Extraction paths without a fallback."""

EMPTY = frozenset((EmptyExtraction.reason, NotAnArticle.reason))


class PageResult(NamedTuple):
    """The result of a look: its page, or the reason why there is none."""

    source_id: str
    day: date
    reason: str | None
    page: Page | None


def days_of(looks: Iterable[PageResult]) -> Iterator[SourceDay]:
    """Yield the figures that a batch's pages add, by source and day. Looks with neither an article nor an empty page add nothing."""
    by_day: defaultdict[tuple[str, date], list[Page | None]] = defaultdict(list)
    for one in looks:
        if one.page is not None or one.reason in EMPTY:
            by_day[one.source_id, one.day].append(one.page)
    for (source_id, day), found in by_day.items():
        pages = [page for page in found if page is not None]
        yield SourceDay(
            source_id=source_id,
            day=day,
            pages=len(pages),
            empty=len(found) - len(pages),
            titled=sum(page.title is not None for page in pages),
            dated=sum(page.published_at is not None for page in pages),
            usual=sum(_path_of(page) in USUAL for page in pages),
            log_length=sum(math.log1p(len(page.text)) for page in pages),
        )


def _path_of(page: Page) -> str:
    return page.extractor.rpartition(" ")[2]
