"""The network below HTTP: names are resolved and judged here, and every wait ends at the GET's deadline."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import cast

from tasks.errors import BadUrl, BodyTooLarge, ConnectFailed, DnsFailed, ForbiddenAddress, TimedOut, TlsFailed
from tasks.web.guard import AddressGuard

MAX_ADDRESSES = 8
"""Addresses of one name that are tried."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and port to literal addresses, in the order in which they are to be tried; raises OSError."""

_LEAST_CONNECT_S = 1.0
_START_SIZE = 5
_UNREAD_SIZE = 256 * 1024


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


class GuardedBackend:
    """Connects to addresses that the guard permits, and to those alone.

    The name is looked up once and the answers are judged and connected to as literals: there is no second look-up that
    could answer otherwise.
    """

    def __init__(self, guard: AddressGuard, *, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve

    async def connect_tcp(self, host: str, port: int, timeout_s: float) -> "BoundedStream":
        """Connect to the first permitted address that answers, sharing the time-out (seconds) among them.

        Raises DnsFailed, ForbiddenAddress, ConnectFailed, TimedOut, BadUrl.
        """
        wire = _wire.get()
        addresses = self._permitted(host, await self._addresses(host, port, wire.time_left(timeout_s)))
        give_up_at = time.monotonic() + wire.time_left(timeout_s)
        trouble: OSError | None = None
        for number, address in enumerate(addresses):
            share_s = max((give_up_at - time.monotonic()) / (len(addresses) - number), _LEAST_CONNECT_S)
            try:
                async with asyncio.timeout(wire.time_left(share_s)):
                    _, inbox = await asyncio.get_running_loop().create_connection(_Inbox, address, port)
            except OSError as error:  # TimeoutError is one
                trouble = error
                continue
            wire.has_connected = True
            return BoundedStream(inbox, address)
        if isinstance(trouble, TimeoutError):
            raise TimedOut(f"{host}: no connection at {', '.join(addresses)}") from trouble
        raise ConnectFailed(f"{host}: {trouble} at {', '.join(addresses)}") from trouble

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


class _Inbox(asyncio.Protocol):
    """What a connection has received and nobody has read yet; the server is held up while that is much."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.has_ended = False
        self._trouble: Exception | None = None
        self._received = bytearray()
        self._reader: asyncio.Future[None] | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to read, not even the end."""
        return not (self.has_ended or self._received)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _UNREAD_SIZE:
            self.transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.has_ended = True
        self._trouble = exc
        self._wake()

    async def take(self, max_size: int) -> bytes:
        """Return what has come, waiting for it; b"" at the end. Raises the connection's trouble, an OSError."""
        if self.is_quiet:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if not self._received and self._trouble is not None:
            raise self._trouble
        taken = bytes(self._received[:max_size])
        del self._received[:max_size]
        if not self.has_ended and len(self._received) <= _UNREAD_SIZE:
            self.transport.resume_reading()  # of no effect where it was not paused
        return taken

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class BoundedStream:
    """A connection whose every wait is cut to the time that the current GET has left. `address` is the server's."""

    def __init__(self, inbox: _Inbox, address: str) -> None:
        self._inbox = inbox
        self.address = address

    @property
    def is_quiet(self) -> bool:
        """Whether the server has said nothing that is not read, and has not gone."""
        return self._inbox.is_quiet

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Return what has come, b"" at the end; raises TimedOut, BodyTooLarge, OSError."""
        wire = _wire.get()
        left_s = wire.time_left(timeout_s)
        try:
            async with asyncio.timeout(left_s):
                received = await self._inbox.take(max_bytes)
        except TimeoutError as error:
            raise TimedOut(f"{self.address}: nothing within {left_s:.1f} s") from error
        wire.take(received)
        return received

    async def write(self, request: bytes, timeout_s: float) -> None:
        """Send a request, which is small: nothing waits for it to leave. Raises TimedOut at the deadline."""
        _wire.get().time_left(timeout_s)
        self._inbox.transport.write(request)

    def close(self) -> None:
        """Close the connection, without a word."""
        self._inbox.transport.abort()

    async def start_tls(self, context: ssl.SSLContext, server_name: str, timeout_s: float) -> None:
        """Speak TLS from here on; raises TlsFailed, TimedOut, BadUrl, and has then closed the connection."""
        left_s = _wire.get().time_left(timeout_s)
        inside = _Inbox()
        inside.connection_made(self._inbox.transport)  # what comes early is held up below
        try:
            async with asyncio.timeout(left_s):
                transport = await asyncio.get_running_loop().start_tls(
                    self._inbox.transport, inside, context, server_hostname=server_name
                )
        except TimeoutError as error:
            raise TimedOut(f"{server_name}: no TLS within {left_s:.1f} s") from error
        except OSError as error:  # ssl.SSLError is one
            raise TlsFailed(f"{server_name}: {error}") from error
        except ValueError as error:  # a name that no certificate can have
            raise BadUrl(f"{server_name} cannot be a host name") from error
        if transport is None:
            raise TlsFailed(f"{server_name}: closed in the handshake")
        inside.connection_made(transport)
        self._inbox = inside


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
