"""A press of outlets with odd responses, pages, feeds and robots.txt files, each at its own address.

`OUTLETS` is the table of what an outlet serves, besides a feed with `/story` and `/fine`, and of the expected results. An
outlet's own feed or sitemap replaces that feed.
"""

import asyncio
import gzip
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import brotli
import zstandard

from tests.press import Story
from tests.web.loopback import Loopback, Route, answer, converse, endless, listening, page, redirect, resets, says

MIB = 1024 * 1024
NETWORK = 66
GOOD = "good"
GOOD_PATHS = tuple(f"/news/{number}" for number in range(12))
NO_RULES = answer(404)
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_CLOSE = b"Connection: close\r\n\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """One outlet. `make` returns its routes, given its URL; `comes_to` maps each announced path to its reason or novelty.

    `feed` is the expected reason of its feed; with `has_sitemap`, `/feed.xml` is a sitemap.
    """

    make: Callable[[str], dict[str, Route]]
    comes_to: dict[str, str]
    feed: str | None = None
    has_sitemap: bool = False


def html(number: int, *, head: str = "", before: str = "", after: str = "", title: str | None = None) -> bytes:
    """Return the page of a unique story."""
    story = Story(NETWORK, number)
    title = title or story.title
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><meta property="og:type" content="article">'
        f"{head}</head><body>{before}<main><article><h1>{title}</h1>{story.html}</article></main>{after}</body></html>"
    ).encode()


def _numbers() -> Iterator[int]:
    number = 100
    while True:
        yield (number := number + 1)


_NUMBERS = _numbers()


def rss(url: str, *paths: str) -> bytes:
    items = "".join(f"<item><title>Item</title><link>{url}{path}</link></item>" for path in paths)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()


def _page(route: Route | Callable[[bytes], Route], comes_to: str = "new", **markup: str) -> Outlet:
    """Return an outlet whose `/story` is odd; a callable `route` makes the response from a page with this `markup`."""
    number, other = next(_NUMBERS), next(_NUMBERS)

    def make(url: str) -> dict[str, Route]:
        story = route(html(number, **markup)) if callable(route) and not asyncio.iscoroutinefunction(route) else route
        return {"/story": story, "/fine": page(html(other)), "/feed.xml": _labelled(rss(url, "/story", "/fine"))}

    return Outlet(make=make, comes_to={"/story": comes_to, "/fine": "new"})


def _labelled(body: bytes, kind: str = "application/rss+xml") -> bytes:
    return answer(200, body, [("Content-Type", kind)])


def _typed(kind: str, comes_to: str = "new", recode: Callable[[bytes], bytes] = bytes, **markup: str) -> Outlet:
    return _page(lambda body: _labelled(recode(body), kind), comes_to, **markup)


def _coded(coding: str, encode: Callable[[bytes], bytes], comes_to: str = "new") -> Outlet:
    return _page(lambda body: page(encode(body), **{"Content-Encoding": coding}), comes_to)


def _raw(head: bytes, comes_to: str = "new", tail: bytes = b"") -> Outlet:
    """Return an outlet that sends these bytes before the page."""
    return _page(lambda body: says(head + body + tail), comes_to)


def _leads(location: str, comes_to: str) -> Outlet:
    return _page(redirect(location), comes_to)


def _loops(markup: str) -> Outlet:
    outlet, other = (
        _page(page(markup.format("/other").encode()), "too_many_redirects"),
        page(markup.format("/story").encode()),
    )
    return Outlet(make=lambda url: {**outlet.make(url), "/other": other}, comes_to=outlet.comes_to)


def _waits(retry_after: str) -> Outlet:
    """Return an outlet with a single page, since Retry-After defers all pages of a host."""
    busy = answer(503, b"", [("Retry-After", retry_after)])
    return Outlet(
        make=lambda url: {"/story": busy, "/feed.xml": _labelled(rss(url, "/story"))}, comes_to={"/story": "http_503"}
    )


def _wide(coding: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode().encode(coding)


def _feed(make: Callable[[str], str | bytes], *found: str, reason: str | None = None, kind: str = "text/xml") -> Outlet:
    """Return an outlet with an odd feed, in which the paths `found` are expected."""
    numbers = {path: next(_NUMBERS) for path in found}

    def routes(url: str) -> dict[str, Route]:
        body = make(url)
        body = body.encode("utf-8", "replace") if isinstance(body, str) else body
        return {"/feed.xml": _labelled(body, kind)} | {path: page(html(number)) for path, number in numbers.items()}

    return Outlet(make=routes, comes_to=dict.fromkeys(found, "new"), feed=reason)


def _rules(robots: bytes, comes_to: str) -> Outlet:
    outlet = _page(page, comes_to)
    return Outlet(make=lambda url: outlet.make(url) | {"/robots.txt": answer(200, robots)}, comes_to=outlet.comes_to)


def _documents(files: dict[str, bytes]) -> Outlet:
    """Return an outlet with these files and a normal page."""
    outlet = _page(page)
    served = {path: answer(200, body) for path, body in files.items()}
    return Outlet(make=lambda url: {**outlet.make(url), **served}, comes_to=outlet.comes_to)


def _maps(comes_to: dict[str, str], make: Callable[[str], dict[str, bytes]]) -> Outlet:
    numbers = {path: next(_NUMBERS) for path in comes_to}

    def routes(url: str) -> dict[str, Route]:
        files = {path: _labelled(body, "application/xml") for path, body in make(url).items()}
        return files | {path: page(html(number)) for path, number in numbers.items()}

    return Outlet(make=routes, comes_to=comes_to, has_sitemap=True)


def _item(url: str, number: int, more: str = "", title: str = "N") -> str:
    return f"<item><title>{title}</title><link>{url}/{number}</link>{more}</item>"


def _items(url: str, before: str = "", after: str = "") -> str:
    items = "".join(_item(url, number) for number in range(3))
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{before}{items}{after}</channel></rss>'


def _entities(declared: str, used: str) -> Callable[[str], str]:
    return lambda url: _items(url, after=_item(url, 3, title=used)).replace("<rss", f"<!DOCTYPE r [{declared}]><rss", 1)


def _locs(*urls: str, name: str = "urlset", one: str = "url") -> bytes:
    inside = "".join(f"<{one}><loc>{url}</loc></{one}>" for url in urls)
    return f'<{name} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inside}</{name}>'.encode()


def _index(*urls: str) -> bytes:
    return _locs(*urls, name="sitemapindex", one="sitemap")


THREE = ("/0", "/1", "/2")
_LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
_DATES = (
    "Mon, 00 Jan 0000 00:00:00 GMT",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "9" * 400,
    "NaN",
    "\u0662\u0660\u0662\u0666",
)
_LINKS = (
    "http://[::1",
    "http://a.example:99999/",
    "http://u:p@a.example/",
    "http://xn--/",
    "///",
    "javascript:1",
    "/%zz",
    "#x",
    "/\x1b",
    "http://" + "a" * 300,
)
_ZEROS = bytes(60 * MIB)
_NOISE = random.Random(7).randbytes(20_000)
_LICENSED = b"License: /l.xml\nUser-agent: *\nDisallow:\n"
_JUNK_JSON = (
    '{"@type":"NewsArticle","datePublished":"0000-00-00T99:99:99+99:99","headline":"\\ud800","author":[{"name":{}}],"n":1e400,"m":'
    + "9" * 5000
    + "}"
)
_REFRESH = '<html><head><meta http-equiv="refresh" content="0;url={}"></head></html>'
_MOVES = '<html><script>location.href="{}"</script></html>'

# fmt: off
OUTLETS: dict[str, Outlet] = {
    # codings
    "gzip in gzip, a bomb": _coded("gzip", lambda body: gzip.compress(gzip.compress(_ZEROS)), "decompression_bomb"),
    "brotli, a bomb": _coded("br", lambda body: brotli.compress(_ZEROS, quality=1), "decompression_bomb"),
    "zstd, a bomb": _coded("zstd", lambda body: zstandard.compress(_ZEROS), "decompression_bomb"),
    "gzip of many members": _coded("gzip", lambda body: gzip.compress(body[:99]) + gzip.compress(body[99:])),
    "gzip with garbage behind": _coded("gzip", lambda body: gzip.compress(body) + b"\0garbage" * 9),
    "brotli with garbage behind": _coded("br", lambda body: brotli.compress(body) + b"\0garbage" * 900),
    "a list of codings": _coded("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    "gzip called brotli": _coded("br", gzip.compress),
    "gzip with a weight": _coded("gzip;q=1.0", gzip.compress),
    "zstd without a word": _coded("identity", zstandard.compress),
    "upper-case coding": _coded("GZIP", gzip.compress),
    "identity": _coded("identity", bytes),
    "two fields of codings": _raw(_OK + b"Content-Encoding: identity\r\nContent-Encoding: br\r\n" + _CLOSE),
    "UTF-16 called gzip": _coded("gzip", _wide("utf-16")),
    # charsets
    "UTF-8 called Latin-1": _typed("text/html; charset=iso-8859-1", title="Größe"),
    "UTF-8 called UTF-16": _typed("text/html; charset=utf-16"),
    "UTF-16 called UTF-8": _typed("text/html; charset=utf-8", recode=_wide("utf-16")),
    "UTF-16 called XML": _typed("application/xml", recode=_wide("utf-16-le")),
    "UTF-32": _typed("text/html", recode=_wide("utf-32")),
    "a charset that is a path": _typed("text/html; charset=../../etc/passwd%00"),
    "a charset that is a codec of Python": _typed("text/html; charset=zip"),
    # markup
    "100,000 attributes": _typed("text/html", before="<div " + " ".join(f"a{n}='x'" for n in range(100_000)) + ">x</div>"),
    "nested tables": _typed("text/html", after="<table>" * 5000),
    "a comment without end": _typed("text/html", after="<!--" + "x" * 500_000),
    "ampersands": _typed("text/html", before="&" * 100_000),
    "a title without end": _typed("text/html", head="<title>" + "a" * 500_000 + "</title>"),
    "NUL and escapes in a title": _typed("text/html", title="A quay \0 \x1b[2J\x07 \u202e opens &#xD800; &#0;"),
    "a formula in a title": _typed("text/html", title="=HYPERLINK(&quot;http://x&quot;)"),
    "Markdown in a title": _typed("text/html", title="[x](javascript:1) | **b** &lt;img src=x onerror=1>"),
    "JSON-LD of odd values": _typed("text/html", head=f'<script type="application/ld+json">{_JUNK_JSON}</script>'),
    "nested JSON-LD": _typed("text/html", head='<script type="application/ld+json">' + "[" * 100_000 + "</script>"),
    "the year 0": _typed("text/html", head='<meta property="article:published_time" content="0000-01-01T00:00:00Z">'),
    "an offset of four days": _typed("text/html", head='<meta property="article:published_time" content="2026-11-30T10:00:00+99:99">'),
    "the year 9999": _typed("text/html", head='<meta property="article:published_time" content="9999-12-31T23:59:59-14:00">'),
    "broken bases": _typed("text/html", head='<base href="http://[::1]:99999/"><link rel="canonical" href="//[::1"><link rel="amphtml" href="http://&#xD800;">'),
    "lines of a WARC": _page(lambda body: says(_OK + b"WARC-Type: warcinfo\r\n" + _CLOSE + b"WARC/1.1\r\nWARC-Type: response\r\n\r\n\r\n\r\n" + body)),
    # not pages
    "PDF called HTML": _typed("text/html", "not_html", lambda body: b"%PDF-1.7\n" + body),
    "RSS called HTML": _typed("text/html", "not_html", lambda body: rss("http://a.example", "/1")),
    "JSON called HTML": _typed("text/html", "not_html", lambda body: b'{"text": "' + b"The quay opens. " * 99 + b'"}'),
    "nothing": _typed("text/html", "not_an_article", lambda body: b""),
    "NULs": _typed("text/html", "not_an_article", lambda body: bytes(5000)),
    "noise": _typed("text/html", "not_an_article", lambda body: _NOISE),
    # the wire
    "HTTP/0.9": _raw(b"", "bad_response"),
    "another protocol": _raw(b"ICY 200 OK\r\n\r\n", "bad_response"),
    "status 999": _page(lambda body: answer(999, body), "bad_response"),
    "no reason phrase": _raw(b"HTTP/1.1 200\r\nContent-Type: text/html\r\n" + _CLOSE),
    "line ends before the answer": _raw(b"\r\n\r\n" + _OK + _CLOSE),
    "5,000 hints": _raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 5000 + _OK + _CLOSE),
    "another protocol is switched to": _raw(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "bad_response"),
    "206 that nobody asked for": _raw(b"HTTP/1.1 206 Part\r\nContent-Type: text/html\r\nContent-Range: bytes 0-9/*\r\n" + _CLOSE, "bad_response"),
    "304 that nobody asked for": _page(answer(304), "bad_response"),
    "a length below zero": _raw(_OK + b"Content-Length: -1\r\n" + _CLOSE, "bad_response"),
    "two lengths": _raw(_OK + b"Content-Length: 9\r\nContent-Length: 5\r\n" + _CLOSE, "bad_response"),
    "a length and chunks": _page(lambda body: says(_OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))),
    "a length that is too long": _raw(_OK + b"Content-Length: 99999\r\n\r\n", "body_truncated"),
    "a chunk of no size": _raw(_CHUNKED + b"zz\r\n", "bad_response"),
    "chunks with extensions": _page(lambda body: says(_CHUNKED + b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(body), body))),
    "trailers": _page(lambda body: says(_CHUNKED + b"%x\r\n%b\r\n0\r\nContent-Type: image/png\r\n\r\n" % (len(body), body))),
    "trailers without end": _page(endless(_CHUNKED + b"1\r\na\r\n0\r\n", b"X: y\r\n" * 999), "bad_response"),
    "NUL in a field": _raw(_OK + b"X-A: a\0b\r\n" + _CLOSE, "bad_response"),
    "a field of 60 kB": _raw(_OK + b'ETag: "' + b"e" * 60_000 + b'"\r\n' + _CLOSE),
    "3,000 fields": _raw(_OK + b"".join(b"X-%d: a\r\n" % n for n in range(3000)) + _CLOSE),
    "controls in an ETag": _raw(_OK + b'ETag: "\x01\xff\x7f"\r\nLast-Modified: Fri, 31 Dec 9999 23:59:59 GMT\r\nDate: never\r\n' + _CLOSE),
    "a wait without end": _waits("9" * 30),
    "a wait until the year 9999": _waits("Fri, 31 Dec 9999 23:59:59 GMT"),
    "a wait below zero": _page(answer(429, b"", [("Retry-After", "-5")]), "http_429"),
    "a reset": _page(resets, "connection_lost"),
    # redirects
    "a loop of refreshes": _loops(_REFRESH),
    "a loop of scripts": _loops(_MOVES),
    "a loop of cookies": _page(answer(302, b"", [("Location", "/story"), ("Set-Cookie", "n=1")]), "too_many_redirects"),
    "a refresh to no URL": _page(lambda body: page(body, Refresh="0;url=http://[::1")),
    "to port 65536": _leads("http://127.0.0.1:65536/", "bad_response"),
    "to an address in IPv6": _leads("http://[::1]:80/", "forbidden_address"),
    "to a password": _leads("http://user:pass@127.0.0.1/", "bad_url"),
    "to a script": _leads("javascript:alert(1)", "forbidden_scheme"),
    "to data": _leads("data:text/html,hi", "forbidden_scheme"),
    "to no name": _leads("http://xn--a.example/", "bad_response"),
    "to 30 kB": _leads("/" + "a" * 30_000, "bad_url"),
    # feeds
    "UTF-16 feed": _feed(lambda url: _items(url).encode("utf-16"), *THREE, kind="application/rss+xml; charset=utf-8"),
    "UTF-32 feed": _feed(lambda url: _items(url).encode("utf-32-be"), *THREE),
    "a feed that lies of its charset": _feed(lambda url: _items(url).replace('"1.0"', '"1.0" encoding="utf-32"', 1), *THREE),
    "a feed in EBCDIC": _feed(lambda url: _items(url).encode("cp037"), reason="feed_not_a_feed"),
    "a billion laughs": _feed(_entities(_LAUGHS, "&e11;"), *THREE, "/3"),
    "an entity from a file": _feed(_entities('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"), *THREE, "/3"),
    "gzip in gzip, a feed": _feed(lambda url: gzip.compress(gzip.compress(_items(url).encode())), *THREE, kind="application/gzip"),
    "gzip in gzip, a bomb for a feed": _feed(lambda url: gzip.compress(gzip.compress(_ZEROS)), reason="feed_not_a_feed"),
    "an item of 100,000 attributes": _feed(lambda url: _items(url, after="<item " + " ".join(f"a{n}='1'" for n in range(100_000)) + "/>"), *THREE),
    "a nested feed": _feed(lambda url: _items(url, after="<a>" * 50_000), *THREE),
    "impossible dates": _feed(lambda url: _items(url, after="".join(_item(url, n, f"<pubDate>{date}</pubDate>") for n, date in enumerate(_DATES, start=3))), *THREE, *(f"/{n}" for n in range(3, 9))),
    "impossible characters": _feed(lambda url: _items(url, before="<description>&#xD800;</description>", after=_item(url, 3, title="A &#xDFFF;&#0;&#x1b;[2J")), *THREE, "/3"),
    "NULs in a feed": _feed(lambda url: _items(url).replace("<title>N", "<title>\0N\0"), *THREE),
    "impossible links": _feed(lambda url: _items(url, after="".join(f"<item><title>L</title><link>{link}</link></item>" for link in _LINKS[:6])), *THREE),
    "a feed before and after": _feed(lambda url: f"<br />\n<b>Warning</b>: in x\n{_items(url)}<script>x()</script>\0", *THREE),
    "JSON of odd values": _feed(lambda url: f'{{"version": "https://jsonfeed.org/version/1.1", "title": "\\ud800", "items": [{{"url": "{url}/0", "title": "\\ud83d\\u0000"}}, {{"id": {{}}}}, null, 7, {{"url": "{url}/1", "date_published": {"9" * 5000}}}, {{"url": "{url}/2", "id": NaN}}]}}', *THREE, kind="application/json"),
    # sitemaps
    "sitemaps in a circle": _maps({"/0": "new"}, lambda url: {"/feed.xml": _index(f"{url}/a", f"{url}/feed.xml"), "/a": _index(f"{url}/b", f"{url}/a"), "/b": _locs(f"{url}/0")}),
    "a sitemap of odd dates": _maps({"/0": "new"}, lambda url: {"/feed.xml": _locs(f"{url}/0").replace(b"</loc>", b"</loc><lastmod>9999-12-31T25:00:00+99:99</lastmod><priority>NaN</priority>")}),
    "a sitemap in UTF-16": _maps({"/0": "new"}, lambda url: {"/feed.xml": _locs(f"{url}/0").decode().encode("utf-16")}),
    "a list of URLs by returns": _maps({"/0": "new", "/1": "new"}, lambda url: {"/feed.xml": f"\ufeff{url}/0\r{url}/1\r\0".encode()}),
    # robots.txt
    "rules after a mark": _rules("\ufeffUser-agent: *\nDisallow: /story\n".encode(), "robots_disallowed"),
    "rules by returns": _rules(b"User-agent: *\rDisallow: /story\r", "robots_disallowed"),
    "rules in gzip": _rules(gzip.compress(b"User-agent: *\nDisallow: /story\n"), "robots_disallowed"),
    "rules of stars": _rules(b"User-agent: *\nDisallow: /" + b"*a" * 100_000 + b"\nDisallow: /story\n", "robots_disallowed"),
    "rules that are noise": _rules(_NOISE * 9, "new"),
    "delays that are none": _rules(b"User-agent: *\nCrawl-delay: 1e400\nCrawl-delay: -5\nCrawl-delay: NaN\nRequest-rate: 1/0\n", "new"),
    # other documents of a site
    "nested tdmrep.json": _documents({"/.well-known/tdmrep.json": b"[" * 100_000}),
    "tdmrep.json of odd values": _documents({"/.well-known/tdmrep.json": b'[{"location": 7}, null, {"location": "/\\ud800", "tdm-reservation": "1", "tdm-policy": "http://[::1"}, {"location": "*", "tdm-reservation": NaN}]'}),
    "tdmrep.json of stars": _documents({"/.well-known/tdmrep.json": b'[{"location": "/' + b"*a" * 5000 + b'", "tdm-reservation": 1}]'}),
    "tdmrep.json, a bomb": _documents({"/.well-known/tdmrep.json": gzip.compress(_ZEROS)}),
    "a licence of a billion laughs": _documents({"/robots.txt": _LICENSED, "/l.xml": f'<!DOCTYPE r [{_LAUGHS}]><rsl xmlns="https://rslstandard.org/rsl"><content url="/">&e11;</content></rsl>'.encode()}),
    "a licence of impossible characters": _documents({"/robots.txt": _LICENSED, "/l.xml": b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/&#xD800;"><license><permits type="usage">&#xDFFF;</permits></license></content></rsl>'}),
    "3,000 licences": _documents({"/robots.txt": b"".join(b"License: /l%d.xml\n" % n for n in range(3000)) + b"License: http://[::1\nUser-agent: *\nDisallow:\n"}),
    # the outlet that must not be affected
    GOOD: Outlet(make=lambda url: {"/feed.xml": _labelled(rss(url, *GOOD_PATHS)), **{path: page(html(n)) for n, path in enumerate(GOOD_PATHS)}}, comes_to=dict.fromkeys(GOOD_PATHS, "new")),
}
# fmt: on


@dataclass
class OddPress:
    """The running press, and its addresses."""

    port: int = 0
    servers: dict[str, Loopback] = field(default_factory=dict)

    def url(self, name: str, path: str = "") -> str:
        return f"http://{self.address(name)}:{self.port}{path}"

    @staticmethod
    def address(name: str) -> str:
        number = list(OUTLETS).index(name)
        return f"127.{NETWORK}.{number // 200}.{number % 200 + 1}"

    def catalogue(self) -> str:
        """Return a catalogue with one source per outlet, named by its number."""
        lines = ['defaults: {crawl_delay_s: 0, max_per_host: 4, allow_networks: ["127.0.0.0/8"]}', "sources:"]
        for number, (name, outlet) in enumerate(OUTLETS.items()):
            kind = "sitemaps" if outlet.has_sitemap else "feeds"
            lines.append(f'  - {{id: outlet-{number}, {kind}: ["{self.url(name, "/feed.xml")}"]}}')
        return "\n".join(lines) + "\n"


@contextmanager
def running_odd_press() -> Iterator[OddPress]:
    """Serve the press in a thread during the block."""
    press, ready, over = OddPress(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server := press.servers.get(writer.get_extra_info("sockname")[0]):
            await converse(server, id(writer), reader, writer)

    async def serve() -> None:
        async with listening(talk, "0.0.0.0") as press.port:
            for name, outlet in OUTLETS.items():
                routes = {"/robots.txt": NO_RULES, **outlet.make(press.url(name))}
                press.servers[press.address(name)] = Loopback(name, press.port, routes)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        ready.wait()
        yield press
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
