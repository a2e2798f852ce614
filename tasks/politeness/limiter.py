"""Permits for single requests to a host, granted by the limits that all processes share.

The requests of a batch queue here per host, or per place if the host shares one. Permit requests that arrive during one
transaction go into the next. A request holds one permit, and never while it waits for another host's.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from weakref import WeakValueDictionary

from tasks.errors import PresslakeError
from tasks.politeness.keeping import Kept
from tasks.values.permit import LearnedRobots, Permit, PermitEnd, PermitRequest, RobotsAnswer, Wait

PATIENCE_S = 10.0
"""A host that requires a wait longer than this and than its delay is deferred."""

LONGEST_STAY_S = 900.0
"""The longest that a batch stays at one host, in seconds. The rest of its visits there is deferred."""

LEASE_MARGIN_S = 30.0

GATHERED_S = 0.02
"""How long entries are collected into one transaction, which has a fixed cost of 1.5 ms."""

MAX_LINES = 1000
"""Idle queues in memory: each remembers when its place is free, which saves asking the shared limits."""

Said = Permit | Wait | RobotsAnswer | None


class SharedLimits(Protocol):
    """The shared limits and robots.txt files (tasks.index.hosts). The calls block, so they run in a thread."""

    def exchange_permits(
        self, ended: Sequence[PermitEnd], wanted: Sequence[PermitRequest], learned: Sequence[LearnedRobots]
    ) -> list[Permit | Wait]: ...
    def answers(self, origins: Collection[str]) -> dict[str, RobotsAnswer]: ...


class HostWaits(PresslakeError):
    """The host grants no permit before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%H:%M:%S}")
        self.until = until


