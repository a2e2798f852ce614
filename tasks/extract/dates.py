"""Instants from what pages write into their date fields. Pure; naive times are read as UTC, others keep their own zone."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

_LATEST_AHEAD = timedelta(days=2)  # a clock or a zone may be wrong; an embargo is no date of publication
_EARLIEST_YEAR = 1800  # archives of newspapers are on the web under their own dates
_PLACEHOLDERS = frozenset((date(1970, 1, 1), date(1969, 12, 31), date(1900, 1, 1), date(1899, 12, 30)))
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:(?:T|\s+|,\s*)(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?(Z|[+-]\d{2}:?\d{2})?")
_EPOCH = re.compile(r"(\d{10})(\d{3})?")


def parse_instant(text: str, *, now: datetime) -> datetime | None:
    """Return the instant that a field names, aware and in its own zone, or None where it is none or cannot be true.

    ISO 8601 with its common slips, RFC 5322, seconds or milliseconds since 1970. A day alone is its midnight.
    """
    text = text.strip()[:64]
    found = _from_epoch(text) or _from_iso(text) or _from_mail(text)
    return found if found is not None and is_plausible(found, now=now) else None


def is_plausible(instant: datetime, *, now: datetime) -> bool:
    """Whether something may have been published then: neither ahead of now, nor what stands for no date."""
    if instant > now + _LATEST_AHEAD or instant.year < _EARLIEST_YEAR:
        return False
    return instant.date() not in _PLACEHOLDERS


def _from_epoch(text: str) -> datetime | None:
    match = _EPOCH.fullmatch(text)
    return datetime.fromtimestamp(int(match[1]), UTC) if match else None


def _from_iso(text: str) -> datetime | None:
    match = _ISO.match(text) or _COMPACT.fullmatch(text)
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(match[7]))
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _from_mail(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
