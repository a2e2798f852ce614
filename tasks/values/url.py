"""URLs: normalization for requests, and identity.

Pure; parsing follows the WHATWG URL standard, by can_ada. A URL is parsed once, where it enters (`Url.parse`, or
`Url.of` for a stored one), and is a `Url` from there on. The fetch form is requested: it keeps all that a server could
need. The key identifies work to skip. A false merge loses an article, a false split a GET: when in doubt, split.
"""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Self
from urllib.parse import unquote_plus

import can_ada

from tasks.errors import BadUrl, ForbiddenScheme
from tasks.values.domain import Site, domain_of_host
from tasks.values.trackers import (
    AMP_CACHE,
    AMP_CACHE_PATH,
    GOOGLE,
    GOOGLE_AMP_PATH,
    WRAPPERS,
    is_no_session,
    is_no_tracker,
    may_wrap,
)

MAX_URL_LENGTH = 8192
"""The longest URL that is announced, requested or stored, in characters (RFC 9110, 4.1 recommends at least 8,000)."""

MAX_KEY_LENGTH = 1024
"""The longest key in characters: PostgreSQL indexes take 2,704 bytes."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# next to a stray `%` nothing is decoded: `%%32e` would become `%2e`, an escape that was not in the URL
_STRAY_BEFORE = re.compile(r"%[0-9A-Fa-f]?\Z")
_BREAKS = str.maketrans("", "", "\t\n\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PATH_SESSION = re.compile(r"(?<!\.);jsessionid=[^/;]*", re.IGNORECASE)
_ASPNET_SESSION = re.compile(r"/\((?:[A-Z]\([0-9A-Za-z_-]{20,}\))+\)(?=/|$)")  # cookieless: /(S(24 characters))/

_MAX_WRAPPERS = 16
_ROUTES = ("#!", "#/")


class _Parts(NamedTuple):
    """Parts of a URL: `hostname` with its trailing dot, `search` with `?`, `hash` with `#`; `port` unless default."""

    scheme: str
    hostname: str
    port: str
    path: str
    search: str
    hash: str


class Url(str):
    """One http(s) URL: a string with cached parts.

    It is stored, shown and compared as text; parts and derived forms are computed on first use, and cached. Accessing a
    part of an invalid URL raises BadUrl, or ForbiddenScheme.
    """

    __slots__ = ("_fetch_form", "_is_fetch_form", "_is_parsed", "_key", "_parts")

    _parts: _Parts | None
    _key: str | None
    _fetch_form: "Url | None"
    _is_fetch_form: bool
    _is_parsed: bool

    def __new__(cls, text: str) -> Self:
        """Return a URL from a text, without parsing it yet."""
        url = super().__new__(cls, text)
        url._parts, url._key, url._fetch_form, url._is_fetch_form, url._is_parsed = None, None, None, False, False
        return url

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (str(self), self._is_parsed)

    @staticmethod
    def of(text: str) -> "Url":
        """Return a URL from a row, which was validated when stored; it is parsed on first use of a part."""
        return text if isinstance(text, Url) else Url(text)

    @staticmethod
    def parse(text: str, *, base: str | None = None) -> "Url":
        """Parse and validate a URL from the web for storing and requesting: absolute, otherwise as announced.

        Every URL of a feed, a page, a robots.txt or a redirect passes through here first. The result is visible ASCII
        of at most 8192 characters, http or https, with a valid host name. Idempotent. Raises BadUrl, or ForbiddenScheme
        for what is neither http nor https.
        """
        return _storable(_parse(text, base))

    @staticmethod
    def requested(parsed: can_ada.URL) -> "Url":
        """Return a parsed URL without its fragment, as requested. Raises as `parse` does."""
        _check(parsed, parsed.href)
        return _storable(_revived(parsed.href, is_parsed=True).without_fragment)

    def lean(self) -> "Url":
        """Return the URL without cached parts, to save memory among thousands; it is parsed again on demand."""
        return _revived(str(self), self._is_parsed)

    @property
    def parts(self) -> _Parts:
        """The parsed parts."""
        if self._parts is None:
            self._parts = _split(str(self if self._is_parsed else _parse(str(self), None)))
        return self._parts

    @property
    def authority(self) -> str:
        """The Host field of its request: `host` or `host:port`."""
        return _with_port(self.parts.hostname, self.parts.port)

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`, the scope of a robots.txt."""
        return f"{self.parts.scheme}://{self.authority}"

    @property
    def request_target(self) -> str:
        """The path and query, as requested."""
        return self.parts.path + self.parts.search

    @property
    def host(self) -> str:
        """The host for politeness: lower-case, `host:port` if the port is not the scheme's default."""
        return _hosts_of(self.parts.hostname, self.parts.port)[0]

    @property
    def bare_host(self) -> str:
        """The host as in keys: without `www.`."""
        return _hosts_of(self.parts.hostname, self.parts.port)[1]

    @property
    def domain(self) -> str:
        """The registrable domain."""
        return domain_of_host(_checked_host(self.parts.hostname))

    @property
    def site(self) -> Site:
        """The site of the URL, by which its owner is found."""
        return Site(self.origin, *_hosts_of(self.parts.hostname, self.parts.port), self.domain)

    @property
    def without_fragment(self) -> "Url":
        """The URL without its fragment."""
        if not self.parts.hash and not self.endswith("#"):
            return self
        return _revived(self.partition("#")[0], self._is_parsed)

    @property
    def fetch_form(self) -> "Url":
        """The URL to request for an announced URL.

        Fragment, default port, the host's trailing dot, a bare `?` and trackers are removed, a route (`#!`, `#/`) is
        kept, AMP caches and redirect wrappers are unwrapped, and percent-encoding is normalized: upper-case, unreserved
        characters decoded, nothing else. Idempotent.
        """
        if self._is_fetch_form:
            return self
        if self._fetch_form is None:
            self._fetch_form = self._unwrapped()._spelled()
        return self._fetch_form

    @property
    def key(self) -> str:
        """The identity of the URL: `host[:port]/path?query`, readable, without a scheme.

        In addition to the fetch form: http equals https, no `www.`, no trailing slash, parameters sorted, no session
        and click ids. The path keeps its case. A very long key is replaced by `host[:port]/~` and its SHA-256.
        """
        if self._key is None:
            self._key = self.fetch_form._identity()
        return self._key

    def is_same_site(self, other: "Url") -> bool:
        """Whether both have the same registrable domain; ports and schemes do not count."""
        return self.domain == other.domain

    def _unwrapped(self) -> "Url":
        url = self
        for _ in range(_MAX_WRAPPERS):
            inner = url._inner()
            if inner is None:
                return url
            url = inner
        raise BadUrl(f"more than {_MAX_WRAPPERS} redirect wrappers in {self[:200]!r}")

    def _inner(self) -> "Url | None":
        """Return the URL wrapped in an AMP cache's or a redirector's URL, or None."""
        _, hostname, _, path, search, _ = self.parts
        host = hostname.removesuffix(".")
        if not may_wrap(host):
            return None
        if AMP_CACHE.fullmatch(host):
            return _amp_origin(AMP_CACHE_PATH.fullmatch(path), search)
        if GOOGLE.fullmatch(host) and path.startswith("/amp/"):
            return _amp_origin(GOOGLE_AMP_PATH.fullmatch(path), search)
        for host_pattern, path_pattern, names in WRAPPERS:
            if host_pattern.fullmatch(host) and path_pattern.fullmatch(path):
                return _wrapped(search, names)
        return None

    def _spelled(self) -> "Url":
        scheme, hostname, port, path, search, hash_ = self.parts
        pieces = _pieces(search, keep=is_no_tracker)
        search = "?" + "&".join(pieces) if any(pieces) else ""
        # `#!` and `#/` alone mean nothing; with more they name a client-side route
        route = _normal_escapes(hash_) if len(hash_) > 2 and hash_.startswith(_ROUTES) else ""
        host, path = _checked_host(hostname), _normal_escapes(path)
        url = Url(_checked_length(f"{scheme}://{_with_port(host, port)}{path}{search}{route}"))
        url._parts, url._is_fetch_form = _Parts(scheme, host, port, path, search, route), True
        url._is_parsed = True
        return url

    def _identity(self) -> str:
        path = _ASPNET_SESSION.sub("", _PATH_SESSION.sub("", self.parts.path)).rstrip("/") or "/"
        named = _pieces(self.parts.search, keep=is_no_session)
        pieces = sorted((piece for piece in named if piece), key=lambda piece: piece.partition("="))
        query = "?" + "&".join(pieces) if pieces else ""
        host = self.bare_host
        key = f"{host}{path}{query}{self.parts.hash}"
        return key if len(key) <= MAX_KEY_LENGTH else f"{host}/~{hashlib.sha256(key.encode()).hexdigest()}"


