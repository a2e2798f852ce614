"""Request URLs and redirect targets. Pure. Parsed by the WHATWG URL standard, as in browsers."""

from urllib.parse import quote

import can_ada

from tasks.errors import BadResponse, BadUrl
from tasks.values.url import Url


def parse_target(url: str) -> Url:
    """Return the URL to request, without its fragment. Raises BadUrl, or ForbiddenScheme if it is not http(s)."""
    if isinstance(url, Url) and not url.parts.hash:
        return url
    try:
        return _target(can_ada.parse(url))
    except (ValueError, TypeError) as error:  # TypeError: half a surrogate pair cannot be encoded
        raise BadUrl(f"no URL: {url[:200]!r}") from error


def redirect_target(location: bytes, *, base: Url) -> Url:
    """Return the target of a Location field (RFC 9110, 10.2.2).

    Raises BadResponse for an invalid URL, and the errors of `parse_target`.
    """
    try:
        text = location.decode()
    except UnicodeDecodeError:
        # octets that are not UTF-8 are sent back as received, escaped
        text = quote(location, safe="%/:?#[]@!$&'()*+,;=")
    try:
        parsed = can_ada.parse(base) + text
    except ValueError as error:
        raise BadResponse(f"{base} redirects to {text[:200]!r}, which is not a URL") from error
    return _target(parsed)


def _target(parsed: can_ada.URL) -> Url:
    return Url.requested(parsed)
