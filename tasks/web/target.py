"""URLs as they are requested, and where redirects lead. Pure; parsing is the WHATWG URL standard's, as in browsers."""

from urllib.parse import quote

import can_ada

from tasks.errors import BadResponse, BadUrl
from tasks.values.url import Url


def parse_target(url: str) -> Url:
    """Return what to ask for, without a fragment; raises BadUrl, or ForbiddenScheme for neither http nor https."""
    if isinstance(url, Url) and not url.parts.hash:
        return url
    try:
        return _target(can_ada.parse(url))
    except (ValueError, TypeError) as error:  # TypeError: not encodable, half a surrogate pair
        raise BadUrl(f"no URL: {url[:200]!r}") from error


def redirect_target(location: bytes, *, base: Url) -> Url:
    """Return where a Location field leads (RFC 9110, 10.2.2).

    Raises BadResponse for what is no URL, and as `parse_target` does.
    """
    try:
        text = location.decode()
    except UnicodeDecodeError:
        # Octets that are no UTF-8 go back to the server as they came, escaped.
        text = quote(location, safe="%/:?#[]@!$&'()*+,;=")
    try:
        parsed = can_ada.parse(base) + text
    except ValueError as error:
        raise BadResponse(f"{base} redirects to {text[:200]!r}, which is not a URL") from error
    return _target(parsed)


def _target(parsed: can_ada.URL) -> Url:
    return Url.requested(parsed)
