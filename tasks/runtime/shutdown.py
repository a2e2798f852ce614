"""Graceful shutdown: whether this process must stop (Ctrl-C or SIGTERM), and how to end asynchronous work."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from tasks.errors import Stopped

T = TypeVar("T")

stopping = threading.Event()

CHECKED_EVERY_S = 0.2


def run_until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in its own event loop; raises Stopped if this process must stop meanwhile."""

    async def watched() -> T:
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait({task}, timeout=CHECKED_EVERY_S)
            if stopping.is_set() and not task.done():
                task.cancel()
        try:
            return await task
        except asyncio.CancelledError as error:
            raise Stopped("asked to stop") from error

    return asyncio.run(watched())
