"""The budget of one request, and its records."""

import time

import pytest

from tasks.errors import BodyTooLarge, TimedOut
from tasks.web.budget import FRAMING_SIZE, START_SIZE, Budget


def begun(deadline_s=5.0, max_body_size=1_000_000):
    budget = Budget(deadline_s=deadline_s, max_body_size=max_body_size)
    budget.begin()
    return budget


def take(budget, received):
    budget.take(len(received), start=received[:START_SIZE])


def test_a_budget_records_the_start_and_the_end_of_a_response():
    budget = begun()
    take(budget, b"HTTP/1.1 200 OK")
    take(budget, b"more")
    so_far = (budget.start, budget.size, budget.has_ended)
    take(budget, b"")

    assert so_far == (b"HTTP/", 19, False)
    assert budget.has_ended


def test_framing_may_be_as_large_as_the_body_and_a_head():
    budget = begun(max_body_size=1000)
    take(budget, bytes(2000 + FRAMING_SIZE))

    with pytest.raises(BodyTooLarge):
        take(budget, b"a")


def test_the_time_counts_from_the_first_attempt():
    budget = Budget(deadline_s=5.0, max_body_size=1)
    time.sleep(0.01)
    waited_s = budget.time_left()
    budget.begin()

    assert waited_s == 5.0
    assert budget.time_left() < 5.0


def test_a_wait_is_cut_to_the_time_that_is_left():
    assert begun(deadline_s=1.0).time_left(60.0) <= 1.0
    assert begun(deadline_s=60.0).time_left(1.0) == 1.0


def test_a_second_attempt_has_the_octets_again_and_not_the_time():
    budget = begun(deadline_s=0.05)
    take(budget, b"HTTP/1.1 200 OK")
    time.sleep(0.06)
    budget.begin()

    assert (budget.start, budget.size) == (b"", 0)
    with pytest.raises(TimedOut):
        budget.time_left()
