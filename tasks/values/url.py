"""URLs: what to request, and what they are the same as. Pure; parsing is the WHATWG URL standard's, by can_ada.

A URL is parsed once, where it enters (`Url.parse`, or `Url.of` for a stored one), and is a `Url` from there on.

Two forms of one URL. Its fetch form is what is requested: it loses nothing that a server could need. Its key is the
identity under which work is skipped. A false merge loses an article, a false split costs one GET: when in doubt, split.
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
"""Characters of a URL wherever it is announced, requested or stored (RFC 9110, 4.1: at least 8,000 are supported)."""

MAX_KEY_LENGTH = 1024
"""Characters of a key: an index of PostgreSQL takes 2,704 bytes."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# beside a stray `%` nothing is decoded: `%%32e` would become `%2e`, an escape that nobody wrote
_STRAY_BEFORE = re.compile(r"%[0-9A-Fa-f]?\Z")
_BREAKS = str.maketrans("", "", "\t\n\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PATH_SESSION = re.compile(r"(?<!\.);jsessionid=[^/;]*", re.IGNORECASE)
_ASPNET_SESSION = re.compile(r"/\((?:[A-Z]\([0-9A-Za-z_-]{20,}\))+\)(?=/|$)")  # cookieless: /(S(24 characters))/

_MAX_WRAPPERS = 16
_ROUTES = ("#!", "#/")


class _Parts(NamedTuple):
    """What the parser found.

    `hostname` keeps its trailing dot, `search` its `?` and `hash` its `#`; `port` is empty for the scheme's own.
    """

    scheme: str
    hostname: str
    port: str
    path: str
    search: str
    hash: str


class Url(str):
    """One http(s) URL: a string, its text, with what its one parse found.

    It is stored, shown and compared as its text; all else is made when it is first asked for, and kept. Whatever asks
    for a part of a text that is no URL raises BadUrl, or ForbiddenScheme.
    """

    __slots__ = ("_fetch_form", "_is_fetch_form", "_is_parsed", "_key", "_parts")

    _parts: _Parts | None
    _key: str | None
    _fetch_form: "Url | None"
    _is_fetch_form: bool
    _is_parsed: bool

    def __new__(cls, text: str) -> Self:
        """Return a URL of a text; its parts are not known yet."""
        url = super().__new__(cls, text)
        url._parts, url._key, url._fetch_form, url._is_fetch_form, url._is_parsed = None, None, None, False, False
        return url

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (str(self), self._is_parsed)

    @staticmethod
    def of(text: str) -> "Url":
        """Return a URL out of a row, which was checked when it was stored; it is parsed when a part is first asked for."""
        return text if isinstance(text, Url) else Url(text)

    @staticmethod
    def parse(text: str, *, base: str | None = None) -> "Url":
        """Return a URL that a stranger names as it may be stored and asked for: absolute, else as it was announced.

        Every URL of a feed, a page, a robots.txt or a redirect passes here before it goes anywhere else. What comes out
        is visible ASCII of at most 8192 characters, http or https, at a host whose name can be one. Idempotent.
        Raises BadUrl, or ForbiddenScheme for what is neither http nor https.
        """
        return _storable(_parse(text, base))

    @staticmethod
    def requested(parsed: can_ada.URL) -> "Url":
        """Return what a parse gave as it is asked for: without its fragment. Raises as `parse` does."""
        _check(parsed, parsed.href)
        return _storable(_revived(parsed.href, is_parsed=True).without_fragment)

    def lean(self) -> "Url":
        """Return the URL without what its parse found, as one that waits among thousands; it is parsed again when needed."""
        return _revived(str(self), self._is_parsed)

    @property
    def parts(self) -> _Parts:
        """What the parser found."""
        if self._parts is None:
            self._parts = _split(str(self if self._is_parsed else _parse(str(self), None)))
        return self._parts

    @property
    def authority(self) -> str:
        """The Host field of its request: `host` or `host:port`."""
        return _with_port(self.parts.hostname, self.parts.port)

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`, for which one robots.txt speaks."""
        return f"{self.parts.scheme}://{self.authority}"

    @property
    def request_target(self) -> str:
        """The path and query, as they are asked for."""
        return self.parts.path + self.parts.search

    @property
    def host(self) -> str:
        """The host that politeness counts: lower-case, `host:port` if the port is not the scheme's own."""
        return _hosts_of(self.parts.hostname, self.parts.port)[0]

    @property
    def bare_host(self) -> str:
        """The host as a key spells it: without `www.`."""
        return _hosts_of(self.parts.hostname, self.parts.port)[1]

    @property
    def domain(self) -> str:
        """The domain that one party holds."""
        return domain_of_host(_checked_host(self.parts.hostname))

    @property
    def site(self) -> Site:
        """Where the URL is, and so whose it is."""
        return Site(self.origin, *_hosts_of(self.parts.hostname, self.parts.port), self.domain)

    @property
    def without_fragment(self) -> "Url":
        """The URL as it is asked for."""
        if not self.parts.hash and not self.endswith("#"):
            return self
        return _revived(self.partition("#")[0], self._is_parsed)

    @property
    def fetch_form(self) -> "Url":
        """The URL to request for one that was announced.

        Fragment, default port, the host's trailing dot, a bare `?` and trackers are dropped, a route (`#!`, `#/`) is
        kept, AMP caches and redirect wrappers are unwrapped, and percent-encoding is in its normal form: upper-case,
        unreserved characters decoded, nothing else. Idempotent.
        """
        if self._is_fetch_form:
            return self
        if self._fetch_form is None:
            self._fetch_form = self._unwrapped()._spelled()
        return self._fetch_form

    @property
    def key(self) -> str:
        """The identity of the URL: `host[:port]/path?query`, readable, without a scheme.

        Beyond the fetch form: http is https, no `www.`, no trailing slash, parameters sorted by name and value, session
        and click ids out. The path keeps its case. A key that would be very long is `host[:port]/~` and its SHA-256.
        """
        if self._key is None:
            self._key = self.fetch_form._identity()
        return self._key

    def is_same_site(self, other: "Url") -> bool:
        """Whether both lie under one registrable domain; ports and schemes do not count."""
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
        """Return the URL inside of an AMP cache's or a redirector's, or None if there is none."""
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
        # `#!` and `#/` alone lead nowhere; with more they name a page that scripts show
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
    """Return a URL that a stranger names as it may be stored and asked for, as `Url.parse` does."""
    return str(Url.parse(url, base=base))


def without_breaks(url: str) -> str:
    """Return a URL as a browser reads it: without white space around it, and without tabs and line breaks in it.

    WHATWG URL, 4.4, the first steps of the basic parser: templates break lines inside of links.
    """
    return url.strip().translate(_BREAKS)


def fetch_url(url: str, *, base: str | None = None) -> str:
    """Return the URL to request for one that was announced, resolved against `base`. Raises BadUrl, ForbiddenScheme."""
    return str(_lenient(url, base).fetch_form)


def url_key(url: str) -> str:
    """Return the identity of a URL. Raises as `fetch_url` does."""
    return _lenient(url).key


def host_of(url: str) -> str:
    """Return the host that politeness counts: lower-case, `host:port` if the port is not the scheme's own."""
    return _lenient(url).host


def registrable_domain(url: str) -> str:
    """Return the domain that one party holds. Raises BadUrl."""
    return _lenient(url).domain


def is_same_site(a: str, b: str) -> bool:
    """Whether both URLs lie under one registrable domain. Raises BadUrl."""
    return _lenient(a).is_same_site(_lenient(b))


def _lenient(url: str, base: str | None = None) -> Url:
    """Return a URL that may be too long to be stored, since its fetch form may be shorter."""
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
        # can_ada answers a lone surrogate with TypeError; encoding finds it first, as UnicodeEncodeError
        text.encode()
        parsed = can_ada.parse(text) if base is None else can_ada.parse(base) + text
    except (ValueError, TypeError) as error:  # TypeError: half a surrogate pair in the base
        raise BadUrl(f"not a URL: {text[:200]!r}") from error
    _check(parsed, text)
    return _revived(parsed.href, is_parsed=True)


def _storable(url: Url) -> Url:
    _checked_host(url.parts.hostname)
    _checked_length(url)  # escapes are longer than what they stand for
    return url


def _check(parsed: can_ada.URL, text: str) -> None:
    if parsed.protocol not in ("http:", "https:"):
        raise ForbiddenScheme(f"{parsed.protocol} in {text[:200]!r}")
    if parsed.has_credentials():
        raise BadUrl(f"user name or password at host {parsed.hostname}")


def _split(href: str) -> _Parts:
    """Return the parts of what the parser wrote, whose every part ends where the next one's sign begins."""
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
    """Return the host, without its trailing dot; brackets stay round an IPv6 address. Raises BadUrl on empty labels."""
    host = hostname.removesuffix(".")
    if len(host) > 253 or not all(0 < len(label) <= 63 for label in host.split(".")):
        raise BadUrl(f"not a host name: {host[:200]!r}")
    return host


@lru_cache(maxsize=4096)  # each host of a large catalogue is asked about for every URL, several times
def _hosts_of(hostname: str, port: str) -> tuple[str, str]:
    """Return a host as politeness counts it, and that without `www.`; raises BadUrl."""
    host = _with_port(_checked_host(hostname), port)
    return host, _without_www(host)


def _pieces(search: str, *, keep: Callable[[str], bool]) -> list[str]:
    """List the query's `name=value` pieces whose names `keep` accepts."""
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
    """Parse an http(s) URL, or return None: what a wrapper holds may be anything."""
    if not text.lower().startswith(("http://", "https://")):
        return None
    try:
        url = _parse(text, None)
        _checked_host(url.parts.hostname)
    except BadUrl:
        return None
    return url
