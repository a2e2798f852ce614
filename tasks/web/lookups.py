"""DNS look-ups: few at once in all, and fewer per source.

A dead name occupies its thread for as long as the system's resolver tries. With these limits, dead names of one source
do not delay other sources. A look-up's timeout starts when it gets a thread.
"""

import asyncio
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

MOST = 32
"""Concurrent look-ups of one client."""

MOST_EACH = 4
"""Concurrent look-ups per source."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Maps a host name and port to literal addresses, in the order to try them. Raises OSError."""


class Resolver:
    """The system's resolver in dedicated threads: asyncio's few are shared, and a dead name occupies one for long."""

    def __init__(self, threads: int = MOST) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses in the system's order of preference (RFC 6724), without repeats. Raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        answers = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return tuple(dict.fromkeys(str(address[0]) for *_, address in answers))

    def close(self) -> None:
        """Stop without waiting for running look-ups."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class LookUps:
    """Look-ups with one resolver, within these limits and one event loop."""

    def __init__(self, resolve: Resolve, *, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._resolve = resolve
        self._places = asyncio.Semaphore(most)
        self._own_places: defaultdict[str, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, most_each))
        self._interested: Counter[str] = Counter()

    async def addresses(self, host: str, port: int, *, asker: str, timeout_s: float) -> tuple[Sequence[str], float]:
        """Return a host's addresses, and how long the look-up waited for its turn (seconds).

        `timeout_s` starts with the look-up itself. `asker` is the requesting source. Raises TimeoutError, OSError,
        UnicodeError.
        """
        waited_s = await self._enter(asker)
        asking = asyncio.ensure_future(self._resolve(host, port))
        # an abandoned look-up still occupies its thread
        asking.add_done_callback(partial(self._leave, asker))
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(asking), waited_s

    async def _enter(self, asker: str) -> float:
        """Wait for a slot; returns the wait in seconds."""
        began_s = time.monotonic()
        self._interested[asker] += 1
        try:
            await self._own_places[asker].acquire()
            try:
                await self._places.acquire()
            except BaseException:
                self._own_places[asker].release()
                raise
        except BaseException:
            self._forget(asker)
            raise
        return time.monotonic() - began_s

    def _leave(self, asker: str, asked: "asyncio.Future[Sequence[str]]") -> None:
        self._places.release()
        self._own_places[asker].release()
        self._forget(asker)
        if not asked.cancelled():
            asked.exception()  # retrieve it, since nobody may be waiting for it any more

    def _forget(self, asker: str) -> None:
        self._interested[asker] -= 1
        if not self._interested[asker]:
            del self._interested[asker], self._own_places[asker]
