"""One TCP connection over asyncio's transports, every wait of it bounded; no HTTP library.

Plain asyncio, since a layer above it costs as much again: anyio enters a cancel scope and a turn of the event loop for each
read and write, and registers the socket again for each read.
"""

import asyncio
import ssl
from collections import deque

MAX_WAITING_SIZE = 256 * 1024
"""Bytes that may wait to be read; the server has to wait with more."""


class StreamLost(Exception):
    """The connection was reset, or is closed."""


class StreamTimedOut(Exception):
    """What was waited for did not come; the message says what it was."""


class Stream(asyncio.Protocol):
    """A connection's octets. One reader and one writer at a time."""

    def __init__(self) -> None:
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

    async def read(self, max_bytes: int, timeout_s: float | None) -> bytes:
        """Return what has come, b"" at the end; raises StreamLost, StreamTimedOut."""
        if not self._waiting and not self._is_over:
            self._reading = self._loop.create_future()
            try:
                await self._within(self._reading, timeout_s, "ReadTimeout")
            finally:
                self._reading = None
        if self._waiting:
            return self._take(max_bytes)
        if self._lost is not None:
            raise StreamLost(str(self._lost)) from self._lost
        return b""

    async def write(self, data: bytes, timeout_s: float | None) -> None:
        """Send all of it; raises StreamLost, StreamTimedOut."""
        if self._transport is None or self._transport.is_closing():
            raise StreamLost("closed")
        self._transport.write(data)
        if self._is_full:
            self._writing = self._loop.create_future()
            try:
                await self._within(self._writing, timeout_s, "WriteTimeout")
            finally:
                self._writing = None
        if self._lost is not None:
            raise StreamLost(str(self._lost)) from self._lost

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None, timeout_s: float | None) -> None:
        """Go on under TLS; raises StreamTimedOut, ssl.SSLError, OSError, and ValueError for a name that no certificate has."""
        if self._transport is None or self._is_over:
            raise StreamLost("closed")
        if self._waiting:  # else it would count as if it had come under TLS
            raise ssl.SSLError("the server spoke before the handshake")
        try:
            async with asyncio.timeout(timeout_s):
                secured = await self._loop.start_tls(self._transport, self, context, server_hostname=server_hostname)
        except TimeoutError as error:
            raise StreamTimedOut("ConnectTimeout") from error
        if secured is None:
            raise StreamLost("closed")
        self._transport = secured
        secured.set_write_buffer_limits(0)

    def is_readable(self) -> bool:
        """Whether a read would not wait: of a connection that is not in use, the server has closed it."""
        return bool(self._waiting) or self._is_over

    def close(self) -> None:
        """Close the connection at once, without waiting for what was not sent yet."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def peer(self) -> tuple[str, int] | None:
        """The server's address and port."""
        found = self._transport.get_extra_info("peername") if self._transport is not None else None
        return (str(found[0]), int(found[1])) if found else None

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; a write then waits until all of it is sent."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        """Keep what has come."""
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size > MAX_WAITING_SIZE and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        _wake(self._reading)

    def eof_received(self) -> bool:
        """Note the end; what is still to be sent may be sent."""
        self._is_over = True
        _wake(self._reading)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing more can come or go."""
        self._is_over = True
        self._lost = exc
        _wake(self._reading)
        _wake(self._writing)

    def pause_writing(self) -> None:
        """Note that not all was sent."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Note that all was sent."""
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

    async def _within(self, event: asyncio.Future[None], timeout_s: float | None, what: str) -> None:
        """Wait for an event by a timer alone: asyncio.timeout would cost a cancellation."""
        timer = None if timeout_s is None else self._loop.call_later(timeout_s, _give_up, event, what)
        try:
            await event
        finally:
            if timer is not None:
                timer.cancel()


async def connect(address: str, port: int, timeout_s: float | None) -> Stream:
    """Return a connection to a literal address; raises StreamTimedOut, OSError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            _, stream = await loop.create_connection(Stream, address, port)
    except TimeoutError as error:
        raise StreamTimedOut("ConnectTimeout") from error
    return stream


def _wake(event: asyncio.Future[None] | None) -> None:
    if event is not None and not event.done():
        event.set_result(None)


def _give_up(event: asyncio.Future[None], what: str) -> None:
    if not event.done():
        event.set_exception(StreamTimedOut(what))
