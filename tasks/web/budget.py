"""The limits of one request in time and bytes, and the progress of its response."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tasks.errors import BodyTooLarge, TimedOut

FRAMING_SIZE = 256 * 1024
"""Bytes allowed for response heads and chunk framing besides the body. Framing may double the body."""

START_SIZE = 5


@dataclass(slots=True, kw_only=True)
class Budget:
    """Limits of one request, passed to a transport in the request extension `budget`.

    `deadline_s` starts at the first `begin`, so waiting for a free connection is not counted. `max_body_size` is in
    bytes of the coded body; with `is_cut`, a longer body is truncated instead of refused. `asker` is the requesting
    source, for which look-ups are limited. The transport sets all other fields: `began` (monotonic clock), `start`
    (first bytes received), `head` (final response head as received), `mended` (what was corrected in it).
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
        """The most bytes to receive in all, including framing."""
        return 2 * self.max_body_size + FRAMING_SIZE

    def begin(self) -> None:
        """Start an attempt. A second attempt gets fresh byte limits but shares the deadline."""
        self.started_at, self.began = datetime.now(UTC), time.monotonic()
        if self._ends_at is None:
            self._ends_at = self.began + self.deadline_s
        self.size, self.start, self.head, self.mended = 0, b"", b"", ()
        self.has_connected = self.has_head = self.has_ended = False

    def postpone(self, waited_s: float) -> None:
        """Extend the deadline by a wait that is not the server's fault."""
        if self._ends_at is not None:
            self._ends_at += waited_s

    def time_left(self, timeout_s: float | None = None) -> float:
        """Return the limit for one wait in seconds. Raises TimedOut once the deadline has passed."""
        left_s = self.deadline_s if self._ends_at is None else self._ends_at - time.monotonic()
        if left_s <= 0:
            raise TimedOut("the deadline has passed")
        return left_s if timeout_s is None else min(timeout_s, left_s)

    def take(self, size: int, *, start: bytes) -> None:
        """Count received bytes; `start` holds the first ones. Raises BodyTooLarge."""
        self.has_ended = not size
        self.start = self.start or start
        self.size += size
        if self.size > self.max_size:
            raise BodyTooLarge(f"more than {self.max_size} bytes, framing included")
