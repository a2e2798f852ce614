"""An httpx transport over the guarded network: responses as received, within their budget, or one of our errors.

The main path uses it directly. Plain httpx uses `GuardedTransport`, a subclass. It connects three independent parts:
httpx's requests, our connections, and httpcore's HTTP/1.1.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import httpcore
import httpx

from tasks.errors import (
    BadResponse,
    BodyTooLarge,
    BodyTruncated,
    ConnectionLost,
    ForbiddenScheme,
    ItemError,
    TimedOut,
    TlsFailed,
)
from tasks.web.addresses import AddressGate
from tasks.web.backend import GuardedBackend
from tasks.web.budget import Budget
from tasks.web.connections import Connection, Connections, Origin
from tasks.web.guard import AddressGuard
from tasks.web.lookups import Resolve, Resolver

MAX_BODY_SIZE = 10 * 1024 * 1024
MAX_CONNECTIONS = 50
MAX_IDLE = 200
DEADLINE_S = 60.0

_PORTS = {"http": 80, "https": 443}
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_WITHOUT_BODY = frozenset({204, 304})
_OCTETS, _QUOTED = re.compile(r"""bytearray\(b(['"].*['"])\)"""), r"\1"
"""How h11 repeats what it cannot read, and how people would."""


class RawTransport(httpx.AsyncBaseTransport):
    """Sends requests over its own connections and raises ItemError. For asyncio, within one event loop.

    Bodies keep their content coding: read them with `aiter_raw`. Redirects are returned, whatever `follow_redirects`
    says. At most `max_connections` requests are in flight, each until its response is closed; up to `max_idle` idle
    connections stay open. `deadline_s` and `max_body_size` apply to requests without the extension `budget`. `resolve`
    replaces the system's resolver. `gate` limits requests per server address.
    """

    def __init__(
        self,
        guard: AddressGuard | None = None,
        *,
        resolve: Resolve | None = None,
        deadline_s: float = DEADLINE_S,
        max_body_size: int = MAX_BODY_SIZE,
        max_connections: int = MAX_CONNECTIONS,
        max_idle: int = MAX_IDLE,
        gate: AddressGate | None = None,
    ) -> None:
        self._deadline_s, self._max_body_size = deadline_s, max_body_size
        self._resolver = Resolver() if resolve is None else None
        resolver = resolve or self._resolver or _no_resolver
        self._backend = GuardedBackend(guard or AddressGuard(), resolve=resolver, gate=gate)
        self._connections = Connections(self._backend, max_idle=max_idle)
        self._permits = asyncio.Semaphore(max_connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response with its body unread.

        Request extensions: `target` (bytes sent instead of the URL's path), `budget`, and httpx's own `timeout`.
        """
        origin = _origin(request.url)
        budget = request.extensions.get("budget") or Budget(
            deadline_s=self._deadline_s, max_body_size=self._max_body_size
        )
        await self._wait_for_permit(request)
        try:
            connection, answer = await self._answer(request, origin, budget)
        except BaseException:
            self._permits.release()
            raise

        body = _Body(request, answer, budget, partial(self._give_back, connection))
        return _RawResponse(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    async def address_of(self, url: httpx.URL, budget: Budget, *, timeout_s: float) -> str | None:
        """Return the address under which a URL's host is counted; see `GuardedBackend.address_of`."""
        budget.begin()
        _, host, port = _origin(url)
        return await self._backend.address_of(host, port, budget, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """Close all idle connections."""
        await self._connections.aclose()
        if self._resolver is not None:
            self._resolver.close()

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._connections.give_back(connection)
        finally:
            self._permits.release()

    async def _wait_for_permit(self, request: httpx.Request) -> None:
        """Wait for a free connection. No deadline runs yet."""
        try:
            async with asyncio.timeout(_timeout_s(request, "pool")):
                await self._permits.acquire()
        except TimeoutError as error:
            raise TimedOut(f"{_identifier(request)}: no free connection") from error

    async def _answer(
        self, request: httpx.Request, origin: Origin, budget: Budget
    ) -> tuple[Connection, httpcore.Response]:
        """Send a request; retry once on a fresh connection if the server had closed the idle one."""
        try:
            return await self._ask(request, origin, budget)
        except ConnectionLost:
            if budget.has_connected or budget.start or not _is_repeatable(request):
                raise
        return await self._ask(request, origin, budget, is_fresh=True)

    async def _ask(
        self, request: httpx.Request, origin: Origin, budget: Budget, *, is_fresh: bool = False
    ) -> tuple[Connection, httpcore.Response]:
        budget.begin()
        with _our_errors(request, budget):
            connection = await self._connections.take(
                origin, budget, timeout_s=_timeout_s(request, "connect"), is_fresh=is_fresh
            )
            try:
                answer = await connection.http.handle_async_request(_to_httpcore(request, origin))
            except BaseException:
                await self._connections.give_back(connection)
                raise
        budget.has_head = True
        return connection, answer


_CLOSED = httpx.ByteStream(b"")


class _RawResponse(httpx.Response):
    """A response whose Location httpx does not parse: it fails for values that browsers and we accept.

    httpx creates a reference cycle between a response and its stream. Closing this response breaks it, so the 40
    objects of a request are freed at once instead of waiting for the garbage collector.
    """

    @property
    def has_redirect_location(self) -> bool:
        return False

    async def aclose(self) -> None:
        """Close the stream and drop the reference to it."""
        try:
            await super().aclose()
        finally:
            self.stream = _CLOSED


class _Body(httpx.AsyncByteStream):
    """A response's body within its limit. Closing it returns the connection."""

    def __init__(
        self,
        request: httpx.Request,
        answer: httpcore.Response,
        budget: Budget,
        give_back: Callable[[], Awaitable[None]],
    ) -> None:
        self._request, self._answer, self._budget, self._give_back = request, answer, budget, give_back
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises BodyTooLarge, BodyTruncated, ConnectionLost, TimedOut."""
        self._refuse_declared()
        limit, size = self._budget.max_body_size, 0
        with _our_errors(self._request, self._budget):
            async for chunk in self._answer.aiter_stream():
                size += len(chunk)
                if size <= limit:
                    yield chunk
                    continue
                if self._budget.is_cut:
                    yield chunk[: limit - size]
                    return
                raise BodyTooLarge(f"{_identifier(self._request)}: more than {limit} bytes")

    async def aclose(self) -> None:
        """Return the connection, once."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._answer.aclose()
        finally:
            await self._give_back()

    def _refuse_declared(self) -> None:
        if self._budget.is_cut or self._request.method == "HEAD" or self._answer.status in _WITHOUT_BODY:
            return
        declared = next((value for name, value in self._answer.headers if name.lower() == b"content-length"), b"")
        if declared.isdigit() and int(declared) > self._budget.max_body_size:
            raise BodyTooLarge(
                f"{_identifier(self._request)}: {int(declared)} bytes; the limit is {self._budget.max_body_size}"
            )


def _origin(url: httpx.URL) -> Origin:
    """Return the endpoint to connect to. Raises ForbiddenScheme."""
    if url.scheme not in _PORTS:
        raise ForbiddenScheme(f"{url.scheme} is neither http nor https: {str(url)[:200]}")
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])


def _to_httpcore(request: httpx.Request, origin: Origin) -> httpcore.Request:
    url = httpcore.URL(
        scheme=origin.scheme.encode(), host=origin.host.encode(), port=origin.port, target=request.url.raw_path
    )
    # httpcore itself replaces the URL's path by the extension `target`
    return httpcore.Request(
        request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
    )


def _is_repeatable(request: httpx.Request) -> bool:
    """Whether repeating the request is harmless (RFC 9110, 9.2.2) and its body can be sent twice."""
    return request.method in _REPEATABLE and isinstance(request.stream, httpx.ByteStream)


def _timeout_s(request: httpx.Request, name: str) -> float | None:
    timeout_s: float | None = request.extensions.get("timeout", {}).get(name)
    return timeout_s


def _identifier(request: httpx.Request) -> str:
    """Return the requested URL, with `target` as its path."""
    target: bytes = request.extensions.get("target", request.url.raw_path)
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}{target.decode('latin-1')}"


@contextmanager
def _our_errors(request: httpx.Request, budget: Budget) -> Iterator[None]:
    """Translate httpcore's errors, in this one place."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TimedOut(f"{_identifier(request)}: {type(error).__name__}") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise _trouble(_identifier(request), error, budget) from error
    except ssl.SSLError as error:  # a record that fails to decrypt after the handshake
        raise TlsFailed(f"{_identifier(request)}: {error}") from error


def _trouble(url: str, error: httpcore.NetworkError | httpcore.ProtocolError, budget: Budget) -> ItemError:
    if isinstance(error, httpcore.NetworkError):
        return ConnectionLost(f"{url}: reset {'in the body' if budget.has_head else 'before a response'}")
    if not budget.has_ended:
        return BadResponse(f"{url}: {_OCTETS.sub(_QUOTED, str(error))}")
    if budget.has_head:
        return BodyTruncated(f"{url}: {error}")
    if not b"HTTP/".startswith(budget.start):
        return BadResponse(f"{url}: {budget.start!r} is not an HTTP/1.1 response")
    return ConnectionLost(f"{url}: closed before a response")


async def _no_resolver(host: str, port: int) -> tuple[str, ...]:
    raise OSError(f"no resolver for {host}:{port}")
