"""Counts of what this process has done so far, for whoever shows progress. No I/O; safe between threads."""

import threading
from collections import Counter
from collections.abc import Callable

OnStep = Callable[[str, int, int], None]
"""Takes the step that a long task is at, how much of it is done, and of how much (0: unknown)."""


class Progress:
    """A tally that stages add to and a display reads; it decides nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """Add to one tally: `feeds`, `announced`, `fetched`, `extracted`, `stored`."""
        with self._lock:
            self._counts[what] += count

    def read(self) -> dict[str, int]:
        """Return all tallies as they stand."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Start again at nothing; a run does so at its beginning."""
        with self._lock:
            self._counts.clear()


progress = Progress()
