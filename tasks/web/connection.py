"""One connection that speaks HTTP/1.1 (RFC 9112): a request, its answer, and whether another may follow.

h11 knows the protocol; the stream below it ends every wait at the GET's deadline.
"""

import time
from collections.abc import AsyncIterator

import h11

from tasks.web.backend import BoundedStream

MAX_HEAD_SIZE = 100 * 1024
"""Bytes of one head, or of one chunk's first line, before the answer counts as broken."""

KEEPALIVE_S = 15.0
_READ_SIZE = 64 * 1024


class Connection:
    """A connection to one origin. It takes one request at a time; what goes wrong ends it."""

    def __init__(self, stream: BoundedStream, *, timeout_s: float) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
        self._is_open = True
        self._idle_until = 0.0

    @property
    def address(self) -> str:
        """The server's address, a literal."""
        return self._stream.address

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self._is_open

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent: the last answer is over, and the server has said nothing since."""
        return self._is_open and time.monotonic() < self._idle_until and self._stream.is_quiet

    async def ask(self, path: str, fields: list[tuple[bytes, bytes]]) -> h11.Response:
        """Send a GET and return the head of its answer; raises h11.ProtocolError, OSError, TimedOut, BodyTooLarge."""
        self._idle_until = 0.0
        sent = self._http.send(h11.Request(method="GET", target=path, headers=fields)) or b""
        await self._stream.write(sent + (self._http.send(h11.EndOfMessage()) or b""), self._timeout_s)
        while not isinstance(event := await self._next(), h11.Response):
            pass  # informational answers
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the answer's body as it comes, its transfer coding undone; raises as `ask` does."""
        while isinstance(event := await self._next(), h11.Data):
            yield event.data
        is_over = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if is_over and not self._http.trailing_data[0]:  # what comes unasked is nobody's answer
            self._http.start_next_cycle()
            self._idle_until = time.monotonic() + KEEPALIVE_S

    def close(self) -> None:
        """End it, whatever is under way."""
        self._is_open = False
        self._stream.close()

    async def _next(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._stream.read(_READ_SIZE, self._timeout_s))
        return event
