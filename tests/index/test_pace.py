"""Effects of permits on a host's pace; pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.index.pace import (
    LONGEST_DELAY_S,
    MOST_SLOWDOWN,
    Pace,
    end_at_place,
    end_permit,
    grant_at_place,
    grant_permit,
)
from tasks.values.permit import Permit, PermitEnd, PermitRequest, Wait

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOST = "a.example"


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def fresh(**known):
    return Pace(**{"next_slot_at": NOW, "turns": {}, **known})


def wish(delay_s=1.0, max_per_host=1):
    return PermitRequest(host=HOST, delay_s=delay_s, max_per_host=max_per_host, lease_s=90.0)


def give(pace, *, at=0.0, permit_id="1", **wanted):
    return grant_permit(pace, wish(**wanted), permit_id=permit_id, now=after(at))


def end(pace, *, at=0.0, permit_id="1", delay_s=1.0, elapsed_s=0.2, **said):
    permit = Permit(permit_id=permit_id, host=HOST)
    return end_permit(pace, PermitEnd(permit=permit, delay_s=delay_s, elapsed_s=elapsed_s, **said), now=after(at))


def test_the_delay_is_counted_from_the_end():
    pace, permit = give(fresh())
    pace = end(pace, at=0.7)

    assert permit == Permit(permit_id="1", host=HOST)
    assert (pace.next_slot_at, pace.turns) == (after(1.7), {})


def test_only_one_request_is_in_flight():
    pace, _ = give(fresh(), delay_s=0.0)

    _, second = give(pace, at=5, permit_id="2", delay_s=0.0)

    assert isinstance(second, Wait)


def test_as_many_requests_are_in_flight_as_allowed():
    pace, answers = fresh(), []
    for number in range(5):
        pace, answer = give(pace, at=number, permit_id=str(number), max_per_host=4)
        answers.append(type(answer))

    assert answers == [Permit, Permit, Permit, Permit, Wait]


def test_starts_are_a_delay_apart_even_with_several_in_flight():
    pace, _ = give(fresh(), max_per_host=4)

    _, second = give(pace, at=0.4, permit_id="2", max_per_host=4)

    assert second == Wait(host=HOST, wait_s=0.6, delay_s=1.0)


def test_an_expired_lease_frees_the_permit():
    pace, _ = give(fresh())

    pace, permit = give(pace, at=91, permit_id="2")

    assert isinstance(permit, Permit)
    assert set(pace.turns) == {"2"}


@pytest.mark.parametrize(
    ("known", "wanted_s", "delay_s"),
    [
        ({}, 1.0, 1.0),
        ({}, 0.0, 0.0),
        ({"crawl_delay_s": 10.0}, 1.0, 10.0),
        ({"crawl_delay_s": 0.1}, 1.0, 1.0),
        ({"latency_s": 0.9}, 0.0, 0.0),
        ({"latency_s": 4.0}, 1.0, 4.0),
        ({"slowdown": 4.0}, 1.0, 4.0),
        ({"slowdown": 4.0}, 0.0, 1.0),
        ({"slowdown": 32.0}, 10.0, LONGEST_DELAY_S),
        ({"latency_s": 500.0}, 1.0, LONGEST_DELAY_S),
        ({"slowdown": 2.0}, 600.0, 600.0),
    ],
)
def test_the_longest_delay_is_kept(known, wanted_s, delay_s):
    assert fresh(**known).delay_s(wanted_s) == delay_s


def test_busy_halves_the_rate_and_successes_restore_it():
    pace = end(fresh(), is_busy=True)
    rates = [1 / pace.delay_s(1.0)]
    for _ in range(5):
        pace = end(pace)
        rates.append(1 / pace.delay_s(1.0))

    assert rates[0] == 0.5
    assert rates == sorted(rates)
    assert rates[-1] == 1.0


def test_an_always_busy_host_is_slowed_to_a_bound():
    pace = fresh()
    for _ in range(20):
        pace = end(pace, is_busy=True)

    assert pace.slowdown == MOST_SLOWDOWN


def test_a_slow_host_gets_fewer_requests_and_a_fast_one_as_before():
    slow = fresh()
    for _ in range(8):
        slow = end(slow, elapsed_s=6.0)
    fast = slow
    for _ in range(12):
        fast = end(fast, elapsed_s=0.1)

    assert (slow.delay_s(1.0), fast.delay_s(1.0)) == (pytest.approx(6.0), 1.0)


def test_a_hold_applies_to_all_requesters():
    pace = end(fresh(), hold_s=300.0)

    assert give(pace, at=10, permit_id="2")[1] == Wait(host=HOST, wait_s=290.0, delay_s=1.0)


def test_a_shorter_hold_does_not_shorten_a_longer_one():
    pace = end(end(fresh(), hold_s=300.0), at=1, hold_s=10.0)

    assert pace.next_slot_at == after(300)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 5), st.booleans(), st.none() | st.floats(0, 20)), max_size=30),
    st.floats(0, 3),
)
def test_no_two_permits_are_closer_than_the_delay(requests, delay_s):
    pace, at, ended_at = fresh(), 0.0, None
    for pause_s, takes_s, is_busy, hold_s in requests:
        at += pause_s
        pace, answer = give(pace, at=at, delay_s=delay_s)
        if isinstance(answer, Wait):
            continue
        assert ended_at is None or at >= ended_at + delay_s - 1e-5
        at += takes_s
        ended_at = at
        pace = end(pace, at=at, delay_s=delay_s, elapsed_s=takes_s, is_busy=is_busy, hold_s=hold_s)


# Hosts that share a place


def give_there(host, place, *, at=0.0, permit_id="1", **wanted):
    return grant_at_place(host, place, wish(**wanted), permit_id=permit_id, now=after(at))


def test_a_place_gives_its_hosts_one_permit_per_delay():
    _, place, first = give_there(fresh(), fresh(), delay_s=2.0)
    other, _, second = give_there(fresh(), place, at=0.5, permit_id="2", delay_s=2.0)

    assert (type(first), type(second), second.wait_s) == (Permit, Wait, 1.5)
    assert other == fresh()  # a refused host keeps its slot


def test_a_waiting_host_uses_no_slot_of_its_place():
    _, place, answer = give_there(fresh(next_slot_at=after(9)), fresh())

    assert (answer.wait_s, place) == (9.0, fresh())


def test_a_place_uses_the_delay_of_the_host_requested_last():
    host, place, permit = give_there(fresh(crawl_delay_s=8.0), fresh())
    host, place = end_at_place(host, place, PermitEnd(permit=permit, delay_s=1.0, elapsed_s=0.2), now=after(1))

    assert (host.next_slot_at, place.next_slot_at, place.turns) == (after(9), after(9), {})


def test_a_hosts_retry_after_does_not_apply_to_its_neighbours():
    host, place, permit = give_there(fresh(), fresh())
    end_of_it = PermitEnd(permit=permit, delay_s=1.0, elapsed_s=0.2, is_busy=True, hold_s=600.0)
    host, place = end_at_place(host, place, end_of_it, now=after(1))

    assert (host.next_slot_at, place.next_slot_at) == (after(601), after(3))
