"""Counts of this process's work so far, for the display of progress. No I/O; threads may share them."""

import threading
from collections import Counter
from collections.abc import Callable

OnStep = Callable[[str, int, int], None]
"""Takes the present step of a long task, how much of it is done, and of how much (0: unknown)."""


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
        """Return all present tallies."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Set all tallies to 0; a run does so at its start."""
        with self._lock:
            self._counts.clear()


progress = Progress()
