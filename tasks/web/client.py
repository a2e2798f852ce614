"""One GET on the open web, guarded and bounded: an answer as it crossed the wire, or one of our errors.

It stands on httpcore itself, httpx's own ground: what httpx adds (its URLs, cookies, redirects, proxies out of the
environment, decoders without a bound) is what may not happen here. Nothing else in Presslake knows the library.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from types import TracebackType
from typing import Self

import httpcore

from tasks.errors import (
    BadContentEncoding,
    BadResponse,
    BodyTooLarge,
    BodyTruncated,
    ConnectionLost,
    ItemError,
    TimedOut,
    TlsFailed,
    TooManyRedirects,
)
from tasks.web.backend import GuardedBackend, Resolve, Resolver, Wire, on_wire
from tasks.web.connections import Connections
from tasks.web.cookies import Cookies
from tasks.web.decoding import decode_body, decode_prefix
from tasks.web.exchange import Exchange, Fetched
from tasks.web.guard import AddressGuard
from tasks.web.target import Target, parse_target, redirect_target

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_ENCODING = "gzip, deflate, br, zstd"

RESOLVER_THREADS = 16
FRAMING_SIZE = 256 * 1024
"""Bytes that an answer's heads and chunk framing may take off the wire beside its body, which may double it."""

DECODED_AT_ONCE_SIZE = 64 * 1024
"""Bytes of a coded body up to which a thread costs more than the decoding; a bomb of this size takes a few ms a MB."""

OnRedirect = Callable[[str], Awaitable[None]]
"""Told where a redirect leads before it is followed; what it raises ends the GET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """How the web is asked. `timeout_s` is for one connect, read or write, `deadline_s` for one GET; sizes in bytes."""

    user_agent: str
    timeout_s: float = 15.0
    deadline_s: float = 60.0
    max_wire_size: int = 10 * 1024 * 1024
    max_decoded_size: int = 20 * 1024 * 1024
    max_redirects: int = 5
    max_connections: int = 50


@dataclass(frozen=True, slots=True)
class _Limits:
    """What one GET may take. With `cut`, a longer body is cut instead of refused."""

    wire_size: int
    decoded_size: int
    cut: bool


class WebClient:
    """Makes GETs over connections of its own. Lives inside one event loop; an async context manager.

    `resolve` takes the place of the system's resolver. No cookie outlives its GET.
    """

    def __init__(self, config: WebConfig, guard: AddressGuard | None = None, resolve: Resolve | None = None) -> None:
        self._config = config
        self._resolver = Resolver(RESOLVER_THREADS) if resolve is None else None
        self._backend = GuardedBackend(guard or AddressGuard(), resolve=resolve or self._resolver or _no_resolver)
        self._connections = Connections(self._backend, max_idle=4 * config.max_connections, timeout_s=config.timeout_s)
        # Whoever waits for a connection waits here, where no deadline runs yet.
        self._free = asyncio.Semaphore(config.max_connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.aclose()
        if self._resolver is not None:
            self._resolver.close()

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str | None = None,
        max_wire_size: int | None = None,
        max_decoded_size: int | None = None,
        on_redirect: OnRedirect | None = None,
        cut: bool = False,
    ) -> Fetched:
        """Return the answer at the end of the redirects, whatever its status; raises ItemError.

        Sizes take the place of the configuration's. `cut` returns a longer body's beginning instead of refusing it.
        The time that `on_redirect` takes does not count against the deadline.
        """
        limits = _Limits(
            self._config.max_wire_size if max_wire_size is None else max_wire_size,
            self._config.max_decoded_size if max_decoded_size is None else max_decoded_size,
            cut,
        )
        asked = {"Accept": accept or ACCEPT, "If-None-Match": etag, "If-Modified-Since": last_modified}
        target, left_s, cookies = parse_target(url), self._config.deadline_s, Cookies()
        hops: list[Exchange] = []
        while True:
            async with self._free:
                began = time.monotonic()
                fields = self._fields({**asked, "Cookie": cookies.header_for(target)})
                hops.append(await self._exchange(target, fields, limits, deadline=began + left_s))
                left_s -= time.monotonic() - began
            cookies.take(hops[-1], target=target)
            if not hops[-1].is_redirect:
                return Fetched(hops=tuple(hops), content=await _content(hops[-1], limits))
            if len(hops) > self._config.max_redirects:
                raise TooManyRedirects(f"{url} redirects more than {self._config.max_redirects} times")
            target = redirect_target((hops[-1].header("location") or "").encode("latin-1"), base=target)
            if on_redirect is not None:
                await on_redirect(target.url)

    def _fields(self, asked: dict[str, str | None]) -> list[tuple[bytes, bytes]]:
        fields = {"User-Agent": self._config.user_agent, "Accept-Encoding": ACCEPT_ENCODING, **asked}
        # Validators and cookies are a server's words: one that is no field value is not sent back.
        return [
            (name.encode(), value.encode("latin-1")) for name, value in fields.items() if value and _is_sendable(value)
        ]

    async def _exchange(
        self, target: Target, fields: list[tuple[bytes, bytes]], limits: _Limits, *, deadline: float
    ) -> Exchange:
        """Ask once; again, on a fresh connection, where the server had given up the one that was kept alive."""
        wire = Wire(deadline=deadline, max_size=2 * limits.wire_size + FRAMING_SIZE)
        try:
            return await self._ask(target, fields, limits, wire)
        except ConnectionLost:
            if wire.has_connected or wire.start:
                raise
        again = Wire(deadline=deadline, max_size=wire.max_size)
        return await self._ask(target, fields, limits, again, is_fresh=True)

    async def _ask(
        self,
        target: Target,
        fields: list[tuple[bytes, bytes]],
        limits: _Limits,
        wire: Wire,
        *,
        is_fresh: bool = False,
    ) -> Exchange:
        request = _request(target, [(b"Host", target.authority.encode()), *fields], self._config.timeout_s)
        started_at, began = datetime.now(UTC), time.monotonic()
        with on_wire(wire), _our_errors(target.url, wire):
            async with self._connections.held(target, is_fresh=is_fresh) as connection:
                response = await connection.handle_async_request(request)
                try:
                    wire.has_head = True
                    address = response.extensions["network_stream"].get_extra_info("server_addr")
                    body = await _body(response, target.url, limits)
                finally:
                    await response.aclose()
        return Exchange(
            url=target.url,
            request_head=_head(f"GET {target.path} HTTP/1.1".encode(), request.headers),
            response_head=_head(_status_line(response), response.headers),
            status=response.status,
            headers=tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers
            ),
            body=body,
            address=str(address[0]) if address else None,
            started_at=started_at,
            elapsed_ms=round((time.monotonic() - began) * 1000),
        )


def _request(target: Target, fields: list[tuple[bytes, bytes]], timeout_s: float) -> httpcore.Request:
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    return httpcore.Request("GET", url, headers=fields, extensions={"timeout": {"read": timeout_s, "write": timeout_s}})


@contextmanager
def _our_errors(url: str, wire: Wire) -> Iterator[None]:
    """Translate what httpcore raises; the one place that knows."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TimedOut(f"{url}: {type(error).__name__}") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise _trouble(url, error, wire) from error
    except ssl.SSLError as error:  # a record that does not decrypt, after the handshake
        raise TlsFailed(f"{url}: {error}") from error


