"""One TCP connection over asyncio's transports, for httpcore. Every wait ends at the request's deadline.

No task is cancelled at a deadline: each wait is limited to the time left and ends by itself.

It replaces httpcore's own stream, which uses anyio: that needs a cancel scope and a turn of the event loop for each
read and write, and registers the socket again for each read.
"""

import asyncio
import os
import re
import ssl
from collections import deque
from functools import partial
from typing import Any, Self

import httpcore

from tasks.errors import BadUrl, TlsFailed
from tasks.web.budget import START_SIZE, Budget
from tasks.web.heads import MAX_HEAD_SIZE, mended_head

_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.\d +(\d{3})")
_MAX_BLANKS = 8

MAX_WAITING_SIZE = 256 * 1024
"""Bytes buffered for reading; above this, the server has to wait (backpressure)."""


class HeadMender:
    """Corrects the head of one response before the parser sees it.

    `original` is the final head as received; `notes` say what was changed, if anything.
    """

    def __init__(self) -> None:
        self.original = b""
        self.notes: tuple[str, ...] = ()
        self._pending = b""
        self._is_over = False
        self._blanks = 0

    def take(self, received: bytes) -> bytes | None:
        """Return what the parser may see so far, or None. Empty input means the end, and returns everything left."""
        if self._is_over:
            return received
        self._pending = self._without_blanks(self._pending + received)
        if received and not self._pending:
            return None
        if not received or not _may_be_http(self._pending) or len(self._pending) > MAX_HEAD_SIZE:
            return self._rest()
        seen = b""
        while not self._is_over and (end := _END.search(self._pending)):
            head, self._pending = self._pending[: end.end()], self._pending[end.end() :]
            status = _STATUS.match(head)
            self._is_over = status is None or not status[1].startswith(b"1") or status[1] == b"101"
            self.original = head
            mended, self.notes = mended_head(head)
            seen += mended
        if self._is_over:
            seen += self._rest()
        return seen or None

    def _without_blanks(self, pending: bytes) -> bytes:
        """Drop a few line ends before a response: some servers send one too many after a body."""
        start = len(pending) - len(pending.lstrip(b"\r\n"))
        self._blanks += start
        return pending[start:] if self._blanks <= _MAX_BLANKS else pending

    def _rest(self) -> bytes:
        self._is_over = True
        rest, self._pending = self._pending, b""
        return rest


