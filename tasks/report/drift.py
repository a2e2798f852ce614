"""Whether a source's pages look otherwise this week than they did: the alarm for a new layout. Pure."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from tasks.index.drift import SourceWeek, monday_of

PAST = timedelta(weeks=8)
"""How far back a source's past reaches; what drifted and stays so is its past in the end."""

MIN_PAGES, MIN_PAST_PAGES = 20, 50
"""Pages of this week, and of the past, without which nothing is told: a handful of pages proves nothing."""

_MAX_RATIO = 2.0  # of lengths of text, either way
_MAX_CHANGE = 0.3  # of shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What of a source's pages changed: the figure of its past and this week's, a share or characters."""

    source_id: str
    what: str
    before: float
    now: float


_OF_ALL = "pages without a text"
_OF_STORIES: tuple[tuple[str, Callable[[SourceWeek], float]], ...] = (
    ("titles", lambda one: one.titled / one.pages),
    ("dates", lambda one: one.dated / one.pages),
    ("texts found by the usual path", lambda one: one.usual / one.pages),
)


def find_drifts(weeks: Iterable[SourceWeek], *, today: date) -> tuple[Drift, ...]:
    """Return what drifted of each source, this week against its past; by source, and then the same order always."""
    ordered = sorted(weeks, key=lambda one: (one.source_id, one.week))
    return tuple(
        drift
        for _, of_source in groupby(ordered, key=lambda one: one.source_id)
        for drift in _drifts_of(tuple(of_source), monday_of(today))
    )


def find_judged(weeks: Iterable[SourceWeek], *, today: date) -> set[str]:
    """Return the sources of which enough is known to say that they drifted, or that they did not."""
    ordered = sorted(weeks, key=lambda one: (one.source_id, one.week))
    return {
        source_id
        for source_id, of_source in groupby(ordered, key=lambda one: one.source_id)
        if _is_enough(*_now_and_past(tuple(of_source), monday_of(today)))
    }


def _now_and_past(weeks: tuple[SourceWeek, ...], this_week: date) -> tuple[SourceWeek, SourceWeek]:
    now = _added([one for one in weeks if one.week == this_week])
    return now, _added([one for one in weeks if this_week - PAST <= one.week < this_week])


def _is_enough(now: SourceWeek, past: SourceWeek) -> bool:
    return now.looks >= MIN_PAGES and past.looks >= MIN_PAST_PAGES


def _drifts_of(weeks: tuple[SourceWeek, ...], this_week: date) -> Iterable[Drift]:
    now, past = _now_and_past(weeks, this_week)
    if not _is_enough(now, past):
        return
    yield from _changed(now.source_id, _OF_ALL, past.empty / past.looks, now.empty / now.looks)
    if now.pages < MIN_PAGES or past.pages < MIN_PAST_PAGES:
        return
    for what, share in _OF_STORIES:
        yield from _changed(now.source_id, what, share(past), share(now))
    if not 1 / _MAX_RATIO <= _length(now) / max(1.0, _length(past)) <= _MAX_RATIO:
        before, after = round(_length(past)), round(_length(now))
        yield Drift(source_id=now.source_id, what="characters of a text", before=before, now=after)


def _changed(source_id: str, what: str, before: float, now: float) -> Iterable[Drift]:
    if abs(now - before) > _MAX_CHANGE:
        yield Drift(source_id=source_id, what=what, before=round(before, 2), now=round(now, 2))


def _added(weeks: list[SourceWeek]) -> SourceWeek:
    return SourceWeek(
        source_id=weeks[0].source_id if weeks else "",
        week=weeks[-1].week if weeks else date.min,
        pages=sum(one.pages for one in weeks),
        empty=sum(one.empty for one in weeks),
        titled=sum(one.titled for one in weeks),
        dated=sum(one.dated for one in weeks),
        usual=sum(one.usual for one in weeks),
        log_length=sum(one.log_length for one in weeks),
    )


def _length(week: SourceWeek) -> float:
    """Return the geometric mean of the texts' characters, which a few very long ones hardly move."""
    return math.expm1(week.log_length / week.pages)
