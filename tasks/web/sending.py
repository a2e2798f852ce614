"""Requests over connections of our own: one request, its answer's head, and its body within bounds; our errors alone.

What raises httpx's errors (tasks.web.transport) and what has no use for httpx (tasks.web.client) both stand on this.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tasks.errors import BadResponse, BodyTooLarge, BodyTruncated, ConnectionLost, ItemError, TimedOut, TlsFailed
from tasks.web.addresses import AddressGate
from tasks.web.backend import GuardedBackend
from tasks.web.budget import Budget
from tasks.web.connections import Connection, Connections, Origin
from tasks.web.guard import AddressGuard
from tasks.web.http11 import Asked, Head, NotHttp, UnsendableRequest
from tasks.web.lookups import Resolve, Resolver
from tasks.web.stream import StreamLost, StreamTimedOut

MAX_CONNECTIONS = 50

_REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request, and whom to ask. `is_repeatable` says that its body can be sent twice; times are in seconds."""

    origin: Origin
    asked: Asked
    budget: Budget
    is_repeatable: bool = True
    pool_s: float | None = None
    connect_s: float | None = None

    @property
    def identifier(self) -> str:
        """The URL that is asked for."""
        return f"{self.origin.shown}{self.asked.target.decode('latin-1')}"


class Sender:
    """Sends requests. For asyncio; lives inside one event loop.

    At most `max_connections` requests are under way, each until its answer is closed. `resolve` takes the place of the
    system's resolver, and `gate` bounds what one address is asked under all of its names.
    """

    def __init__(
        self,
        guard: AddressGuard | None = None,
        *,
        resolve: Resolve | None = None,
        max_connections: int = MAX_CONNECTIONS,
        gate: AddressGate | None = None,
    ) -> None:
        self._resolver = Resolver() if resolve is None else None
        resolver = resolve or self._resolver or _no_resolver
        self._backend = GuardedBackend(guard or AddressGuard(), resolve=resolver, gate=gate)
        self._connections = Connections(self._backend, max_idle=4 * max_connections)
        self._permits = asyncio.Semaphore(max_connections)

    async def send(self, sending: Sending) -> "Answer":
        """Return the answer, its body unread; raises ItemError."""
        await self._wait_for_permit(sending)
        try:
            connection, head = await self._answer(sending)
        except BaseException:
            self._permits.release()
            raise
        return Answer(self, sending, connection, head)

    async def address_of(self, origin: Origin, budget: Budget, *, timeout_s: float) -> str | None:
        """Return the address by which an origin's host is counted; see `GuardedBackend.address_of`."""
        budget.begin()
        return await self._backend.address_of(origin.host, origin.port, budget, timeout_s=timeout_s)

    def give_back(self, connection: Connection) -> None:
        """Take back a connection and the place of its request."""
        self._connections.give_back(connection)
        self._permits.release()

    async def aclose(self) -> None:
        """Close all connections that are not used."""
        await self._connections.aclose()
        if self._resolver is not None:
            self._resolver.close()

    async def _wait_for_permit(self, sending: Sending) -> None:
        """Wait for a free connection, before any deadline runs."""
        if sending.pool_s is None or not self._permits.locked():
            await self._permits.acquire()
            return
        try:
            async with asyncio.timeout(sending.pool_s):
                await self._permits.acquire()
        except TimeoutError as error:
            raise TimedOut(f"{sending.identifier}: no connection is free") from error

    async def _answer(self, sending: Sending) -> tuple[Connection, Head]:
        """Ask once; again, on a fresh connection, where the server had given up the one that was kept alive."""
        budget = sending.budget
        try:
            return await self._ask(sending)
        except ConnectionLost:
            if budget.has_connected or budget.start or not _is_repeatable(sending):
                raise
        return await self._ask(sending, is_fresh=True)

    async def _ask(self, sending: Sending, *, is_fresh: bool = False) -> tuple[Connection, Head]:
        budget = sending.budget
        budget.begin()
        with _our_errors(sending):
            connection = await self._connections.take(
                sending.origin, budget, timeout_s=sending.connect_s, is_fresh=is_fresh
            )
            try:
                head = await connection.http.ask(sending.asked)
            except BaseException:
                self._connections.give_back(connection)
                raise
        budget.has_head = True
        return connection, head


class Answer:
    """One answer; `head` is there, the body comes as it is asked for. It has to be closed, which gives its connection back."""

    def __init__(self, sender: Sender, sending: Sending, connection: Connection, head: Head) -> None:
        self.head = head
        self._sender, self._sending, self._connection = sender, sending, connection
        self._is_closed = False

    @property
    def address(self) -> tuple[str, int] | None:
        """The server's address and port."""
        return self._connection.stream.peer

    async def body(self) -> AsyncIterator[bytes]:
        """Give the body as it comes, up to its bound; raises BodyTooLarge, BodyTruncated, ConnectionLost, TimedOut."""
        self._refuse_declared()
        sending = self._sending
        limit, size = sending.budget.max_body_size, 0
        with _our_errors(sending):
            async for chunk in self._connection.http.body(read_s=sending.asked.read_s):
                size += len(chunk)
                if size <= limit:
                    yield chunk
                    continue
                if sending.budget.is_cut:
                    yield chunk[: limit - size]
                    return
                raise BodyTooLarge(f"{sending.identifier}: more than {limit} bytes")

    def close(self) -> None:
        """Give the connection back, once: it stays open where the body was read to its end."""
        if self._is_closed:
            return
        self._is_closed = True
        self._connection.http.finish()
        self._sender.give_back(self._connection)

    def _refuse_declared(self) -> None:
        budget, asked = self._sending.budget, self._sending.asked
        if budget.is_cut or asked.method == b"HEAD" or self.head.status in _WITHOUT_BODY:
            return
        declared = next((value for name, value in self.head.fields if name.lower() == b"content-length"), b"")
        if declared.isdigit() and int(declared) > budget.max_body_size:
            raise BodyTooLarge(
                f"{self._sending.identifier}: {int(declared)} bytes; at most {budget.max_body_size} are taken"
            )


def _is_repeatable(sending: Sending) -> bool:
    """Whether asking twice does no harm (RFC 9110, 9.2.2), with a body that can be sent twice."""
    return sending.is_repeatable and sending.asked.method in _REPEATABLE


@contextmanager
def _our_errors(sending: Sending) -> Iterator[None]:
    """Translate what the layers below raise; the one place that knows."""
    try:
        yield
    except StreamTimedOut as error:
        raise TimedOut(f"{sending.identifier}: {error}") from error
    except (StreamLost, NotHttp, UnsendableRequest) as error:
        raise _trouble(sending, error) from error
    except ssl.SSLError as error:  # a record that does not decrypt, after the handshake
        raise TlsFailed(f"{sending.identifier}: {error}") from error


def _trouble(sending: Sending, error: StreamLost | NotHttp | UnsendableRequest) -> ItemError:
    url, budget = sending.identifier, sending.budget
    if isinstance(error, StreamLost):
        return ConnectionLost(f"{url}: reset {'in the body' if budget.has_head else 'before an answer'}")
    if not budget.has_ended:
        return BadResponse(f"{url}: {error}")
    if budget.has_head:
        return BodyTruncated(f"{url}: {error}")
    if not b"HTTP/".startswith(budget.start):
        return BadResponse(f"{url}: {budget.start!r} is no beginning of HTTP/1.1")
    return ConnectionLost(f"{url}: closed before an answer")


async def _no_resolver(host: str, port: int) -> tuple[str, ...]:
    raise OSError(f"no resolver for {host}:{port}")
