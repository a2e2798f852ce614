"""A hostile press, each outlet at its own address, with good ones among them.

`python -m tests.e2e.hostile_press` serves it, prints its port, and reports at `SAYS` what each outlet received: paths, times,
bytes sent, and the most concurrent requests.
"""

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli
import zstandard

from tests.web.loopback import (
    Asked,
    Loopback,
    Route,
    answer,
    converse,
    endless,
    is_silent,
    listening,
    page,
    redirect,
    resets,
    says,
)

ARTICLE = b"<!doctype html><title>A bridge</title><p>The bridge over the river is open again.</p>"
DOMAIN = "press.example"
SAYS = "127.7.255.1"
INSIDE = "127.0.0.1"
"""An address that the reader must not reach; the press also listens there."""

MIB = 1024 * 1024
WIRE_SIZE = MIB
"""The reader's limit of received bytes per response; bombs exceed it when decoded."""

GOOD = ("good-1", "good-2", "good-3")
GOOD_PAGES = 6
GOOD_DELAY_S = 0.5

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """One outlet. `pages` are fetched in turn; `reasons` are their expected results: a reason, "ok" or "deferred"."""

    reasons: tuple[str, ...]
    routes: dict[str, Route] = field(default_factory=dict)
    robots: Route = b"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n"
    addresses: tuple[tuple[str, ...], ...] | None = None
    """The resolver's answers for its name, one per lookup; the last repeats. None: its own address."""

    @property
    def pages(self) -> list[str]:
        """The paths to fetch."""
        return [f"/{number}" for number in range(len(self.reasons))]


def _does(route: Route, reason: str, **more: object) -> Outlet:
    return Outlet(reasons=(reason,), routes={"*": route}, **more)


def _robots(route: Route, reason: str, **routes: Route) -> Outlet:
    return Outlet(reasons=(reason,), robots=route, routes={"*": page(ARTICLE), **routes})


def _leads(location: str, reason: str) -> Outlet:
    return _does(redirect(location), reason)


def _coded(coding: str, body: bytes) -> bytes:
    return page(body, **{"Content-Encoding": coding})


def _bursts(failures: int) -> Route:
    """Answer 503 `failures` times, then normally."""
    left = [failures]

    async def act(asked: Asked, writer: asyncio.StreamWriter) -> None:
        left[0] -= 1
        writer.write(answer(503) if left[0] >= 0 else page(ARTICLE))

    return act


