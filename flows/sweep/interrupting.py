"""Ctrl-C during a run that a person started: it ends as cancelled, and never as crashed.

An exception in Prefect's own code, around the flow's, makes the run a crash. So a Ctrl-C there waits for the flow's code.
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
    """Return what a flow's own code returns, or Cancelled if Ctrl-C came before or during it."""
    _inside.set()
    try:
        return Cancelled(message=INTERRUPTED) if _waiting.is_set() else body()
    except KeyboardInterrupt:  # a person's own wish is no crash
        return Cancelled(message=INTERRUPTED)
    finally:
        _inside.clear()


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Keep a Ctrl-C within the block that meets Prefect's code for the flow's; a second one is raised at once.

    One that comes after the flow's code is too late. If SIGINT has another handler than Python's, it keeps that.
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