def _may_be_http(start: bytes) -> bool:
    return b"HTTP/".startswith(start[:5]) or start.startswith(b"HTTP/")


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """A connection's bytes, within the budget of the current request. One reader and one writer at a time.

    `budget` belongs to the current request; only one uses the connection at a time. `address` is the literal address.
    """

    def __init__(self, budget: Budget, address: str) -> None:
        self.serve(budget)
        self.address = address
        self._server_addr: Any = None
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self._is_over = False
        self._lost: Exception | None = None
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._is_full = False
        self._is_paused = False

    def serve(self, budget: Budget) -> None:
        """Prepare for the next request."""
        self.budget = budget
        self._mender = HeadMender()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Return received bytes, with the head corrected; b"" at the end.

        Raises TimedOut, BodyTooLarge, httpcore.ReadError, httpcore.ReadTimeout.
        """
        while True:
            received = await self._received(max_bytes, self.budget.time_left(timeout))
            self.budget.take(len(received), start=received[:START_SIZE])
            if (seen := self._mender.take(received)) is not None:
                self.budget.head, self.budget.mended = self._mender.original, self._mender.notes
                return seen

    async def _received(self, max_bytes: int, timeout_s: float) -> bytes:
        if not self._waiting and not self._is_over:
            self._reading = self._loop.create_future()
            try:
                await self._within(self._reading, timeout_s, httpcore.ReadTimeout)
            finally:
                self._reading = None
        if self._waiting:
            return self._take(max_bytes)
        if self._lost is not None:
            raise httpcore.ReadError(str(self._lost)) from self._lost
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send all bytes. Raises TimedOut, httpcore.WriteError, httpcore.WriteTimeout."""
        if not buffer:  # sent after a request without a body
            return
        timeout_s = self.budget.time_left(timeout)
        if self._transport is None or self._transport.is_closing():
            raise httpcore.WriteError("closed")
        self._transport.write(buffer)
        if self._is_full:
            self._writing = self._loop.create_future()
            try:
                await self._within(self._writing, timeout_s, httpcore.WriteTimeout)
            finally:
                self._writing = None
        if self._lost is not None:
            raise httpcore.WriteError(str(self._lost)) from self._lost

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Self:
        """Switch to TLS. Raises TlsFailed, TimedOut, httpcore.ConnectTimeout, and BadUrl for an invalid host name."""
        timeout_s = self.budget.time_left(timeout)
        try:
            await self._shake_hands(ssl_context, server_hostname, timeout_s)
        except (httpcore.ConnectError, ssl.SSLError) as error:
            raise TlsFailed(f"{server_hostname}: {error}") from error
        except ValueError as error:
            raise BadUrl(f"{server_hostname} cannot be a host name") from error
        return self

    async def _shake_hands(self, ssl_context: ssl.SSLContext, server_hostname: str | None, timeout_s: float) -> None:
        if self._transport is None or self._is_over:
            raise httpcore.ConnectError("closed")
        if self._waiting:  # it would count as if received under TLS
            raise ssl.SSLError("the server sent data before the handshake")
        try:
            async with asyncio.timeout(timeout_s):
                secured = await self._loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("ConnectTimeout") from error
        except ssl.SSLError:
            raise
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        if secured is None:
            raise httpcore.ConnectError("closed")
        self._transport = secured
        secured.set_write_buffer_limits(0)

    async def aclose(self) -> None:
        """Close the connection at once and drop unsent bytes."""
        if self._transport is not None:
            self._transport.abort()
            await asyncio.sleep(0)  # asyncio closes the socket in the loop's next turn, which may be its last

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """Return `is_readable` (whether a read would not block), `server_addr` (address and port), or else None."""
        if info == "is_readable":  # on an idle connection: the server has closed it
            return bool(self._waiting) or self._is_over
        if info == "server_addr" and self._transport is not None:
            self._server_addr = self._server_addr or self._transport.get_extra_info("peername")  # the look-up is costly
            return self._server_addr
        return None

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport. Writes wait until everything is sent."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        """Buffer received bytes."""
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size > MAX_WAITING_SIZE and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        _wake(self._reading)

    def eof_received(self) -> bool:
        """Record the end of input; output may still be sent."""
        self._is_over = True
        _wake(self._reading)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Record that the connection is closed in both directions."""
        self._is_over = True
        self._lost = exc
        _wake(self._reading)
        _wake(self._writing)

    def pause_writing(self) -> None:
        """Record that the send buffer is full."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Record that everything is sent."""
        self._is_full = False
        _wake(self._writing)

    def _take(self, max_bytes: int) -> bytes:
        first = self._waiting.popleft()
        if len(first) > max_bytes:
            self._waiting.appendleft(first[max_bytes:])
            first = first[:max_bytes]
        self._waiting_size -= len(first)
        if self._is_paused and self._waiting_size <= MAX_WAITING_SIZE:
            self._is_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
        return first

    async def _within(
        self, event: asyncio.Future[None], timeout_s: float, error: type[httpcore.TimeoutException]
    ) -> None:
        """Wait for an event with a plain timer: asyncio.timeout would cost a cancellation."""
        timer = self._loop.call_later(timeout_s, _give_up, event, error)
        try:
            await event
        finally:
            timer.cancel()


async def connect(address: str, port: int, budget: Budget, *, timeout_s: float | None = None) -> Stream:
    """Connect to a literal address. Raises TimedOut, httpcore.ConnectError, httpcore.ConnectTimeout."""
    loop = asyncio.get_running_loop()
    left_s = budget.time_left(timeout_s)
    try:
        async with asyncio.timeout(left_s):
            _, stream = await loop.create_connection(partial(Stream, budget, address), address, port)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout("ConnectTimeout") from error
    except OSError as error:  # asyncio's own words repeat the call: "[Errno 111] Connect call failed ('192.0.2.1', 80)"
        raise httpcore.ConnectError(os.strerror(error.errno).lower() if error.errno else str(error)) from error
    return stream


def _wake(event: asyncio.Future[None] | None) -> None:
    if event is not None and not event.done():
        event.set_result(None)


def _give_up(event: asyncio.Future[None], error: type[httpcore.TimeoutException]) -> None:
    if not event.done():
        event.set_exception(error(error.__name__))
