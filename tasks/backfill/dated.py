"""Dates in URLs: the days that the URL of a sitemap or an article names. Pure."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tasks.values.feed import Entry

_YEAR, _MONTH, _DAY = r"(?P<year>(?:19|20)\d\d)", r"(?P<month>0?[1-9]|1[0-2])", r"(?P<day>0?[1-9]|[12]\d|3[01])"
_SEPARATED = re.compile(rf"(?<!\d){_YEAR}[-_/.]{_MONTH}(?:[-_/.]{_DAY})?(?!\d)")
_TOGETHER = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])?(?!\d)")
_ONLY_YEAR = re.compile(rf"(?<!\d){_YEAR}(?!\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """A range of days, both ends included."""

    first: date
    last: date

    def has(self, one: "Window") -> bool:
        """Whether it overlaps another window."""
        return one.first <= self.last and self.first <= one.last

    def has_instant(self, at: datetime) -> bool:
        """Whether an instant is within the window."""
        return self.first <= at.astimezone(UTC).date() <= self.last


def days_in(url: str) -> Window | None:
    """Return the day, month or year that a URL names, as a window; None if it names none."""
    for pattern in (_SEPARATED, _TOGETHER, _ONLY_YEAR):
        found = pattern.search(url)
        if found is not None and (window := _window(found.groupdict())) is not None:
            return window
    return None


def may_hold(child: Entry, wanted: Window) -> bool:
    """Whether a sitemap in an index may have entries of these days.

    The date in its URL decides, else its lastmod, before which all its entries were published.
    """
    named = days_in(str(child.url))
    if named is not None:
        return wanted.has(named)
    return child.modified_at is None or child.modified_at.astimezone(UTC).date() >= wanted.first


def is_within(entry: Entry, wanted: Window) -> bool:
    """Whether an entry is of these days: by publication date, else the date in its URL, else lastmod; True if unknown."""
    if entry.published_at is not None:
        return wanted.has_instant(entry.published_at)
    named = days_in(str(entry.url))
    if named is not None:
        return wanted.has(named)
    return entry.modified_at is None or wanted.has_instant(entry.modified_at)


def _window(found: dict[str, str | None]) -> Window | None:
    year, month, day = (int(found.get(name) or 0) for name in ("year", "month", "day"))
    try:
        if not month:
            return Window(date(year, 1, 1), date(year, 12, 31))
        if not day:
            return Window(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        return Window(date(year, month, day), date(year, month, day))
    except ValueError:
        return None
