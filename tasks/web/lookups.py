"""Look-ups of names: a few at once in all, and fewer for each source.

A dead name holds its thread for as long as the system's resolver tries. So the dead names of one source hold up
no other source's, and the clock of a look-up starts when it has a thread.
"""

import asyncio
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

MOST = 32
"""Look-ups at once, for all sources of one client."""

MOST_EACH = 4
"""Look-ups at once for one source."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and port to literal addresses, in the order in which they are to be tried; raises OSError."""


class Resolver:
    """The system's resolver in threads of its own: asyncio's few are shared, and a dead name holds one for long."""

    def __init__(self, threads: int = MOST) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses in the system's order of preference (RFC 6724), each once; raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        answers = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return tuple(dict.fromkeys(str(address[0]) for *_, address in answers))

    def close(self) -> None:
        """Let the threads end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class LookUps:
    """Makes look-ups with one resolver, within these bounds. Lives inside one event loop."""

    def __init__(self, resolve: Resolve, *, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._resolve = resolve
        self._places = asyncio.Semaphore(most)
        self._own_places: defaultdict[str, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, most_each))
        self._interested: Counter[str] = Counter()

    async def addresses(self, host: str, port: int, *, asker: str, timeout_s: float) -> tuple[Sequence[str], float]:
        """Return a host's addresses, and how long the look-up waited for its turn (seconds).

        `timeout_s` starts with the look-up itself. `asker` is the source that it is for. Raises TimeoutError, OSError,
        UnicodeError.
        """
        waited_s = await self._enter(asker)
        asking = asyncio.ensure_future(self._resolve(host, port))
        # a look-up that nobody waits for any more still has its thread
        asking.add_done_callback(partial(self._leave, asker))
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(asking), waited_s

    async def _enter(self, asker: str) -> float:
        """Wait for a place; returns how long that took."""
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
            asked.exception()  # seen, although nobody may wait for it any more

    def _forget(self, asker: str) -> None:
        self._interested[asker] -= 1
        if not self._interested[asker]:
            del self._interested[asker], self._own_places[asker]