@dataclass(slots=True, weakref_slot=True)
class _Line:
    """A batch's queue for one place. `seats` bounds the requests at once; the one in `front` asks the limits.

    It exists while anyone waits or holds a permit, and while it is among the most recently used.
    """

    seats: asyncio.Semaphore
    front: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened_at: float = field(default_factory=time.monotonic)
    free_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class Held:
    """A permit in use. Its holder records if the host is busy, its requested wait (seconds), and when it responded."""

    permit: Permit
    delay_s: float
    line: _Line
    began: float = field(default_factory=time.monotonic)
    answered: float | None = None
    is_busy: bool = False
    hold_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An item of a transaction: an ended permit, a permit request, a learned robots.txt, or an answer to read."""

    answer: asyncio.Future[Said]
    ended: PermitEnd | None = None
    wanted: PermitRequest | None = None
    learned: LearnedRobots | None = None
    sought: str | None = None


def never_full() -> bool:
    """Return False: the default of `is_full`."""
    return False


class RateLimiter:
    """Grants one batch its permits. `in_flight` bounds its requests at once, `lease_s` the time of each.

    While `is_full` returns True, no permits are granted.
    """

    def __init__(self, limits: SharedLimits, *, in_flight: int, lease_s: float) -> None:
        self.is_full: Callable[[], bool] = never_full
        self._limits = limits
        self._in_flight = asyncio.Semaphore(in_flight)
        self._lease_s = lease_s
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()
        self._latest: Kept[str, _Line] = Kept(MAX_LINES)
        self._passing: asyncio.Task[None] | None = None
        # A dedicated thread: asyncio's few may all be busy decoding.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="limits")
        self._entries: list[_Entry] = []
        self._ending: set[asyncio.Future[Said]] = set()
        self._unwritten: BaseException | None = None

    async def enter(self, host: str, *, delay_s: float, max_per_host: int, place: str | None = None) -> Held:
        """Return a permit for one request, to be returned with `leave`. Raises HostWaits if none is available soon.

        The hosts of one `place` share a queue.
        """
        line = self._line(place or host, max_per_host)
        wanted = PermitRequest(
            host=host, delay_s=delay_s, max_per_host=max_per_host, lease_s=self._lease_s, place=place
        )
        await line.seats.acquire()
        try:
            async with line.front:
                permit = await self._wait_for(wanted, line)
        except BaseException:
            line.seats.release()
            raise
        return Held(permit=permit, delay_s=delay_s, line=line)

    def leave(self, held: Held) -> None:
        """Return a permit with what its holder recorded. Does not block; the next in the queue waits for the write."""
        self._in_flight.release()
        end = PermitEnd(
            permit=held.permit,
            delay_s=held.delay_s,
            elapsed_s=(held.answered or time.monotonic()) - held.began,
            is_busy=held.is_busy,
            hold_s=held.hold_s,
        )
        written = self._enter(ended=end)
        self._ending.add(written)
        written.add_done_callback(partial(self._ended, held))

    async def settled(self) -> None:
        """Wait until the ends of all permits are written. Raises the error of a failed write."""
        if self._ending:
            await asyncio.wait(set(self._ending))
        error, self._unwritten = self._unwritten, None
        if error is not None:
            raise error

    async def kept_robots(self, origin: str) -> RobotsAnswer | None:
        """Return the stored robots.txt if it is fresh, else None."""
        kept = await self.kept_answer(origin)
        return kept if kept and kept.is_fresh else None

    async def kept_answer(self, name: str) -> RobotsAnswer | None:
        """Return the answer stored under a name, fresh or not, or None."""
        answer = await self._enter(sought=name)
        return answer if isinstance(answer, RobotsAnswer) else None

    async def aclose(self) -> None:
        """Write the remaining ends of permits and release the thread."""
        try:
            if self._passing is not None:
                await asyncio.wait({self._passing})  # cancelling an `await` of the task would also cancel the write
        finally:
            self._thread.shutdown(wait=False)

    async def keep(self, learned: LearnedRobots) -> None:
        """Store a robots.txt for all processes."""
        await self._enter(learned=learned)

    def _ended(self, held: Held, written: asyncio.Future[Said]) -> None:
        """Admit the next request of the queue."""
        held.line.free_at = time.monotonic() + held.delay_s  # the earliest time: the shared limits may require more
        held.line.seats.release()
        self._ending.discard(written)
        self._unwritten = written.exception() or self._unwritten

    def _line(self, name: str, seats: int) -> _Line:
        """Return the queue of a place; create it if needed."""
        if (line := self._lines.get(name)) is None:
            line = self._lines[name] = _Line(asyncio.Semaphore(seats))
        self._latest.keep(name, line)
        return line

    async def _wait_for(self, wanted: PermitRequest, line: _Line) -> Permit:
        """Wait for a slot among the requests in flight and a permit of the host, and return the permit."""
        while True:
            await asyncio.sleep(max(line.free_at - time.monotonic(), 0.0))
            if self.is_full():
                raise HostWaits(datetime.now(UTC))
            await self._in_flight.acquire()
            answer: Said = None
            try:
                answer = await self._enter(wanted=wanted)
            finally:
                if not isinstance(answer, Permit):
                    self._in_flight.release()
            if isinstance(answer, Permit):
                return answer
            if isinstance(answer, Wait):
                _check_patience(answer, line)
                line.free_at = time.monotonic() + answer.wait_s

    def _enter(
        self,
        *,
        ended: PermitEnd | None = None,
        wanted: PermitRequest | None = None,
        learned: LearnedRobots | None = None,
        sought: str | None = None,
    ) -> asyncio.Future[Said]:
        """Add an item to the next transaction; the future receives the answer."""
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._entries.append(_Entry(answer=answer, ended=ended, wanted=wanted, learned=learned, sought=sought))
        if self._passing is None or self._passing.done():
            # A separate task: ends are written even if a request is cancelled.
            self._passing = asyncio.create_task(self._pass_all())
        return answer

    async def _pass_all(self) -> None:
        """Run transactions until no items are left."""
        while self._entries:
            await asyncio.sleep(GATHERED_S)
            entries, self._entries = self._entries, []
            answers = asyncio.get_running_loop().run_in_executor(self._thread, self._consult, entries)
            await asyncio.wait({answers})
            if (error := answers.exception()) is not None:  # raised in each waiting caller
                for entry in entries:
                    if not entry.answer.done():
                        entry.answer.set_exception(error)
                continue
            for entry, answer in zip(entries, answers.result(), strict=True):
                self._tell(entry, answer)

    def _consult(self, entries: Sequence[_Entry]) -> list[Said]:
        """Execute all items in one transaction and one read; return their answers in order."""
        ended = [entry.ended for entry in entries if entry.ended]
        wanted = [entry.wanted for entry in entries if entry.wanted]
        learned = [entry.learned for entry in entries if entry.learned]
        sought = {entry.sought for entry in entries if entry.sought}
        is_passing = ended or wanted or learned
        permits = iter(self._limits.exchange_permits(ended, wanted, learned) if is_passing else ())
        kept = self._limits.answers(sought) if sought else {}
        return [next(permits) if entry.wanted else kept.get(entry.sought or "") for entry in entries]

    def _tell(self, entry: _Entry, answer: Said) -> None:
        if not entry.answer.done():
            entry.answer.set_result(answer)
        elif isinstance(answer, Permit) and entry.wanted is not None:  # the permit's request was cancelled
            given_up = PermitEnd(permit=answer, delay_s=entry.wanted.delay_s, elapsed_s=0.0)
            self._entries.append(replace(entry, ended=given_up, wanted=None))


def _check_patience(wait: Wait, line: _Line) -> None:
    has_stayed = time.monotonic() - line.opened_at > LONGEST_STAY_S
    if has_stayed or wait.wait_s > max(PATIENCE_S, wait.delay_s):
        raise HostWaits(datetime.now(UTC) + timedelta(seconds=wait.wait_s))
