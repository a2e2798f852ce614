"""Parse instants from the date fields of pages.

Pure. Naive times are read as UTC (`UNSTATED`); others keep their zone.
"""

import re
from datetime import date, datetime, timedelta, timezone

from tasks.values.text.written_dates import UNSTATED, read_date

_LATEST_AHEAD = timedelta(days=2)  # clocks and zones may be wrong; embargo dates are not dates of publication
_EARLIEST_YEAR = 1800  # newspaper archives are online with their original dates
_PLACEHOLDERS = frozenset((date(1970, 1, 1), date(1969, 12, 31), date(1900, 1, 1), date(1899, 12, 30)))
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")
_ISO = re.compile(
    r"(?:1[89]|2[0-3])\d\d-\d\d-\d\d[T ]"
    r"(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?",  # only Python 3.14 parses 24:00
    re.ASCII,
)
_EPOCH = re.compile(r"(\d{10})(\d{3})?")
_MAX_FIELD = 64  # characters


def parse_instant(text: str, *, now: datetime) -> datetime | None:
    """Return the instant in a field, aware and in its own zone, or None if it is unreadable or implausible.

    It parses ISO 8601 with common mistakes, RFC 5322, dates in words, seconds or milliseconds since 1970. A day without
    time is its midnight. The whole field must match.
    """
    text = " ".join(text[:_MAX_FIELD].split())
    found = _from_iso(text) or _from_epoch(text) or _from_figures(text) or _from_words(text)
    return found if found is not None and is_plausible(found, now=now) else None


def is_plausible(instant: datetime, *, now: datetime) -> bool:
    """Whether an instant is plausible as a date of publication: not in the future, not a placeholder."""
    if instant > now + _LATEST_AHEAD or instant.year < _EARLIEST_YEAR:
        return False
    return instant.date() not in _PLACEHOLDERS


def _from_iso(text: str) -> datetime | None:
    """Return the instant of the usual form, which Python parses in a hundredth of the time for words."""
    if _ISO.fullmatch(text) is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(microsecond=0, tzinfo=instant.tzinfo or UNSTATED)


def _from_epoch(text: str) -> datetime | None:
    match = _EPOCH.fullmatch(text)
    return datetime.fromtimestamp(int(match[1]), UNSTATED) if match else None


def _from_figures(text: str) -> datetime | None:
    match = _COMPACT.fullmatch(text)
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UNSTATED)
    except ValueError:
        return None


def _from_words(text: str) -> datetime | None:
    found = read_date(text)
    if found is None:
        return None
    instant = found.instant
    if instant.tzinfo is UNSTATED:
        return instant
    return instant.replace(
        tzinfo=timezone(instant.utcoffset() or timedelta())
    )  # an instant has an offset, not a zone's rules
