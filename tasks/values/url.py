"""URLs: what to request, and what they are the same as. Pure; parsing is the WHATWG URL standard's, by can_ada.

Two forms of one URL. `fetch_url` is what is requested: it loses nothing that a server could need. `url_key` is the
identity under which work is skipped. A false merge loses an article, a false split costs one GET: when in doubt, split.
"""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import can_ada

from tasks.errors import BadUrl, ForbiddenScheme

if TYPE_CHECKING:
    import tldextract

MAX_URL_LENGTH = 8192
"""Characters of a URL wherever it is announced, requested or stored (RFC 9110, 4.1: at least 8,000 are supported)."""

MAX_KEY_LENGTH = 1024
"""Characters of a key: an index of PostgreSQL takes 2,704 bytes."""

_TRACKER_NAMES = """
    fbclid fb_action_ids fb_action_types fb_ref fb_source mibextid igsh igshid
    gclid gclsrc dclid gbraid wbraid srsltid _ga _gl ga_source ga_medium ga_campaign ga_term ga_content
    amp_js_v amp_gsa usqp
    msclkid twclid ttclid li_fat_id epik rdt_cid yclid ysclid _openstat ScCid __twitter_impression ref_src
    guccounter guce_referrer guce_referrer_sig soc_src soc_trk
    mc_cid mc_eid mkt_tok _hsenc _hsmi __hssc __hstc __hsfp hsCtaTracking vero_id vero_conv wickedid
    oly_anon_id oly_enc_id rb_clickid ml_subscriber ml_subscriber_hash _kx _ke nr_email_referer
    pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid
    mtm_campaign mtm_keyword mtm_source mtm_medium mtm_content mtm_cid mtm_group mtm_placement
    at_medium at_campaign at_campaign_type at_custom1 at_custom2 at_custom3 at_custom4 at_format at_link_id
    at_link_origin at_link_type at_ptr_name at_bbc_team xtor
    ns_mchannel ns_source ns_campaign ns_linkname ns_fee ocid cmpid CMP ICID WT.mc_id wt_mc s_cid ftcamp
"""
TRACKERS = frozenset(_TRACKER_NAMES.split())
"""Parameters that name the way to a page and never the page. Exact names; the `utm_` family beside them."""

