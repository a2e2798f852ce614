"""Whether a source's latest pages differ from those before: the alarm for a new layout. Pure.

The latest pages are those of the last days that have 20 pages together, or of the last day alone if it has 20. So a new
layout is reported on its first or second day.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from tasks.index.drift import SourceDay

PAST = timedelta(weeks=8)
"""How far back a source's past reaches; after this time a new layout counts as normal."""

LATE = timedelta(days=7)
"""How far back the latest pages reach, at most."""

MIN_PAGES, MIN_PAST_PAGES = 20, 50
"""The minimum number of latest and of past pages for a report."""

_MAX_RATIO = 2.0  # of text lengths, in either direction
_MAX_CHANGE = 0.3  # of shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A figure of a source's pages that changed, with its past and latest value: a share, or a number of characters."""

    source_id: str
    what: str
    before: float
    now: float


_OF_ALL = "pages without a text"
_OF_STORIES: tuple[tuple[str, Callable[[SourceDay], float]], ...] = (
    ("titles", lambda one: one.titled / one.pages),
    ("dates", lambda one: one.dated / one.pages),
    ("texts found by the usual method", lambda one: one.usual / one.pages),
)


def find_drifts(days: Iterable[SourceDay], *, today: date) -> tuple[Drift, ...]:
    """Return the figures of each source that differ between its latest pages and its past, in a fixed order."""
    return tuple(drift for now, past in _judged(days, today) for drift in _drifts_of(now, past))


def find_judged(days: Iterable[SourceDay], *, today: date) -> set[str]:
    """Return the sources with enough pages to decide whether they drifted."""
    return {now.source_id for now, _ in _judged(days, today)}


def _judged(days: Iterable[SourceDay], today: date) -> Iterator[tuple[SourceDay, SourceDay]]:
    """Yield the latest pages and the past of each source with enough of both."""
    ordered = sorted((one for one in days if one.day >= today - PAST), key=lambda one: (one.source_id, one.day))
    for _, of_source in groupby(ordered, key=lambda one: one.source_id):
        past, now = list(of_source), list[SourceDay]()
        while past and past[-1].day > today - LATE and sum(one.looks for one in now) < MIN_PAGES:
            now.append(past.pop())
        if sum(one.looks for one in now) >= MIN_PAGES and sum(one.looks for one in past) >= MIN_PAST_PAGES:
            yield _added(now), _added(past)


def _drifts_of(now: SourceDay, past: SourceDay) -> Iterable[Drift]:
    yield from _changed(now.source_id, _OF_ALL, past.empty / past.looks, now.empty / now.looks)
    if now.pages < MIN_PAGES or past.pages < MIN_PAST_PAGES:
        return
    for what, share in _OF_STORIES:
        yield from _changed(now.source_id, what, share(past), share(now))
    if not 1 / _MAX_RATIO <= _length(now) / max(1.0, _length(past)) <= _MAX_RATIO:
        before, after = round(_length(past)), round(_length(now))
        yield Drift(source_id=now.source_id, what="characters per text", before=before, now=after)


def _changed(source_id: str, what: str, before: float, now: float) -> Iterable[Drift]:
    if abs(now - before) > _MAX_CHANGE:
        yield Drift(source_id=source_id, what=what, before=round(before, 2), now=round(now, 2))


def _added(days: list[SourceDay]) -> SourceDay:
    return SourceDay(
        source_id=days[0].source_id,
        day=days[0].day,
        pages=sum(one.pages for one in days),
        empty=sum(one.empty for one in days),
        titled=sum(one.titled for one in days),
        dated=sum(one.dated for one in days),
        usual=sum(one.usual for one in days),
        log_length=sum(one.log_length for one in days),
    )


def _length(days: SourceDay) -> float:
    """Return the geometric mean of the text lengths, which is robust against a few very long texts."""
    return math.expm1(days.log_length / days.pages)
