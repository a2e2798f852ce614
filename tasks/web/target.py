"""URLs as they are requested, and where redirects lead. Pure; parsing is the WHATWG URL standard's, as in browsers."""

from dataclasses import dataclass
from urllib.parse import quote

import can_ada

from tasks.errors import BadResponse, BadUrl
from tasks.values.url import storable_url

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One URL taken apart for a request. `url` has no fragment; `authority` is the Host field, `path` has the query."""

    url: str
    scheme: str
    host: str
    port: int
    authority: str
    path: str


def parse_target(url: str) -> Target:
    """Return what to connect to and ask for; raises BadUrl, or ForbiddenScheme for neither http nor https."""
    return _target(_parse(url))


def redirect_target(location: bytes, *, base: Target) -> Target:
    """Return where a Location field leads (RFC 9110, 10.2.2).

    Raises BadResponse for what is no URL, and as `parse_target` does.
    """
    try:
        text = location.decode()
    except UnicodeDecodeError:
        # Octets that are no UTF-8 go back to the server as they came, escaped.
        text = quote(location, safe="%/:?#[]@!$&'()*+,;=")
    try:
        parsed = can_ada.parse(base.url) + text
    except ValueError as error:
        raise BadResponse(f"{base.url} redirects to {text[:200]!r}, which is no URL") from error
    return _target(parsed)


def _parse(url: str) -> can_ada.URL:
    try:
        return can_ada.parse(url)
    except (ValueError, TypeError) as error:  # TypeError: not encodable, half a surrogate pair
        raise BadUrl(f"no URL: {url[:200]!r}") from error


def _target(parsed: can_ada.URL) -> Target:
    scheme = parsed.protocol.removesuffix(":")
    return Target(
        url=storable_url(parsed.href.partition("#")[0]),
        scheme=scheme,
        host=parsed.hostname.strip("[]"),
        port=int(parsed.port) if parsed.port else _PORTS[scheme],
        authority=parsed.host,
        path=parsed.pathname + parsed.search,
    )