_WIDGET_CLICKS = frozenset({"dicbo", "tblci"})
"""Click ids of recommendation widgets: no identity, but asked for as announced, since archives answer to the whole URL."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# beside a stray `%` nothing is decoded: `%%32e` would become `%2e`, an escape that nobody wrote
_STRAY_BEFORE = re.compile(r"%[0-9A-Fa-f]?\Z")
_BREAKS = str.maketrans("", "", "\t\n\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PATH_SESSION = re.compile(r"(?<!\.);jsessionid=[^/;]*", re.IGNORECASE)
_ASPNET_SESSION = re.compile(r"/\((?:[A-Z]\([0-9A-Za-z_-]{20,}\))+\)(?=/|$)")  # cookieless: /(S(24 characters))/
_QUERY_SESSION = re.compile(r"(?:jsessionid|phpsessid|aspsessionid[a-z]*)", re.IGNORECASE)

_GOOGLE = re.compile(r"(?:www\.)?google\.(?:com?\.)?[a-z]{2,3}")
_AMP_CACHE = re.compile(r"(?:[a-z0-9-]+\.)?(?:cdn\.ampproject\.org|bing-amp\.com)")
_AMP_CACHE_PATH = re.compile(r"/[acv]/(s/)?(.+)")
_GOOGLE_AMP_PATH = re.compile(r"/amp/(s/)?(.+)")
_MAX_WRAPPERS = 16

# host, path, the parameters that may hold the address
_WRAPPERS: tuple[tuple[re.Pattern[str], re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(host), re.compile(path), names)
    for host, path, names in (
        (_GOOGLE.pattern, r"/url", ("q", "url")),
        (r"(?:l|lm|www|m)\.facebook\.com", r"/l\.php", ("u",)),
        (r"l\.(?:instagram|messenger|threads)\.com|l\.threads\.net", r"/", ("u",)),
        (r"out\.reddit\.com", r"/.*", ("url",)),
        (r"(?:www\.)?youtube\.com", r"/redirect", ("q",)),
        (r"t\.umblr\.com", r"/redirect", ("z",)),
        (r"(?:www\.)?bing\.com", r"/news/apiclick\.aspx", ("url",)),
        (r"duckduckgo\.com", r"/l/", ("uddg",)),
        (r"(?:m\.)?vk\.com", r"/away\.php", ("to",)),
        (r"slack-redir\.net", r"/link", ("url",)),
        (r"[a-z0-9]+\.safelinks\.protection\.outlook\.com", r"/", ("url",)),
    )
)


def storable_url(url: str, *, base: str | None = None) -> str:
    """Return a URL that a stranger names as it may be stored and asked for: absolute, else as it was announced.

    Every URL of a feed, a page, a robots.txt or a redirect passes here before it goes anywhere else. What comes out is
    visible ASCII of at most 8192 characters, http or https, at a host whose name can be one. Idempotent. Raises
    BadUrl, or ForbiddenScheme for what is neither http nor https.
    """
    parsed = _parse(url, base)
    _host(parsed)
    if len(parsed.href) > MAX_URL_LENGTH:  # escapes are longer than what they stand for
        raise BadUrl(f"{len(parsed.href)} characters in {parsed.href[:200]!r}")
    return parsed.href


def without_breaks(url: str) -> str:
    """Return a URL as a browser reads it: without white space around it, and without tabs and line breaks in it.

    WHATWG URL, 4.4, the first steps of the basic parser: templates break lines inside of links.
    """
    return url.strip().translate(_BREAKS)


def fetch_url(url: str, *, base: str | None = None) -> str:
    """Return the URL to request for one that was announced, resolved against `base`.

    Fragment, default port, the host's trailing dot, a bare `?` and trackers are dropped, a hashbang is kept,
    AMP caches and redirect wrappers are unwrapped, and percent-encoding is in its normal form: upper-case, unreserved
    characters decoded, nothing else. Idempotent. Raises BadUrl, or ForbiddenScheme for what is neither http nor https.
    """
    parsed = _parse(url, base)
    for _ in range(_MAX_WRAPPERS):
        inner = _unwrap(parsed)
        if inner is None:
            return _spell(parsed)
        parsed = inner
    raise BadUrl(f"more than {_MAX_WRAPPERS} redirect wrappers in {url[:200]!r}")


def url_key(url: str) -> str:
    """Return the identity of a URL: `host[:port]/path?query`, readable, without a scheme.

    Beyond `fetch_url`: http is https, no `www.`, no trailing slash, parameters sorted by name and value, session and
    click ids out. The path keeps its case. A key that would be very long is `host[:port]/~` and its SHA-256. Raises as
    `fetch_url` does.
    """
    parsed = can_ada.parse(fetch_url(url))
    host = _without_www(parsed.host)
    path = _ASPNET_SESSION.sub("", _PATH_SESSION.sub("", parsed.pathname)).rstrip("/") or "/"
    named = _pieces(parsed.search, keep=_is_no_session)
    pieces = sorted((piece for piece in named if piece), key=lambda piece: piece.partition("="))
    query = "?" + "&".join(pieces) if pieces else ""
    key = f"{host}{path}{query}{parsed.hash}"
    return key if len(key) <= MAX_KEY_LENGTH else f"{host}/~{hashlib.sha256(key.encode()).hexdigest()}"


def host_of(url: str) -> str:
    """Return the host that politeness counts: lower-case, `host:port` where the port is not the scheme's own."""
    parsed = _parse(url, None)
    return _host(parsed) + (f":{parsed.port}" if parsed.port else "")


def bare_host(url: str) -> str:
    """Return the host as `url_key` spells it: `host` or `host:port`, without `www.`. Raises BadUrl."""
    return _without_www(host_of(url))


def registrable_domain(url: str) -> str:
    """Return the domain that one party holds: `example.co.uk`, `someone.github.io`; an IP address is its own.

    By the Public Suffix List as packaged with tldextract, private part included. Raises BadUrl.
    """
    return _domain_of_host(_host(_parse(url, None)))


def is_same_site(a: str, b: str) -> bool:
    """Whether both URLs lie under one registrable domain; ports and schemes do not count. Raises BadUrl."""
    return registrable_domain(a) == registrable_domain(b)


def _parse(url: str, base: str | None) -> can_ada.URL:
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
    if parsed.protocol not in ("http:", "https:"):
        raise ForbiddenScheme(f"{parsed.protocol} in {text[:200]!r}")
    if parsed.has_credentials():
        raise BadUrl(f"user name or password at host {parsed.hostname}")
    return parsed


