"""Counts of this process's work so far, for the display of progress. No I/O; threads may share them."""

import threading
import time
from collections import Counter
from collections.abc import Callable

OnStep = Callable[[str, int, int], None]
"""Called with the current step of a long task, how much of it is done, and of how much (0: unknown)."""


def throttled(show: OnStep, *, every_s: float) -> OnStep:
    """Return an OnStep that shows each step when it begins, and then its progress at most every `every_s` seconds."""
    last_what, last_at = "", 0.0

    def on_step(what: str, done: int, total: int) -> None:
        nonlocal last_what, last_at
        now = time.monotonic()
        if what != last_what or now - last_at >= every_s:
            last_what, last_at = what, now
            show(what, done, total)

    return on_step


class Progress:
    """Tallies that stages add to and a display reads; no decision depends on them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """Add to one tally: `feeds`, `announced`, `fetched`, `extracted`, `stored`."""
        with self._lock:
            self._counts[what] += count

    def read(self) -> dict[str, int]:
        """Return all current tallies."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Set all tallies to 0; a run does so at its start."""
        with self._lock:
            self._counts.clear()


progress = Progress()
