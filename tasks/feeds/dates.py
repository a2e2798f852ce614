"""Parse the dates of feeds and sitemaps into aware UTC instants.

Pure. Only complete dates are read. Nothing is guessed from the clock, as date libraries do: `10:30` is not today.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from tasks.values.text.written_dates import month_of, read_date

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
FUTURE_ALLOWED = timedelta(days=1)

_LONGEST = 100

# Names by their first letters, lower-case: English first, then the languages whose feeds translate RFC 822's
_MONTH_NAMES = (
    "jan gen ene janv styc led ocak",
    "feb fev fév febr lut úno şub",
    "mar mär mrz maa mars březn",
    "apr avr abr kwi dub nis",
    "may mai mei mag maj květ",
    "jun giu juin cze haz červn",
    "jul lug juil lip tem červe",
    "aug ago aoû aou sie srp ağu",
    "sep set sept wrz zář eyl",
    "oct okt ott out paź říj eki",
    "nov nóv list kas",
    "dec déc dez dic des gru pros ara",
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}

_ZONES_H = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "mez": 1, "mesz": 2,
    "eet": 2, "eest": 3, "msk": 3, "pkt": 5, "ist": 5.5, "ict": 7, "wib": 7, "sgt": 8, "hkt": 8, "awst": 8, "jst": 9,
    "kst": 9, "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "hst": -10, "akst": -9,
    "akdt": -8, "pst": -8, "pdt": -7, "mst": -7, "mdt": -6, "cst": -6, "cdt": -5, "est": -5, "edt": -4, "brt": -3,
}  # fmt: skip

_CLOCK = (
    r"(?:[T,\s]\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?m\b\.?)?)?"
)
_ZONE = r"\s*(?P<zone>[+-]\d\d:?\d\d|[+-]\d\d|[A-Za-z]{1,5})?(?:\s*\([^)]*\))?"
_SHAPES = tuple(
    re.compile(date + _CLOCK + _ZONE, re.IGNORECASE)
    for date in (
        # 2025-06-02, 2025/06/02, 20250602; with a clock or without (W3C-DTF, ISO 8601)
        r"(?P<year>\d{4})(?P<mark>[-/.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)",
        # 2025-06 (W3C-DTF), taken as its first day
        r"(?P<year>\d{4})-(?P<month>\d\d)",
        # Mon, 02 Jun 2025 (RFC 822), with or without the weekday, in several languages
        r"(?:[^\W\d]+\.?,?\s+)?(?P<day>\d{1,2})\.?(?:\s|-|\sde\s)(?P<name>[^\W\d_]+)\.?(?:\s|-|,\s|\sde\s)(?P<year>\d{4}|\d\d)",
        # June 2, 2025
        r"(?:[^\W\d]+\.?,?\s+)?(?P<name>[^\W\d_]+)\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
        # 02.06.2025: with dots the day comes first; with slashes it is ambiguous
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    )
)


def parse_instant(text: str | None) -> datetime | None:
    """Return the instant as aware UTC, or None if the text has none.

    A missing zone means UTC, a missing time midnight.
    """
    folded = " ".join((text or "")[:_LONGEST].split())
    for shape in _SHAPES:
        if found := shape.fullmatch(folded):
            return _instant(found.groupdict())
    written = read_date(folded)  # `GMT+0100`, a repeated zone, asctime with a zone, compact ISO 8601
    return written.instant.astimezone(UTC) if written is not None and written.has_clock else None


def is_plausible(instant: datetime, *, now: datetime) -> bool:
    """Whether a date is plausible for an article: not before 1980, not more than a day ahead of `now`."""
    return EARLIEST <= instant <= now + FUTURE_ALLOWED


def _instant(parts: dict[str, str | None]) -> datetime | None:
    month = parts.get("month") or _month((parts.get("name") or "").lower())
    zone = _zone((parts["zone"] or "z").lower())
    if month is None or zone is None:
        return None
    digits = parts["year"] or ""
    year = int(digits)
    year += 0 if len(digits) > 2 else 2000 if year < 70 else 1900  # RFC 822's two digits
    hour = _hour(int(parts["hour"] or 0), (parts["half"] or "")[:1].lower())
    second = min(int(parts["second"] or 0), 59)  # 60 is a leap second (RFC 3339, 5.7)
    try:
        day = datetime(year, int(month), int(parts.get("day") or 1), tzinfo=zone)
        return (day + timedelta(hours=hour, minutes=int(parts["minute"] or 0), seconds=second)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _month(name: str) -> int | None:
    """Return the month by its name or the longest known prefix of it, so that `juillet` is not taken for `juin`."""
    return month_of(name) or next((_MONTHS[name[:size]] for size in (5, 4, 3) if name[:size] in _MONTHS), None)


def _hour(hour: int, half: str) -> int:
    return hour % 12 + (12 if half == "p" else 0) if half else hour


def _zone(name: str) -> timezone | None:
    if name[0] in "+-":
        digits = name[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        offset = -offset if name[0] == "-" else offset
    elif name in _ZONES_H:
        offset = timedelta(hours=_ZONES_H[name])
    else:
        return None
    return timezone(offset) if abs(offset) < timedelta(days=1) else None
