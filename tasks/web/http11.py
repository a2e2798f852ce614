"""HTTP/1.1 over one connection, one request at a time. h11 says what is HTTP; this reads and writes for it."""

import time
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import h11

READ_SIZE = 64 * 1024
MAX_HEAD_SIZE = 100 * 1024

Field = tuple[bytes, bytes]
Fields = list[Field]


class NotHttp(Exception):
    """What came is no HTTP/1.1, or ended before its end."""


class UnsendableRequest(Exception):
    """A request is no HTTP/1.1."""


class Octets(Protocol):
    """What a connection is read and written by."""

    async def read(self, max_bytes: int, timeout_s: float | None = None) -> bytes: ...
    async def write(self, data: bytes, timeout_s: float | None = None) -> None: ...
    def close(self) -> None: ...
    def is_readable(self) -> bool: ...


class WriteFailed(Exception):
    """The server takes no more of a request; it may have answered all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: `target` and `fields` are sent as they are; `body` may be empty. Times are for one read or write."""

    method: bytes
    target: bytes
    fields: Fields
    body: AsyncIterable[bytes] | None = None
    read_s: float | None = None
    write_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of an answer, its fields as they came."""

    status: int
    reason: bytes
    version: bytes
    fields: Fields


class Http11:
    """One connection. An answer is read to its end, or closed, before the next request."""

    def __init__(self, stream: Octets, *, keepalive_s: float) -> None:
        self._stream = stream
        self._keepalive_s = keepalive_s
        self._expires_at = 0.0
        self._h11 = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
        self.is_idle = False
        self.is_closed = False

    async def ask(self, asked: Asked) -> Head:
        """Send a request and return the head of its answer; raises NotHttp, UnsendableRequest, and as the stream does."""
        self.is_idle = False
        try:
            await self._send(asked)
            return await self._head(asked.read_s)
        except BaseException:
            self.finish()
            raise

    async def body(self, *, read_s: float | None) -> AsyncIterator[bytes]:
        """Give the answer's body as it comes, without its transfer coding; raises NotHttp, and as the stream does."""
        while True:
            event = await self._next(read_s)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage | h11.PAUSED):
                return

    def finish(self) -> None:
        """End the exchange: the connection stays open where all of it was sent and read, and both sides keep it."""
        if self.is_idle or self.is_closed:
            return
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self.is_idle = True
            self._expires_at = time.monotonic() + self._keepalive_s
        else:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self.is_idle, self.is_closed = False, True
        self._stream.close()

    @property
    def has_expired(self) -> bool:
        """Whether it should not be used again: too old, or the server has closed it."""
        return time.monotonic() > self._expires_at or (self.is_idle and self._stream.is_readable())

    async def _send(self, asked: Asked) -> None:
        try:
            head = self._h11.send(h11.Request(method=asked.method, target=asked.target, headers=asked.fields))
            await self._write(head, asked)
            if asked.body is not None:
                async for chunk in asked.body:
                    await self._write(self._h11.send(h11.Data(data=chunk)), asked)
            await self._write(self._h11.send(h11.EndOfMessage()), asked)
        except h11.LocalProtocolError as error:
            raise UnsendableRequest(str(error)) from error
        except WriteFailed:
            return  # a server may answer before it has all of a request, and close

    async def _write(self, data: bytes | None, asked: Asked) -> None:
        if data:
            await self._stream.write(data, asked.write_s)

    async def _head(self, read_s: float | None) -> Head:
        while True:
            event = await self._next(read_s)
            if not isinstance(event, h11.Response | h11.InformationalResponse):
                raise NotHttp(f"{event!r} in place of an answer")
            if isinstance(event, h11.Response) or event.status_code == 101:
                return Head(
                    status=event.status_code,
                    reason=bytes(event.reason),
                    version=b"HTTP/" + bytes(event.http_version),
                    fields=event.headers.raw_items(),
                )

    async def _next(self, read_s: float | None) -> object:
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise NotHttp(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            received = await self._stream.read(READ_SIZE, read_s)
            if not received and self._h11.their_state is h11.SEND_RESPONSE:
                raise NotHttp("Server disconnected without sending a response.")
            self._h11.receive_data(received)