def _revived(text: str, is_parsed: bool) -> Url:
    url = Url(text)
    url._is_parsed = is_parsed
    return url


def storable_url(url: str, *, base: str | None = None) -> str:
    """Return a validated URL, as `Url.parse` does."""
    return str(Url.parse(url, base=base))


def without_breaks(url: str) -> str:
    """Return a URL without white space around it, and without tabs and line breaks in it (WHATWG URL, 4.4)."""
    return url.strip().translate(_BREAKS)


def fetch_url(url: str, *, base: str | None = None) -> str:
    """Return the URL to request for an announced URL, resolved against `base`. Raises BadUrl, ForbiddenScheme."""
    return str(_lenient(url, base).fetch_form)


def url_key(url: str) -> str:
    """Return the identity of a URL. Raises as `fetch_url` does."""
    return _lenient(url).key


def host_of(url: str) -> str:
    """Return the host for politeness: lower-case, `host:port` if the port is not the scheme's default."""
    return _lenient(url).host


def registrable_domain(url: str) -> str:
    """Return the registrable domain. Raises BadUrl."""
    return _lenient(url).domain


def is_same_site(a: str, b: str) -> bool:
    """Whether both URLs have the same registrable domain. Raises BadUrl."""
    return _lenient(a).is_same_site(_lenient(b))


