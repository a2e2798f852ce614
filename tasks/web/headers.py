"""Parse single header fields. Pure. Every function accepts whatever servers send and never raises."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_VALUE_LENGTH = 1024
"""Characters of a field's value that are parsed: no sensible value is longer, and some regexes take quadratic time."""

LONGEST_RETRY_AFTER_S = 86_400.0
LONGEST_MAX_AGE_S = 31_536_000.0

_SECONDS = re.compile(r"[+-]?\d+(\.\d+)?")
_MAX_AGE = re.compile(r'max-age\s*=\s*"?(\d+)"?', re.IGNORECASE)
_VALUED_DIRECTIVES = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_CRAWLER = re.compile(r"[a-z][a-z0-9_ .-]*")  # a date's commas and colons do not match
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")


def capped(value: str | None) -> str:
    """Return the part of a field's value that is parsed."""
    return (value or "")[:MAX_VALUE_LENGTH]


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the wait in seconds, 0 to a day; None if the field is missing or invalid.

    It may be seconds or a date (RFC 9110, 10.2.3); a past date means no wait.
    """
    if value is None:
        return None
    text = capped(value).strip()
    wait_s = float(text) if _SECONDS.fullmatch(text) else _seconds_until(text, now)
    return None if wait_s is None else min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S)


def _seconds_until(text: str, now: datetime) -> float | None:
    moment = parse_http_date(text)
    return None if moment is None else (moment - now).total_seconds()


def parse_http_date(value: str | None) -> datetime | None:
    """Return an HTTP date, or None. It is in GMT even if it does not say so (RFC 9110, 5.6.7)."""
    try:
        moment = parsedate_to_datetime(capped(value).strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def max_age_s(cache_control: str | None) -> float | None:
    """Return Cache-Control's max-age in seconds, at most a year, or None (RFC 9111, 5.2.2.1)."""
    for directive in capped(cache_control).split(","):
        if found := _MAX_AGE.fullmatch(directive.strip()):
            return min(float(found[1]), LONGEST_MAX_AGE_S)
    return None


def media_type(content_type: str | None) -> str | None:
    """Return `type/subtype` in lower case without parameters, or None (RFC 9110, 8.3.1)."""
    # a repeated field is joined with a comma: the first value counts
    text = re.split("[;,]", capped(content_type), maxsplit=1)[0].strip().lower()
    return text if _MEDIA_TYPE.fullmatch(text) else None


def tdm_reservation(value: str | None) -> bool | None:
    """Return whether text and data mining is reserved (W3C TDM Reservation Protocol, 5.1), or None if unstated.

    If a repeated field conflicts, it is reserved.
    """
    values = {part.strip() for part in capped(value).split(",")}
    return True if "1" in values else False if "0" in values else None


def robots_directives(values: Iterable[str]) -> frozenset[str]:
    """Return the directives for everybody in X-Robots-Tag fields or `robots` meta elements, lower-case, without values.

    Directives after a crawler's name (`otherbot: noindex, nofollow`) apply to it alone, up to the field's end.
    """
    directives: set[str] = set()
    for value in values:
        for part in capped(value).split(","):
            name, colon, _ = part.strip().lower().partition(":")
            if colon and _CRAWLER.fullmatch(name.strip()) and name.strip() not in _VALUED_DIRECTIVES:
                break
            directives.add(name.strip())
    return frozenset(directives - {""})
