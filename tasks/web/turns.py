"""Turns at hosts: leave to make one request, out of the book that all processes share.

Here a batch's own requests stand in line at each host, and all wishes that come up while one transaction is under way
go into the next. A turn is held by one request, never while waiting for another host's.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from tasks.errors import StageError
from tasks.models import LearnedRobots, RobotsAnswer, Turn, TurnEnd, TurnRequest, Wait

PATIENCE_S = 10.0
"""A host that wants a longer wait than this, and than its delay, is put off rather than waited for."""

LONGEST_STAY_S = 900.0
"""How long one batch stays at one host, however slow that has become; what is left is put off."""

LEASE_MARGIN_S = 30.0
BOOK_THREADS = 3

T = TypeVar("T")


class Book(Protocol):
    """The shared book of turns and robots.txt (tasks.index.hosts); calls block, and are made in a thread."""

    def pass_turns(
        self, ended: Sequence[TurnEnd], wanted: Sequence[TurnRequest], learned: Sequence[LearnedRobots]
    ) -> list[Turn | Wait]: ...
    def robots(self, origin: str) -> RobotsAnswer | None: ...


class HostWaits(Exception):
    """No turn is to be had before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%H:%M:%S}")
        self.until = until


@dataclass(slots=True)
class Heard:
    """What the holder of a turn says of it: whether the host said that it is busy, and the wait it wants (seconds)."""

    is_busy: bool = False
    hold_s: float | None = None


@dataclass(slots=True)
class _Line:
    """Who of this batch waits at one host: as many as may ask at once have a seat, and one of them asks the book."""

    seats: asyncio.Semaphore
    front: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened_at: float = field(default_factory=time.monotonic)
    free_at: float = 0.0


class TurnDesk:
    """Where one batch gets its turns. `in_flight` bounds its requests under way, `lease_s` each one's time.

    Once `is_full` is true there are no more.
    """

    def __init__(self, book: Book, *, in_flight: int, lease_s: float) -> None:
        self.is_full: Callable[[], bool] = lambda: False
        self._book = book
        self._in_flight = asyncio.Semaphore(in_flight)
        self._lease_s = lease_s
        self._lines: dict[str, _Line] = {}
        self._passing = asyncio.Lock()
        # Threads of its own: asyncio's few may all be undoing bombs.
        self._threads = ThreadPoolExecutor(BOOK_THREADS, thread_name_prefix="book")
        self._ended: list[TurnEnd] = []
        self._learned: list[LearnedRobots] = []
        self._wanted: list[tuple[TurnRequest, asyncio.Future[Turn | Wait]]] = []

    @asynccontextmanager
    async def turn(self, host: str, *, delay_s: float, max_per_host: int) -> AsyncIterator[Heard]:
        """Hold a turn within the block, which says what came of it; raises HostWaits where there is none soon."""
        line = self._lines.setdefault(host, _Line(asyncio.Semaphore(max_per_host)))
        wanted = TurnRequest(host=host, delay_s=delay_s, max_per_host=max_per_host, lease_s=self._lease_s)
        async with line.seats:
            async with line.front:
                turn = await self._wait_for(wanted, line)
            heard, began = Heard(), time.monotonic()
            try:
                yield heard
            finally:
                self._in_flight.release()
                end = TurnEnd(
                    turn=turn,
                    delay_s=delay_s,
                    elapsed_s=time.monotonic() - began,
                    is_busy=heard.is_busy,
                    hold_s=heard.hold_s,
                )
                await self._pass(ended=end)
                line.free_at = time.monotonic() + delay_s  # at the earliest; the book may say more

    async def kept_robots(self, origin: str) -> RobotsAnswer | None:
        """Return the robots.txt that is kept and fresh."""
        return await self._in_thread(partial(self._book.robots, origin))

    def close(self) -> None:
        """Let the threads end by themselves."""
        self._threads.shutdown(wait=False)

    async def keep(self, learned: LearnedRobots) -> None:
        """Keep a robots.txt for everybody."""
        self._learned.append(learned)
        await self._pass()

    async def _wait_for(self, wanted: TurnRequest, line: _Line) -> Turn:
        """Return the host's turn, together with a place among the requests in flight."""
        while True:
            await asyncio.sleep(max(line.free_at - time.monotonic(), 0.0))
            if self.is_full():
                raise HostWaits(datetime.now(UTC))
            await self._in_flight.acquire()
            said: Turn | Wait | None = None
            try:
                said = await self._pass(wanted=wanted)
            finally:
                if not isinstance(said, Turn):
                    self._in_flight.release()
            if isinstance(said, Turn):
                return said
            if said is not None:
                _check_patience(said, line)
                line.free_at = time.monotonic() + said.wait_s

    async def _pass(self, *, ended: TurnEnd | None = None, wanted: TurnRequest | None = None) -> Turn | Wait | None:
        """Have the book note an end or answer a wish, with all others that have come up."""
        done: asyncio.Future[Turn | Wait] | None = None
        if ended is not None:
            self._ended.append(ended)
        if wanted is not None:
            done = asyncio.get_running_loop().create_future()
            self._wanted.append((wanted, done))
        async with self._passing:
            if self._ended or self._wanted or self._learned:
                ends, wishes, learned = self._ended, self._wanted, self._learned
                self._ended, self._wanted, self._learned = [], [], []
                wanted_now = [wish for wish, _ in wishes]
                try:
                    answers = await self._in_thread(partial(self._book.pass_turns, ends, wanted_now, learned))
                except StageError as error:
                    for waiting in (waiting for _, waiting in wishes if not waiting.done()):
                        waiting.set_exception(error)
                    raise
                for (_, waiting), answer in zip(wishes, answers, strict=True):
                    if not waiting.done():
                        waiting.set_result(answer)
        return await done if done is not None else None

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)


def _check_patience(said: Wait, line: _Line) -> None:
    has_stayed = time.monotonic() - line.opened_at > LONGEST_STAY_S
    if has_stayed or said.wait_s > max(PATIENCE_S, said.delay_s):
        raise HostWaits(datetime.now(UTC) + timedelta(seconds=said.wait_s))