def _lenient(url: str, base: str | None = None) -> Url:
    """Parse a URL that may be too long to store, since its fetch form may be shorter."""
    if isinstance(url, Url) and base is None:
        return url
    return _parse(url, base)


def _parse(url: str, base: str | None) -> Url:
    text = without_breaks(url)
    if not text or len(text) > MAX_URL_LENGTH:
        raise BadUrl(f"{len(text)} characters in {text[:200]!r}")
    if _CONTROL.search(text):
        raise BadUrl(f"control character in {text[:200]!r}")
    try:
        # can_ada raises TypeError for a lone surrogate; encoding detects it first, as UnicodeEncodeError
        text.encode()
        parsed = can_ada.parse(text) if base is None else can_ada.parse(base) + text
    except (ValueError, TypeError) as error:  # TypeError: a lone surrogate in the base
        raise BadUrl(f"not a URL: {text[:200]!r}") from error
    _check(parsed, text)
    return _revived(parsed.href, is_parsed=True)


def _storable(url: Url) -> Url:
    _checked_host(url.parts.hostname)
    _checked_length(url)  # escaping makes text longer
    return url


def _check(parsed: can_ada.URL, text: str) -> None:
    if parsed.protocol not in ("http:", "https:"):
        raise ForbiddenScheme(f"{parsed.protocol} in {text[:200]!r}")
    if parsed.has_credentials():
        raise BadUrl(f"user name or password at host {parsed.hostname}")


def _split(href: str) -> _Parts:
    """Split a normalized URL into its parts by their delimiters."""
    scheme, _, rest = href.partition("://")
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    port = authority.rpartition(":")[2] if authority[-1:].isdigit() and ":" in authority else ""
    hostname = authority.removesuffix(f":{port}") if port else authority
    return _Parts(scheme, hostname, port, slash + path, query and f"?{query}", fragment and f"#{fragment}")


def _with_port(host: str, port: str) -> str:
    return f"{host}:{port}" if port else host


def _checked_length(text: str) -> str:
    if len(text) > MAX_URL_LENGTH:
        raise BadUrl(f"{len(text)} characters in {text[:200]!r}")
    return text


def _without_www(host: str) -> str:
    while host.startswith("www.") and "." in host.removeprefix("www."):
        host = host.removeprefix("www.")
    return host


@lru_cache(maxsize=4096)
def _checked_host(hostname: str) -> str:
    """Return the host, without its trailing dot; an IPv6 address keeps its brackets. Raises BadUrl for empty labels."""
    host = hostname.removesuffix(".")
    if len(host) > 253 or not all(0 < len(label) <= 63 for label in host.split(".")):
        raise BadUrl(f"not a host name: {host[:200]!r}")
    return host


@lru_cache(maxsize=4096)  # enough for the hosts of a large catalogue; called several times per URL
def _hosts_of(hostname: str, port: str) -> tuple[str, str]:
    """Return the host for politeness, and the host without `www.`; raises BadUrl."""
    host = _with_port(_checked_host(hostname), port)
    return host, _without_www(host)


def _pieces(search: str, *, keep: Callable[[str], bool]) -> list[str]:
    """Return the query's `name=value` pieces whose names `keep` accepts."""
    pieces = _normal_escapes(search.removeprefix("?")).split("&")
    return [piece for piece in pieces if keep(piece.partition("=")[0])]


def _normal_escapes(text: str) -> str:
    """Return the percent-encoding normal form (RFC 3986, 6.2.2)."""

    def normal(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        is_decoded = character in _UNRESERVED and not _STRAY_BEFORE.search(
            text, max(0, escape.start() - 2), escape.start()
        )
        return character if is_decoded else escape[0].upper()

    return _ESCAPE.sub(normal, text) if "%" in text else text


def _amp_origin(path: re.Match[str] | None, search: str) -> Url | None:
    if path is None:
        return None
    host = path[2].partition("/")[0]
    if "." not in host:
        return None
    return _absolute(f"{'https' if path[1] else 'http'}://{path[2]}{search}")


def _wrapped(search: str, names: tuple[str, ...]) -> Url | None:
    for piece in search.removeprefix("?").split("&"):
        name, _, value = piece.partition("=")
        if name in names:
            inner = _absolute(unquote_plus(value))
            if inner is not None:
                return inner
    return None


def _absolute(text: str) -> Url | None:
    """Parse an http(s) URL; returns None for anything else, since a wrapper may hold any text."""
    if not text.lower().startswith(("http://", "https://")):
        return None
    try:
        url = _parse(text, None)
        _checked_host(url.parts.hostname)
    except BadUrl:
        return None
    return url
