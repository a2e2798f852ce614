"""Format values for people, in tables and as JSON. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_PASSWORD = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://[^/?#:@]*):.*@")
_USER = re.compile(r"//[^/\s@]*@")
_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")

_BARS = "▁▂▃▄▅▆▇█"

Rows = list[tuple[object, ...]]
Table = tuple[str, Sequence[str], Rows]
"""A title, the columns' names, and the rows."""


def shown(value: object) -> object:
    """Return a cell's value for people: instants to the second, empty for None."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else value


def sparkline(numbers: Sequence[int]) -> str:
    """Return numbers as a sparkline of bars, with a dot for 0; empty if all are 0."""
    highest = max(numbers, default=0)
    if highest <= 0:
        return ""
    return "".join(_BARS[(number * len(_BARS) - 1) // highest] if number > 0 else "·" for number in numbers)


def moment(at: datetime | None, now: datetime) -> str:
    """Return an instant (UTC) to the minute, with the year unless it is the current one; empty for None."""
    if at is None:
        return ""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %H:%M}" if at.year == now.astimezone(UTC).year else f"{at.day} {at:%b %Y %H:%M}"


def age(at: datetime | None, now: datetime) -> str:
    """Return how long ago an instant was, in words; a future one is `in ...`. Empty for None."""
    if at is None:
        return ""
    ago = now - at
    if abs(ago) < timedelta(minutes=1):
        return "now"
    return f"{span(ago)} ago" if ago > timedelta() else f"in {span(-ago)}"


def span(length: timedelta) -> str:
    """Return a duration in the largest unit that fits at least twice: `90 minutes`, `3 days`."""
    for name, unit in _UNITS:
        if length >= 2 * unit:
            return plural(round(length / unit), name)
    return plural(round(length.total_seconds()), "second")


_UNITS = (
    ("year", timedelta(days=365.25)),
    ("month", timedelta(days=365.25 / 12)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Return a number with its noun, which agrees with it: `1 feed`, `2,000 feeds`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def counted(counts: Mapping[str, int]) -> str:
    """Return named counts in one line, without zeros: `3 new, 1 near-duplicate`."""
    return ", ".join(f"{number:,} {name.replace('_', '-')}" for name, number in counts.items() if number)


def without_userinfo(url: str) -> str:
    """Return a URL without user name and password."""
    return _USERINFO.sub(r"\1", url)


def without_users(text: str) -> str:
    """Return a text with `***` in place of the user name and password of its URLs (between `//` and `@`)."""
    return _USER.sub("//***@", text)


def masked_url(url: str) -> str:
    """Return a URL without its secrets: the password, and the options after `?`, which may contain some."""
    place, mark, _options = url.partition("?")
    return _PASSWORD.sub(r"\1:***@", place) + ("?***" if mark else "")


def plain(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a row as plain data; instants in ISO 8601."""
    return (
        None
        if row is None
        else {str(name): value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
    )
