"""The queueing of one batch's requests, with shared limits in memory."""

import asyncio
import gc
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tasks.errors import IndexUnavailable
from tasks.index.pace import Pace, end_permit, grant_permit
from tasks.politeness import limiter as turns
from tasks.politeness.limiter import HostWaits, RateLimiter
from tasks.values.permit import LearnedRobots, RobotsAnswer
from tests.alive import alive


class MemoryBook:
    """The shared limits without an index; each call takes as long as a transaction may."""

    def __init__(self, takes_s=0.0):
        self.paces = {}
        self.calls = []
        self.learned = []
        self.takes_s = takes_s
        self.under_way = 0
        self.error = None

    def exchange_permits(self, ended, wanted, learned):
        self.under_way += 1
        assert self.under_way == 1
        time.sleep(self.takes_s)
        self.under_way -= 1
        if self.error is not None:
            raise self.error
        now = datetime.now(UTC)
        self.calls.append((len(ended), len(wanted)))
        self.learned += learned
        for end in ended:
            self.paces[end.permit.host] = end_permit(self.paces[end.permit.host], end, now=now)
        answers = []
        for one in wanted:
            pace = self.paces.get(one.host) or Pace(next_slot_at=now, turns={})
            self.paces[one.host], answer = grant_permit(pace, one, permit_id=str(len(self.calls)) + one.host, now=now)
            answers.append(answer)
        return answers

    def answers(self, origins):
        return {}


def held(limits, host):
    return len(limits.paces[host].turns)


@pytest.fixture
def limits():
    return MemoryBook()


def desk_of(limits, in_flight=50):
    return RateLimiter(limits, in_flight=in_flight, lease_s=90.0)


def entering(limiter, host="a.example", delay_s=0.0):
    return limiter.enter(host, delay_s=delay_s, max_per_host=1)


@asynccontextmanager
async def permit(limiter, host="a.example", delay_s=0.0):
    one = await entering(limiter, host, delay_s)
    try:
        yield one
    finally:
        limiter.leave(one)


async def test_a_permit_is_held_during_its_block(limits):
    limiter = desk_of(limits)
    async with permit(limiter):
        inside = held(limits, "a.example")
    await limiter.settled()

    assert (inside, held(limits, "a.example")) == (1, 0)


async def test_a_permit_is_returned_when_its_holder_fails(limits):
    limiter = desk_of(limits)
    with pytest.raises(ZeroDivisionError):
        async with permit(limiter):
            raise ZeroDivisionError
    await limiter.settled()

    assert held(limits, "a.example") == 0


async def test_permit_requests_of_many_hosts_share_one_transaction():
    limits = MemoryBook(takes_s=0.05)
    limiter = desk_of(limits)

    async def visit(number):
        async with permit(limiter, f"{number}.example"):
            pass

    await asyncio.gather(*(visit(number) for number in range(40)))

    assert sum(wanted for _, wanted in limits.calls) == 40
    assert len(limits.calls) < 10


async def test_a_host_is_visited_first_come_first_served(limits):
    limiter, visited = desk_of(limits), []

    async def visit(number):
        async with permit(limiter):
            visited.append(number)

    await asyncio.gather(*(visit(number) for number in range(10)))

    assert visited == list(range(10))


async def test_waiting_for_a_host_uses_no_slot_in_flight(limits):
    limiter = desk_of(limits, in_flight=1)

    async def visit(host, delay_s):
        async with permit(limiter, host, delay_s):
            pass

    async with permit(limiter, "slow.example", 600.0):
        pass
    slow = asyncio.create_task(visit("slow.example", 600.0))
    await asyncio.sleep(0.05)
    await visit("fast.example", 0.0)

    assert not slow.done()
    slow.cancel()


async def test_a_long_pause_defers_all_requests(limits):
    limiter = desk_of(limits)
    held_at = datetime.now(UTC)
    async with permit(limiter) as heard:
        heard.hold_s = 3600.0

    waits = await asyncio.gather(*(entering(limiter) for _ in range(5)), return_exceptions=True)

    assert [type(one) for one in waits] == [HostWaits] * 5
    assert all(timedelta(0) < one.until - held_at <= timedelta(minutes=61) for one in waits)


