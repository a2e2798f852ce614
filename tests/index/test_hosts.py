from datetime import timedelta

import pytest

from tasks.index.hosts import HostBook
from tasks.models import RobotsAnswer, SlotRequest

ORIGIN = "https://a.example"


def slots(count=1, delay_s=1.0, host="a.example"):
    return SlotRequest(host=host, count=count, delay_s=delay_s)


def answer(now, status=200, body=b"User-agent: *\nDisallow:"):
    return RobotsAnswer(origin=ORIGIN, status=status, body=body, fetched_at=now)


def test_an_unknown_host_gets_one_slot_to_ask_for_robots(index, now):
    book = HostBook(index)
    first = book.book({ORIGIN: slots(5)}, now=now)[ORIGIN]

    second = book.book({ORIGIN: slots(5)}, now=now)[ORIGIN]

    assert (first.first_at, first.robots, second.first_at) == (now, None, now + timedelta(seconds=1))


def test_slots_of_two_askers_do_not_overlap(index, now):
    book = HostBook(index)
    book.keep_robots(answer(now), slots(0), crawl_delay_s=None, now=now)
    first = book.book({ORIGIN: slots(5)}, now=now)[ORIGIN]

    second = book.book({ORIGIN: slots(5)}, now=now)[ORIGIN]

    assert second.first_at - first.first_at == timedelta(seconds=5)


def test_the_longer_of_two_delays_counts(index, now):
    book = HostBook(index)

    booking = book.keep_robots(answer(now), slots(3, delay_s=1.0), crawl_delay_s=10.0, now=now)
    after = book.book({ORIGIN: slots(1, delay_s=1.0)}, now=now)[ORIGIN]

    assert (booking.delay_s, after.first_at) == (10.0, now + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("status", "fresh_for"),
    [
        (200, timedelta(hours=24)),
        (404, timedelta(hours=24)),
        (503, timedelta(minutes=10)),
        (None, timedelta(minutes=10)),
    ],
)
def test_robots_are_kept_as_long_as_they_may(index, now, status, fresh_for):
    book = HostBook(index)
    book.keep_robots(answer(now, status=status), slots(), crawl_delay_s=None, now=now)

    before = book.book({ORIGIN: slots()}, now=now + fresh_for - timedelta(seconds=1))[ORIGIN]
    after = book.book({ORIGIN: slots()}, now=now + fresh_for)[ORIGIN]

    assert (before.robots is not None, after.robots is not None) == (True, False)


def test_a_hold_moves_the_slot_for_everybody(index, now):
    book = HostBook(index)
    book.hold("a.example", until=now + timedelta(minutes=5), now=now)

    assert book.book({ORIGIN: slots()}, now=now)[ORIGIN].first_at == now + timedelta(minutes=5)


def test_a_shorter_hold_does_not_shorten_a_longer_one(index, now):
    book = HostBook(index)
    book.hold("a.example", until=now + timedelta(minutes=5), now=now)
    book.hold("a.example", until=now + timedelta(minutes=1), now=now)

    assert book.book({ORIGIN: slots()}, now=now)[ORIGIN].first_at == now + timedelta(minutes=5)
