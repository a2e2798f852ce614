"""How one batch's requests stand in line, with a book in memory."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from tasks.errors import IndexUnavailable
from tasks.index.pace import Pace, end_turn, give_turn
from tasks.politeness import limiter as turns
from tasks.politeness.limiter import HostWaits, TurnDesk
from tasks.values.permit import LearnedRobots, RobotsAnswer


class MemoryBook:
    """The book without its index; each call takes as long as a transaction may."""

    def __init__(self, takes_s=0.0):
        self.paces = {}
        self.calls = []
        self.learned = []
        self.takes_s = takes_s
        self.under_way = 0
        self.error = None

    def pass_turns(self, ended, wanted, learned):
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
            self.paces[end.turn.host] = end_turn(self.paces[end.turn.host], end, now=now)
        answers = []
        for one in wanted:
            pace = self.paces.get(one.host) or Pace(next_slot_at=now, turns={})
            self.paces[one.host], answer = give_turn(pace, one, turn_id=str(len(self.calls)) + one.host, now=now)
            answers.append(answer)
        return answers

    def answers(self, origins):
        return {}


def held(book, host):
    return len(book.paces[host].turns)


@pytest.fixture
def book():
    return MemoryBook()


def desk_of(book, in_flight=50):
    return TurnDesk(book, in_flight=in_flight, lease_s=90.0)


def turn(desk, host="a.example", delay_s=0.0, max_per_host=1):
    return desk.turn(host, delay_s=delay_s, max_per_host=max_per_host)


async def test_a_turn_is_held_within_its_block(book):
    desk = desk_of(book)
    async with turn(desk):
        inside = held(book, "a.example")

    assert (inside, held(book, "a.example")) == (1, 0)


async def test_a_turn_is_given_back_when_its_holder_fails(book):
    desk = desk_of(book)
    with pytest.raises(ZeroDivisionError):
        async with turn(desk):
            raise ZeroDivisionError

    assert held(book, "a.example") == 0


async def test_wishes_of_many_hosts_go_into_one_transaction():
    book = MemoryBook(takes_s=0.05)
    desk = desk_of(book)

    async def visit(number):
        async with turn(desk, f"{number}.example"):
            pass

    await asyncio.gather(*(visit(number) for number in range(40)))

    assert sum(wanted for _, wanted in book.calls) == 40
    assert len(book.calls) < 10


async def test_a_host_is_visited_in_the_order_of_coming(book):
    desk, visited = desk_of(book), []

    async def visit(number):
        async with turn(desk):
            visited.append(number)

    await asyncio.gather(*(visit(number) for number in range(10)))

    assert visited == list(range(10))


async def test_who_waits_for_a_host_takes_no_place_in_flight(book):
    desk = desk_of(book, in_flight=1)

    async def visit(host, delay_s):
        async with turn(desk, host, delay_s):
            pass

    async with turn(desk, "slow.example", 600.0):
        pass
    slow = asyncio.create_task(visit("slow.example", 600.0))
    await asyncio.sleep(0.05)
    await visit("fast.example", 0.0)

    assert not slow.done()
    slow.cancel()


async def test_a_long_hold_puts_everybody_off(book):
    desk = desk_of(book)
    held_at = datetime.now(UTC)
    async with turn(desk) as heard:
        heard.hold_s = 3600.0

    waits = await asyncio.gather(*(turn(desk).__aenter__() for _ in range(5)), return_exceptions=True)

    assert [type(one) for one in waits] == [HostWaits] * 5
    assert all(timedelta(0) < one.until - held_at <= timedelta(minutes=61) for one in waits)


async def test_a_hold_as_long_as_the_delay_is_waited_for(book, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_S", 0.1)
    desk = desk_of(book)
    async with turn(desk, delay_s=0.4):
        pass

    async with asyncio.timeout(60), turn(desk, delay_s=0.4):
        pass


async def test_a_batch_does_not_stay_for_ever(book, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_STAY_S", 0.0)
    desk = desk_of(book)
    async with turn(desk) as heard:
        heard.hold_s = 0.5

    with pytest.raises(HostWaits):
        async with turn(desk):
            pass


async def test_a_full_batch_gets_no_turn(book):
    desk = desk_of(book)
    desk.is_full = lambda: True

    with pytest.raises(HostWaits):
        async with turn(desk):
            pass
    assert not book.calls


async def test_an_index_that_fails_is_told_to_all_who_wait():
    book = MemoryBook(takes_s=0.05)
    book.error = IndexUnavailable("locked")
    desk = desk_of(book)

    async with asyncio.timeout(60):
        told = await asyncio.gather(
            *(turn(desk, f"{number}.example").__aenter__() for number in range(5)), return_exceptions=True
        )

    assert [type(one) for one in told] == [IndexUnavailable] * 5


async def test_a_holder_that_is_cancelled_again_and_again_gives_its_turn_back():
    book = MemoryBook(takes_s=0.1)
    desk = desk_of(book)

    async def hold():
        async with turn(desk):
            await asyncio.sleep(60)

    holding = asyncio.create_task(hold())
    while not book.calls:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    while not holding.done():
        holding.cancel()
        await asyncio.sleep(0.01)
    await desk.aclose()

    assert held(book, "a.example") == 0


async def test_what_robots_say_is_kept(book):
    answer = RobotsAnswer(origin="https://a.example", status=404, body=b"", fetched_at=datetime.now(UTC))
    learned = LearnedRobots(answer=answer, host="a.example", crawl_delay_s=None)

    await desk_of(book).keep(learned)

    assert book.learned == [learned]


async def test_a_turn_that_nobody_waits_for_any_more_is_given_back():
    book = MemoryBook(takes_s=0.1)
    desk = desk_of(book)
    waiting = asyncio.create_task(turn(desk).__aenter__())
    while not book.under_way:
        await asyncio.sleep(0.01)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await desk.aclose()

    assert held(book, "a.example") == 0
