"""Run the command and record callbacks that block its event loops, by CPU of the loop's thread.

    python -m benchmarks.loops FILE WORD...

Runs `presslake WORD...` and writes the record into FILE as JSON. Only callbacks with a frame of our code, before or after they
ran, count: Prefect has event loops of its own.
"""

import asyncio
import atexit
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from flows.cli.app import main as command

LONGEST_S = 0.1
CHECKOUT = Path(__file__).resolve().parent.parent
OURS = (str(CHECKOUT / "tasks"), str(CHECKOUT / "flows"))


@dataclass
class Watched:
    """Callbacks with a frame of our code: their number, the longest (s of CPU), and those over `LONGEST_S`."""

    callbacks: int = 0
    longest_s: float = 0.0
    long: list[tuple[float, list[str]]] = field(default_factory=list)

    def run(self, handle: asyncio.Handle, run: Callable[[asyncio.Handle], object], ours: tuple[str, ...]) -> None:
        """Run a callback and record its CPU."""
        before, began_s = _frames(handle, ours), time.thread_time()
        run(handle)
        cpu_s = time.thread_time() - began_s
        if frames := before or _frames(handle, ours):
            self.callbacks += 1
            self.longest_s = max(self.longest_s, cpu_s)
            if cpu_s > LONGEST_S:
                self.long.append((cpu_s, frames))


def watch(ours: tuple[str, ...] = OURS) -> Watched:
    """Record the callbacks of all event loops of this process from now on; `ours` are the path prefixes of our code."""
    watched, run = Watched(), asyncio.Handle._run
    asyncio.Handle._run = lambda handle: watched.run(handle, run, ours)  # type: ignore[method-assign]
    return watched


def main() -> None:
    """Run the command with the arguments that follow the file's name."""
    file, *words = sys.argv[1:]
    watched = watch()
    atexit.register(lambda: Path(file).write_text(json.dumps(asdict(watched))))
    sys.argv[1:] = words
    command()


def _frames(handle: asyncio.Handle, ours: tuple[str, ...]) -> list[str]:
    """Return our functions on a callback's stack, outermost first."""
    callback: Any = getattr(handle, "_callback", None)  # gone once the handle is cancelled
    return [f"{code.co_filename}:{code.co_qualname}" for code in _codes(callback) if code.co_filename.startswith(ours)]


def _codes(callback: Any) -> Iterator[CodeType]:  # noqa: ANN401 - whatever a loop was given
    while isinstance(callback, partial):
        callback = callback.func
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        if code := getattr(callback, "__code__", None):
            yield code
        return
    waited: Any = task.get_coro()
    while waited is not None:
        if code := getattr(waited, "cr_code", None) or getattr(waited, "gi_code", None):
            yield code
        waited = getattr(waited, "cr_await", None) or getattr(waited, "gi_yieldfrom", None)


if __name__ == "__main__":
    main()