def _trouble(url: str, error: httpcore.NetworkError | httpcore.ProtocolError, wire: Wire) -> ItemError:
    if isinstance(error, httpcore.NetworkError):
        return ConnectionLost(f"{url}: reset {'in the body' if wire.has_head else 'before an answer'}")
    if not wire.has_ended:
        return BadResponse(f"{url}: {error}")
    if wire.has_head:
        return BodyTruncated(f"{url}: {error}")
    if not b"HTTP/".startswith(wire.start):
        return BadResponse(f"{url}: {wire.start!r} is no beginning of HTTP/1.1")
    return ConnectionLost(f"{url}: closed before an answer")


async def _body(response: httpcore.Response, url: str, limits: _Limits) -> bytes:
    """Read the body, its content coding kept, up to the limit."""
    declared = next((value for name, value in response.headers if name.lower() == b"content-length"), b"")
    if declared.isdigit() and int(declared) > limits.wire_size and not limits.cut:
        raise BodyTooLarge(f"{url}: {int(declared)} bytes; at most {limits.wire_size} are taken")
    body = BytesIO()
    async for chunk in response.aiter_stream():
        body.write(chunk)
        if body.tell() > limits.wire_size:
            if limits.cut:
                return body.getvalue()[: limits.wire_size]
            raise BodyTooLarge(f"{url}: more than {limits.wire_size} bytes")
    return body.getvalue()


async def _content(final: Exchange, limits: _Limits) -> bytes:
    """Undo the content coding, of a large body in a thread: it may take long, and other hosts are being asked."""
    coding = final.header("content-encoding")
    if not coding:
        return (
            final.body[: limits.decoded_size]
            if limits.cut
            else decode_body(final.body, None, max_size=limits.decoded_size)
        )
    decode = decode_prefix if limits.cut else decode_body
    try:
        if len(final.body) <= DECODED_AT_ONCE_SIZE:
            return decode(final.body, coding, max_size=limits.decoded_size)
        return await asyncio.to_thread(decode, final.body, coding, max_size=limits.decoded_size)
    except (BadContentEncoding, BodyTruncated):
        if final.status < 400:
            raise
        return b""  # of a refusal, the status counts


def _status_line(response: httpcore.Response) -> bytes:
    reason: bytes = response.extensions["reason_phrase"]
    version: bytes = response.extensions["http_version"]
    return b"%b %d %b" % (version, response.status, reason)


def _head(first_line: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"\r\n".join([first_line, *(b"%b: %b" % field for field in fields), b"", b""])


def _is_sendable(value: str) -> bool:
    """Tell whether a text can be a field's value: no control character, nothing outside Latin-1 (RFC 9110, 5.5)."""
    return value == value.strip() and all(
        " " <= character <= "~" or "\xa0" <= character <= "\xff" for character in value
    )


async def _no_resolver(host: str, port: int) -> tuple[str, ...]:
    raise OSError(f"no resolver for {host}:{port}")
