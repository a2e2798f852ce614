"""Ctrl-C during a run started from the command line: the run ends as cancelled, never as crashed.

Prefect marks a run as crashed if an exception hits its own code around the flow's body. So a Ctrl-C there is held back until
the body runs.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Cancelled

from flows.cli.saying import WHOLE

INTERRUPTED = f"interrupted: {WHOLE}"

_inside, _waiting = threading.Event(), threading.Event()


def interruptible(body: Callable[[], State[Any]]) -> State[Any]:
    """Return the state that a flow's body returns, or Cancelled if Ctrl-C came before or during it."""
    _inside.set()
    try:
        return Cancelled(message=INTERRUPTED) if _waiting.is_set() else body()
    except KeyboardInterrupt:  # the user asked for it: no crash
        return Cancelled(message=INTERRUPTED)
    finally:
        _inside.clear()


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Hold back a Ctrl-C that arrives in Prefect's code until the flow's body runs; raise a second one at once.

    A Ctrl-C after the body has no effect. A SIGINT handler other than Python's default is left in place.
    """
    _waiting.clear()
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _take)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _take(_signal: int, _frame: FrameType | None) -> None:
    if _inside.is_set() or _waiting.is_set():
        raise KeyboardInterrupt
    _waiting.set()
