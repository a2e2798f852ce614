"""Cookies of one GET: some sites redirect to the same page until their cookie comes back. Pure.

They are updated and expire by RFC 6265. They are sent only to the origin that set them, whatever their Domain, and are
discarded after the GET.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tasks.values.url import Url
from tasks.web.headers import capped

MAX_COOKIES_SIZE = 4096

MAX_FIELDS = 100
"""The most Set-Cookie fields parsed per response."""

_LONGEST_S = 400 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cookie:
    value: str
    is_secure: bool
    expires_at: datetime | None


class Cookies:
    """Cookies by origin, path and name, in the order in which they were first set."""

    def __init__(self) -> None:
        self._by_origin: dict[str, dict[tuple[str, str], _Cookie]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_origin)

    def take(self, fields: Sequence[str], *, target: Url, now: datetime) -> None:
        """Apply a response's Set-Cookie fields (RFC 6265, 5.2 and 5.3)."""
        ours = self._by_origin.setdefault(target.origin, {})
        for field in fields[:MAX_FIELDS]:
            pair, _, rest = field.partition(";")
            name, equals, value = pair.partition("=")
            if not equals:
                continue
            attributes = _attributes(rest)
            path = attributes.get("path", "")
            place = (path if path.startswith("/") else _folder(target.parts.path), name.strip())
            expires_at = _end_of(attributes, now)
            if expires_at is not None and expires_at <= now:
                ours.pop(place, None)
            else:
                # a changed cookie keeps its position (5.3, 11.3)
                ours[place] = _Cookie(value=value.strip(), is_secure="secure" in attributes, expires_at=expires_at)

    def header_for(self, target: Url, *, now: datetime | None = None) -> str | None:
        """Return the Cookie field for a request, or None if there is nothing to send."""
        now = now or datetime.now(UTC)
        sent = [
            (path, f"{name}={cookie.value}")
            for (path, name), cookie in self._by_origin.get(target.origin, {}).items()
            if _matches(target.parts.path, path)
            and (cookie.expires_at is None or now < cookie.expires_at)
            and (not cookie.is_secure or target.origin.startswith("https:"))
        ]
        # longer paths first (5.4, 2)
        line = "; ".join(pair for _, pair in sorted(sent, key=lambda entry: -len(entry[0])))
        return line if line and len(line) <= MAX_COOKIES_SIZE else None


def _attributes(text: str) -> dict[str, str]:
    """Return a cookie's attributes by lower-case name; the last one wins."""
    parts = (part.partition("=") for part in capped(text).split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _end_of(attributes: dict[str, str], now: datetime) -> datetime | None:
    """Return a cookie's expiry, or None for the end of the GET. Max-Age overrides Expires (5.3, 3)."""
    seconds = attributes.get("max-age", "")
    if seconds.removeprefix("-").isdecimal() and seconds.isascii():
        age_s = int(seconds[:10])
        return now + timedelta(seconds=min(age_s, _LONGEST_S)) if age_s > 0 else now
    try:
        expires_at = parsedate_to_datetime(attributes.get("expires", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)


def _folder(path: str) -> str:
    """Return a cookie's default path: the folder of the request path (5.1.4)."""
    return path.rpartition("/")[0] or "/"


def _matches(asked: str, path: str) -> bool:
    """Whether a request path matches a cookie's path (5.1.4)."""
    return asked == path or (asked.startswith(path) and (path.endswith("/") or asked[len(path)] == "/"))
