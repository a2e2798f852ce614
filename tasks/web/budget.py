"""What one request may take, in time and octets, and how far its answer has come."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tasks.errors import BodyTooLarge, TimedOut

FRAMING_SIZE = 256 * 1024
"""Bytes that an answer's heads and chunk framing may take beside its body, which they may double."""

START_SIZE = 5


@dataclass(slots=True, kw_only=True)
class Budget:
    """Limits of one request, given to a transport as the request's extension `budget`.

    `deadline_s` counts from the first `begin`, so that waiting for a free connection costs nothing. `max_body_size` is in
    bytes, content coding kept; with `is_cut` a longer body ends there and is not refused. `asker` is the source that the
    request is made for: look-ups are bounded for each. All other fields are the
    transport's notes: `began` is on the monotonic clock, `start` has the first octets that were received, `head` the final
    head of the answer as it came, `mended` what was changed in it.
    """

    deadline_s: float
    max_body_size: int
    is_cut: bool = False
    asker: str = ""
    started_at: datetime = field(init=False)
    began: float = field(init=False)
    size: int = field(init=False, default=0)
    start: bytes = field(init=False, default=b"")
    has_connected: bool = field(init=False, default=False)
    has_head: bool = field(init=False, default=False)
    has_ended: bool = field(init=False, default=False)
    head: bytes = field(init=False, default=b"")
    mended: tuple[str, ...] = field(init=False, default=())
    _ends_at: float | None = field(init=False, default=None)

    @property
    def max_size(self) -> int:
        """Bytes that may be received in all, framing included."""
        return 2 * self.max_body_size + FRAMING_SIZE

    def begin(self) -> None:
        """Start an attempt at a request. A second one has the octets again, and not the time."""
        self.started_at, self.began = datetime.now(UTC), time.monotonic()
        if self._ends_at is None:
            self._ends_at = self.began + self.deadline_s
        self.size, self.start, self.head, self.mended = 0, b"", b"", ()
        self.has_connected = self.has_head = self.has_ended = False

    def postpone(self, waited_s: float) -> None:
        """Move the deadline by a wait that is no fault of the server's."""
        if self._ends_at is not None:
            self._ends_at += waited_s

    def time_left(self, timeout_s: float | None = None) -> float:
        """Return how long one wait may be, in seconds; raises TimedOut when the deadline has passed."""
        left_s = self.deadline_s if self._ends_at is None else self._ends_at - time.monotonic()
        if left_s <= 0:
            raise TimedOut("the deadline has passed")
        return left_s if timeout_s is None else min(timeout_s, left_s)

    def take(self, size: int, *, start: bytes) -> None:
        """Count what was received, `start` being its first octets; raises BodyTooLarge."""
        self.has_ended = not size
        self.start = self.start or start
        self.size += size
        if self.size > self.max_size:
            raise BodyTooLarge(f"more than {self.max_size} bytes, framing included")