async def _drops_the_next(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Announce a kept-alive connection, and drop it right after."""
    writer.write(page(ARTICLE))
    await writer.drain()
    writer.close()


def outlets(port: int) -> dict[str, Outlet]:
    """Return the outlets by name; `port` is the press's port."""
    zeros = bytes(50 * MIB)
    gzipped = gzip.compress(zeros)
    in_a_day = format_datetime(datetime.now(UTC) + timedelta(hours=20), usegmt=True)
    long_robots = b"User-agent: *\nDisallow: /1\n" + b"Disallow: /x\n" * 400_000 + b"Disallow: /0\n"
    slow = b"User-agent: *\n", b"Disallow: /x\n"
    return {
        "slow-head": _does(endless(b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n", every_s=0.1), "timed_out"),
        "slow-body": _does(endless(_OK + b"\r\n", b"a", every_s=0.1), "timed_out"),
        "silent": _does(is_silent, "timed_out"),
        "endless-body": _does(endless(_OK + b"\r\n", bytes(65536)), "too_large"),
        "endless-chunks": _does(endless(_CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n"), "too_large"),
        "endless-extensions": _does(endless(_CHUNKED, b"1;a=" + b"a" * 60_000 + b"\r\na\r\n"), "too_large"),
        "endless-hints": _does(endless(b"", b"HTTP/1.1 103 Hint\r\nX-A: " + b"a" * 60_000 + b"\r\n\r\n"), "too_large"),
        "length-huge": _does(endless(_OK + b"Content-Length: 9999999999\r\n\r\n", bytes(65536)), "too_large"),
        "length-long": _does(says(_OK + b"Content-Length: 9999\r\n\r\n" + ARTICLE), "body_truncated"),
        "length-short": _does(says(_OK + b"Content-Length: 9\r\n\r\n" + ARTICLE), "ok"),
        "length-twice": _does(says(_OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "bad_response"),
        "chunks-cut": _does(says(_CHUNKED + b"100\r\n" + ARTICLE), "body_truncated"),
        "bomb-gzip": _does(_coded("gzip", gzipped), "decompression_bomb"),
        "bomb-deflate": _does(_coded("deflate", zlib.compress(zeros)), "decompression_bomb"),
        "bomb-br": _does(_coded("br", brotli.compress(zeros, quality=3)), "decompression_bomb"),
        "bomb-zstd": _does(_coded("zstd", zstandard.compress(zeros)), "decompression_bomb"),
        "bomb-double": _does(_coded("gzip, gzip", gzip.compress(gzipped)), "decompression_bomb"),
        "coding-wrong": _does(_coded("br", ARTICLE), "ok"),
        "coding-unknown": _does(_coded("sdch", ARTICLE), "ok"),
        "coding-many": _does(_coded("gzip, gzip, gzip", ARTICLE), "ok"),
        "coding-alien": _does(_coded("sdch", b"\x9c\x8f" * 2000), "bad_content_encoding"),
        "coding-not-there": _does(_coded("gzip", ARTICLE), "ok"),
        "loop": _leads("/0", "too_many_redirects"),
        "to-link-local": _leads("http://169.254.169.254/latest/meta-data/", "forbidden_address"),
        "to-private": _leads("http://10.0.0.1/", "forbidden_address"),
        "to-mapped": _leads("http://[::ffff:169.254.169.254]/", "forbidden_address"),
        "to-decimal": _leads("http://2852039166/", "forbidden_address"),
        "to-hex": _leads("http://0xa9.0xfe.0xa9.0xfe/", "forbidden_address"),
        "to-loopback": _leads(f"http://{INSIDE}:{port}/secret", "forbidden_address"),
        "to-loopback-decimal": _leads(f"http://2130706433:{port}/secret", "forbidden_address"),
        "to-loopback-name": _leads(f"http://inside.{DOMAIN}:{port}/secret", "forbidden_address"),
        "to-file": _leads("file:///etc/passwd", "forbidden_scheme"),
        "to-gopher": _leads(f"gopher://{INSIDE}:{port}/_secret", "forbidden_scheme"),
        "to-password": _leads(f"http://a:b@good-1.{DOMAIN}:{port}/0", "bad_url"),
        "to-injection": Outlet(
            reasons=("ok",), routes={"/0": redirect("/a%0d%0aX-Injected:%201\tb"), "*": page(ARTICLE)}
        ),
        "name-inside": _does(page(ARTICLE), "forbidden_address", addresses=((INSIDE,),)),
        "name-changes": _does(
            answer(404), "forbidden_address", robots=answer(404, close=True), addresses=((), (INSIDE,))
        ),
        "name-mixed": _does(page(ARTICLE), "ok", addresses=(("10.0.0.1", INSIDE, ""),)),
        "name-unknown": _does(page(ARTICLE), "dns_failed", addresses=(("?",),)),
        "busy-seconds": Outlet(
            reasons=("http_429", "deferred"), routes={"*": answer(429, b"", [("Retry-After", "3600")])}
        ),
        "busy-date": Outlet(
            reasons=("http_429", "deferred"), routes={"*": answer(429, b"", [("Retry-After", in_a_day)])}
        ),
        "busy-burst": Outlet(reasons=("http_503", "http_503", "ok"), routes={"*": _bursts(2)}),
        "resets": _does(resets, "connection_lost"),
        "closes": _does(says(), "connection_lost"),
        "drops": Outlet(reasons=("ok", "ok", "ok"), routes={"*": _drops_the_next}),
        "head-huge": _does(says(_OK + b"X-A: " + b"a" * MIB + b"\r\n\r\n"), "bad_response"),
        "head-nul": _does(says(_OK + b"X-A: a\x00b\r\nContent-Length: 0\r\n\r\n"), "bad_response"),
        "no-http": _does(says(b"SSH-2.0-OpenSSH_9.6\r\n"), "bad_response"),
        "robots-long": Outlet(
            reasons=("ok", "robots_disallowed"), robots=page(long_robots), routes={"*": page(ARTICLE)}
        ),
        "robots-html": _robots(page(b"<!doctype html>User-agent: *\nDisallow: /"), "ok"),
        "robots-moved": _robots(
            redirect("/r", 301), "robots_disallowed", **{"/r": page(b"User-agent: *\nDisallow: /")}
        ),
        "robots-loop": _robots(redirect("/robots.txt"), "ok"),
        "robots-500": _robots(answer(500), "robots_unavailable"),
        "robots-endless": _robots(endless(_OK + b"\r\n", b"Disallow: /x\n" * 5000), "ok"),
        "robots-slow": _robots(endless(_OK + b"\r\n" + slow[0], slow[1], every_s=0.1), "timed_out"),
        "robots-bomb": _robots(_coded("gzip", gzipped), "ok"),
        "robots-reset": _robots(resets, "connection_lost"),
        "robots-inside": _robots(redirect(f"http://{INSIDE}:{port}/robots.txt"), "forbidden_address"),
        **{name: Outlet(reasons=("ok",) * GOOD_PAGES, routes={"*": page(ARTICLE)}) for name in GOOD},
    }


def address_of(number: int) -> str:
    """Return the address of the outlet at a position."""
    return f"127.7.{number // 250}.{number % 250 + 1}"


class _Counted:
    """A writer that counts the bytes written."""

    def __init__(self, writer: asyncio.StreamWriter, server: Loopback) -> None:
        self._writer = writer
        self._server = server

    def write(self, octets: bytes) -> None:
        self._server.sent_size += len(octets)
        self._writer.write(octets)

    def __getattr__(self, name: str) -> object:
        return getattr(self._writer, name)


@asynccontextmanager
async def published(port: int = 0) -> AsyncIterator[int]:
    """Serve the press during the block; yield its port."""
    servers: dict[str, Loopback] = {}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        server = servers.get(address)
        if server is None:
            seen = {one.host: _seen(one) for one in servers.values()}
            server = Loopback(address, 0, {"*": page(json.dumps(seen).encode(), Connection="close")})
            if address == INSIDE:
                servers[address] = server
        await converse(server, id(writer), reader, _Counted(writer, server))

    async with listening(talk, "0.0.0.0", port) as bound:
        for number, (name, outlet) in enumerate(outlets(bound).items()):
            routes = {"/robots.txt": outlet.robots, **outlet.routes}
            servers[address_of(number)] = Loopback(name, bound, routes)
        yield bound


def _seen(server: Loopback) -> dict[str, object]:
    return {
        "paths": server.paths(),
        "instants": [asked.at for asked in server.asked],
        "names": [name for asked in server.asked for name in asked.headers],
        "sent_size": server.sent_size,
        "most_in_flight": server.most_in_flight,
    }


async def _main() -> None:
    async with published() as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
