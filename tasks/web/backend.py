"""The network below the HTTP pool: names are resolved and judged here, and every wait ends at the GET's deadline.

httpcore asks this for connections. A task that is cancelled at a deadline would spoil its pool for ever (httpcore
issue 1093), so that nothing above cancels: each wait is cut to the time left instead, and runs out on its own.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address
from typing import Any

import httpcore

from tasks.errors import BadUrl, BodyTooLarge, ConnectFailed, DnsFailed, ForbiddenAddress, TimedOut, TlsFailed
from tasks.web.guard import AddressGuard

MAX_ADDRESSES = 8
"""Addresses of one name that are tried."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and port to literal addresses, in the order in which they are to be tried; raises OSError."""

_LEAST_CONNECT_S = 1.0
_START_SIZE = 5


@dataclass(slots=True)
class Wire:
    """What one attempt at a request has met so far. `deadline` is on the monotonic clock, in seconds.

    `max_size` bounds all that is read, framing included; `start` is the first octets of what was.
    """

    deadline: float
    max_size: int
    size: int = 0
    start: bytes = b""
    has_connected: bool = False
    has_head: bool = False
    has_ended: bool = False

    def time_left(self, timeout_s: float | None) -> float:
        """Return how long one wait may be; raises TimedOut when the deadline has passed."""
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimedOut("the deadline has passed")
        return left_s if timeout_s is None else min(timeout_s, left_s)

    def take(self, received: bytes) -> None:
        """Count what was read; raises BodyTooLarge."""
        self.has_ended = not received
        self.start = self.start or received[:_START_SIZE]
        self.size += len(received)
        if self.size > self.max_size:
            raise BodyTooLarge(f"more than {self.max_size} bytes, framing included")


_wire: ContextVar[Wire] = ContextVar("wire")


@contextmanager
def on_wire(wire: Wire) -> Iterator[Wire]:
    """Let what this task sends and receives within the block be bounded by, and told to, this wire."""
    token = _wire.set(wire)
    try:
        yield wire
    finally:
        _wire.reset(token)


class Resolver:
    """The system's resolver in threads of its own: asyncio's few are shared, and a dead name holds one for long."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses in the system's order of preference (RFC 6724), each once; raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        answers = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return tuple(dict.fromkeys(str(address[0]) for *_, address in answers))

    def close(self) -> None:
        """Let the threads end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the guard permits, and to those alone.

    The name is looked up once and the answers are judged and connected to as literals: there is no second look-up that
    could answer otherwise.
    """

    def __init__(self, guard: AddressGuard, *, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first permitted address that answers, sharing the time-out (seconds) among them.

        Raises DnsFailed, ForbiddenAddress, ConnectFailed, TimedOut, BadUrl.
        """
        wire = _wire.get()
        addresses = self._permitted(host, await self._addresses(host, port, wire.time_left(timeout)))
        give_up_at = time.monotonic() + wire.time_left(timeout)
        trouble: Exception | None = None
        for number, address in enumerate(addresses):
            share_s = max((give_up_at - time.monotonic()) / (len(addresses) - number), _LEAST_CONNECT_S)
            try:
                stream = await self._inner.connect_tcp(
                    address, port, wire.time_left(share_s), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
                continue
            wire.has_connected = True
            return BoundedStream(stream)
        if isinstance(trouble, httpcore.ConnectTimeout):
            raise TimedOut(f"{host}: no connection at {', '.join(addresses)}") from trouble
        raise ConnectFailed(f"{host}: {trouble} at {', '.join(addresses)}") from trouble

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a socket in the file system is not the web. Raises ForbiddenAddress."""
        raise ForbiddenAddress(f"unix socket {path}")

    async def sleep(self, seconds: float) -> None:
        """Wait, in seconds."""
        await self._inner.sleep(seconds)

    async def _addresses(self, host: str, port: int, timeout_s: float) -> Sequence[str]:
        if _is_literal(host):
            return (host,)
        try:
            async with asyncio.timeout(timeout_s):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise DnsFailed(f"{host}: no answer within {timeout_s:.1f} s") from error
        except UnicodeError as error:  # an empty label, or one of more than 63 octets
            raise BadUrl(f"{host} cannot be a host name") from error
        except OSError as error:
            raise DnsFailed(f"{host}: {error}") from error
        if not addresses:
            raise DnsFailed(f"{host} has no address")
        return addresses

    def _permitted(self, host: str, addresses: Sequence[str]) -> tuple[str, ...]:
        permitted = tuple(address for address in addresses if self._guard.permits(address))
        if not permitted:
            raise ForbiddenAddress(f"{host} is {', '.join(addresses[:MAX_ADDRESSES])}, outside the public internet")
        return permitted[:MAX_ADDRESSES]


class BoundedStream(httpcore.AsyncNetworkStream):
    """A connection whose every wait is cut to the time that the current GET has left."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Return what has come, b"" at the end; raises TimedOut, BodyTooLarge, else as httpcore does."""
        wire = _wire.get()
        received = await self._inner.read(max_bytes, wire.time_left(timeout))
        wire.take(received)
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send all of it; raises TimedOut at the deadline, else as httpcore does."""
        await self._inner.write(buffer, _wire.get().time_left(timeout))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Return the connection under TLS; raises TlsFailed, TimedOut."""
        left_s = _wire.get().time_left(timeout)
        try:
            stream = await self._inner.start_tls(ssl_context, server_hostname, left_s)
        except (httpcore.ConnectError, ssl.SSLError) as error:
            raise TlsFailed(f"{server_hostname}: {error}") from error
        except ValueError as error:  # a name that no certificate can have
            raise BadUrl(f"{server_hostname} cannot be a host name") from error
        return BoundedStream(stream)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """Return what httpcore knows of the connection."""
        return self._inner.get_extra_info(info)


@lru_cache(maxsize=10_000)
def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