async def test_a_pause_as_long_as_the_delay_is_spent_waiting(limits, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_S", 0.1)
    limiter = desk_of(limits)
    async with permit(limiter, delay_s=0.4):
        pass

    async with asyncio.timeout(60), permit(limiter, delay_s=0.4):
        pass


async def test_a_batch_does_not_wait_for_ever(limits, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_STAY_S", 0.0)
    limiter = desk_of(limits)
    async with permit(limiter) as heard:
        heard.hold_s = 0.5

    with pytest.raises(HostWaits):
        async with permit(limiter):
            pass


async def test_a_full_batch_gets_no_permit(limits):
    limiter = desk_of(limits)
    limiter.is_full = lambda: True

    with pytest.raises(HostWaits):
        async with permit(limiter):
            pass
    assert not limits.calls


async def test_a_failing_index_is_reported_to_all_waiters():
    limits = MemoryBook(takes_s=0.05)
    limits.error = IndexUnavailable("locked")
    limiter = desk_of(limits)

    async with asyncio.timeout(60):
        results = await asyncio.gather(
            *(entering(limiter, f"{number}.example") for number in range(5)), return_exceptions=True
        )

    assert [type(one) for one in results] == [IndexUnavailable] * 5


async def test_a_holder_continues_before_its_permits_end_is_written_and_the_next_in_line_does_not():
    limits = MemoryBook(takes_s=0.05)
    limiter, seen = desk_of(limits), []

    async def visit(name):
        async with permit(limiter):
            seen.append(f"{name} in")
        seen.append(f"{name} out, {held(limits, 'a.example')} held")

    async with asyncio.timeout(60):
        await asyncio.gather(visit("first"), visit("second"))

    assert seen == ["first in", "first out, 1 held", "second in", "second out, 1 held"]


async def test_an_unwritable_end_is_raised_when_all_ends_are_awaited(limits):
    limiter = desk_of(limits)
    async with permit(limiter):
        limits.error = IndexUnavailable("locked")

    with pytest.raises(IndexUnavailable):
        await limiter.settled()
    await limiter.settled()


async def test_a_holder_that_is_cancelled_repeatedly_returns_its_permit():
    limits = MemoryBook(takes_s=0.1)
    limiter = desk_of(limits)

    async def hold():
        async with permit(limiter):
            await asyncio.sleep(60)

    holding = asyncio.create_task(hold())
    while not limits.calls:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    while not holding.done():
        holding.cancel()
        await asyncio.sleep(0.01)
    await limiter.aclose()

    assert held(limits, "a.example") == 0


async def test_queues_without_waiters_are_freed(limits, monkeypatch):
    monkeypatch.setattr(turns, "MAX_LINES", 10)
    limiter = desk_of(limits)

    async def ask(number):
        async with permit(limiter, f"{number}.example"):
            pass

    await asyncio.gather(*map(ask, range(100)))
    await limiter.settled()
    gc.collect()
    assert len(alive(lambda one: type(one).__name__ == "_Line")) <= 10
    assert len(limits.paces) == 100


async def test_a_queue_stays_the_same_while_others_are_created(limits, monkeypatch):
    monkeypatch.setattr(turns, "MAX_LINES", 1)
    limiter = desk_of(limits)
    async with permit(limiter):
        for number in range(5):
            async with permit(limiter, f"{number}.example"):
                pass
        second = asyncio.create_task(entering(limiter))
        await asyncio.sleep(0.1)
        asked = len(limits.calls)
        assert not second.done()
        await asyncio.sleep(0.1)
        assert len(limits.calls) == asked  # it is queued, and does not ask the limits
    limiter.leave(await second)
    await limiter.settled()


async def test_robots_txt_is_stored(limits):
    answer = RobotsAnswer(origin="https://a.example", status=404, body=b"", fetched_at=datetime.now(UTC))
    learned = LearnedRobots(answer=answer, host="a.example", crawl_delay_s=None)

    await desk_of(limits).keep(learned)

    assert limits.learned == [learned]


async def test_a_permit_without_waiter_is_returned():
    limits = MemoryBook(takes_s=0.1)
    limiter = desk_of(limits)
    waiting = asyncio.create_task(entering(limiter))
    while not limits.under_way:
        await asyncio.sleep(0.01)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await limiter.aclose()

    assert held(limits, "a.example") == 0