def _without_www(host: str) -> str:
    while host.startswith("www.") and "." in host.removeprefix("www."):
        host = host.removeprefix("www.")
    return host


def _host(parsed: can_ada.URL) -> str:
    """Lower-case, without port and trailing dot; brackets round an IPv6 address. Raises BadUrl on empty labels."""
    host = parsed.hostname.removesuffix(".")
    if len(host) > 253 or not all(0 < len(label) <= 63 for label in host.split(".")):
        raise BadUrl(f"not a host name: {host[:200]!r}")
    return host


def _spell(parsed: can_ada.URL) -> str:
    host = _host(parsed) + (f":{parsed.port}" if parsed.port else "")
    pieces = _pieces(parsed.search, keep=_is_no_tracker)
    query = "?" + "&".join(pieces) if any(pieces) else ""
    # `#!` alone is a link that leads nowhere, a habit of style sheets; with more it names a page
    hashbang = _normal_escapes(parsed.hash) if len(parsed.hash) > 2 and parsed.hash.startswith("#!") else ""
    spelled = f"{parsed.protocol}//{host}{_normal_escapes(parsed.pathname)}{query}{hashbang}"
    if len(spelled) > MAX_URL_LENGTH:
        raise BadUrl(f"{len(spelled)} characters in {spelled[:200]!r}")
    return spelled


def _pieces(search: str, *, keep: Callable[[str], bool]) -> list[str]:
    """List the query's `name=value` pieces whose names `keep` accepts."""
    pieces = _normal_escapes(search.removeprefix("?")).split("&")
    return [piece for piece in pieces if keep(piece.partition("=")[0])]


def _is_no_tracker(name: str) -> bool:
    return name not in TRACKERS and not name.lower().startswith("utm_")


def _is_no_session(name: str) -> bool:
    return name not in _WIDGET_CLICKS and not _QUERY_SESSION.fullmatch(name)


def _normal_escapes(text: str) -> str:
    """Return the percent-encoding normal form (RFC 3986, 6.2.2)."""

    def normal(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        is_decoded = character in _UNRESERVED and not _STRAY_BEFORE.search(
            text, max(0, escape.start() - 2), escape.start()
        )
        return character if is_decoded else escape[0].upper()

    return _ESCAPE.sub(normal, text) if "%" in text else text


def _unwrap(parsed: can_ada.URL) -> can_ada.URL | None:
    """Return the URL inside of an AMP cache's or a redirector's, or None where there is none."""
    host, path = parsed.hostname.removesuffix("."), parsed.pathname
    if _AMP_CACHE.fullmatch(host):
        return _amp_origin(_AMP_CACHE_PATH.fullmatch(path), parsed.search)
    if _GOOGLE.fullmatch(host) and path.startswith("/amp/"):
        return _amp_origin(_GOOGLE_AMP_PATH.fullmatch(path), parsed.search)
    for host_pattern, path_pattern, names in _WRAPPERS:
        if host_pattern.fullmatch(host) and path_pattern.fullmatch(path):
            return _wrapped(parsed.search, names)
    return None


def _amp_origin(path: re.Match[str] | None, search: str) -> can_ada.URL | None:
    if path is None:
        return None
    host = path[2].partition("/")[0]
    if "." not in host:
        return None
    return _absolute(f"{'https' if path[1] else 'http'}://{path[2]}{search}")


def _wrapped(search: str, names: tuple[str, ...]) -> can_ada.URL | None:
    for piece in search.removeprefix("?").split("&"):
        name, _, value = piece.partition("=")
        if name in names:
            inner = _absolute(unquote_plus(value))
            if inner is not None:
                return inner
    return None


def _absolute(text: str) -> can_ada.URL | None:
    """Parse an http(s) URL, or return None: what a wrapper holds may be anything."""
    if not text.lower().startswith(("http://", "https://")):
        return None
    try:
        parsed = _parse(text, None)
        _host(parsed)
    except BadUrl:
        return None
    return parsed


@lru_cache(maxsize=1)
def _suffixes() -> "tldextract.TLDExtract":
    import tldextract  # noqa: PLC0415 - it brings requests, and most commands never ask

    # no addresses and no cache: the packaged list alone, so that the answer is the same on every machine
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@lru_cache(maxsize=65_536)  # hosts of a large catalogue, each asked about for every URL
def _domain_of_host(host: str) -> str:
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return _suffixes().extract_str(host, include_psl_private_domains=True).top_domain_under_public_suffix or host
