import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.index import site_answers
from tasks.index.hosts import HostLimits, prune
from tasks.index.schema import hosts, places
from tasks.values.permit import LearnedRobots, Permit, PermitEnd, PermitRequest, RobotsAnswer, Wait

ORIGIN = "https://a.example"


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def pass_s(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def limits(index, clock):
    return HostLimits(index, clock)


def wish(host="a.example", delay_s=1.0, max_per_host=1, place=None):
    return PermitRequest(host=host, delay_s=delay_s, max_per_host=max_per_host, lease_s=90.0, place=place)


def end(permit, **said):
    return PermitEnd(**{"permit": permit, "delay_s": 1.0, "elapsed_s": 0.1, **said})


def answer(now, status=200, body=b"User-agent: *\nDisallow:"):
    return RobotsAnswer(origin=ORIGIN, status=status, body=body, fetched_at=now)


def learn(limits, said, crawl_delay_s=None):
    limits.exchange_permits([], [], [LearnedRobots(answer=said, host="a.example", crawl_delay_s=crawl_delay_s)])


def test_an_unknown_host_gives_a_permit(limits):
    [permit] = limits.exchange_permits([], [wish()])

    assert (type(permit), permit.host) == (Permit, "a.example")


def test_two_requesters_get_one_permit(index, limits, clock):
    limits.exchange_permits([], [wish()])
    clock.pass_s(5)

    assert type(HostLimits(index, clock).exchange_permits([], [wish()])[0]) is Wait


def test_the_next_permit_starts_a_delay_after_the_end(limits, clock):
    [permit] = limits.exchange_permits([], [wish()])
    clock.pass_s(3)
    [wait] = limits.exchange_permits([end(permit)], [wish()])
    clock.pass_s(1)
    [second] = limits.exchange_permits([], [wish()])

    assert (wait.wait_s, type(second)) == (1.0, Permit)


def test_permit_requests_are_answered_in_order(limits):
    answers = limits.exchange_permits([], [wish("b.example"), wish("a.example"), wish("b.example")])

    assert [(type(one), one.host) for one in answers] == [
        (Permit, "b.example"),
        (Permit, "a.example"),
        (Wait, "b.example"),
    ]


def test_the_longer_of_two_delays_applies(limits, clock):
    learn(limits, answer(clock.now), crawl_delay_s=10.0)
    [permit] = limits.exchange_permits([], [wish(delay_s=1.0)])
    [wait] = limits.exchange_permits([end(permit)], [wish(delay_s=1.0)])

    assert (wait.wait_s, wait.delay_s) == (10.0, 10.0)


def test_a_hold_applies_to_all_requesters(index, limits, clock):
    [permit] = limits.exchange_permits([], [wish()])
    limits.exchange_permits([end(permit, hold_s=300.0)], [])

    assert HostLimits(index, clock).exchange_permits([], [wish()])[0].wait_s == 300.0


def test_a_hosts_state_is_persistent(index, limits, clock):
    [permit] = limits.exchange_permits([], [wish()])
    limits.exchange_permits([end(permit, elapsed_s=8.0, is_busy=True)], [])
    clock.pass_s(3600)

    [permit] = HostLimits(index, clock).exchange_permits([], [wish()])
    [wait] = limits.exchange_permits([end(permit, elapsed_s=8.0)], [wish()])

    assert wait.delay_s == pytest.approx(8.0 * 2 * 0.8)


def test_a_dead_processs_permit_is_released_at_once(index, limits, clock):
    program = (
        "import sys\n"
        "from tasks.index.database import open_index\n"
        "from tasks.index.hosts import HostLimits\n"
        "from tasks.values.permit import PermitRequest\n"
        "limits = HostLimits(open_index(sys.argv[1]))\n"
        "print(limits.exchange_permits([], [PermitRequest(host='a.example', delay_s=0, max_per_host=1, lease_s=1e6)]))\n"
    )
    url = index._engine.url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, check=True, timeout=60)
    clock.now = datetime.now(UTC)

    [permit] = limits.exchange_permits([], [wish()])

    assert b"Permit(" in done.stdout
    assert type(permit) is Permit


def test_a_live_processs_permit_is_not_released(index, limits, clock):
    limits.exchange_permits([], [wish()])
    clock.pass_s(80)

    assert type(HostLimits(index, clock).exchange_permits([], [wish()])[0]) is Wait


def test_concurrent_threads_get_only_the_available_permits(index, clock):
    answers = []

    def ask():
        limits = HostLimits(index, clock)
        answers.extend(limits.exchange_permits([], [wish(delay_s=0, max_per_host=4), wish("b.example", delay_s=0)]))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    given = [one.host for one in answers if isinstance(one, Permit)]
    assert sorted(given) == ["a.example"] * 4 + ["b.example"]


def test_the_real_clock_is_the_default(index):
    limits = HostLimits(index)
    limits.exchange_permits([], [wish(delay_s=100.0)])
    [wait] = limits.exchange_permits([], [wish(delay_s=100.0)])
    with index.read() as tx:
        next_slot_at = tx.execute(hosts.select()).mappings().one()["next_slot_at"]

    assert 90 < wait.wait_s <= 100
    assert abs((next_slot_at - datetime.now(UTC)).total_seconds() - 100) < 10


@pytest.mark.parametrize(
    ("status", "fresh_for"),
    [
        (200, timedelta(hours=24)),
        (404, timedelta(hours=24)),
        (503, timedelta(minutes=10)),
        (429, timedelta(minutes=10)),
        (None, timedelta(minutes=10)),
    ],
)
def test_robots_txt_is_cached_as_long_as_allowed(limits, clock, status, fresh_for):
    kept = answer(clock.now, status=status)
    learn(limits, kept, crawl_delay_s=None)

    clock.now += fresh_for - timedelta(seconds=1)
    before = limits.robots(ORIGIN)
    clock.pass_s(1)

    assert (before, limits.robots(ORIGIN)) == (replace(kept, age=fresh_for - timedelta(seconds=1)), None)


def test_a_new_robots_txt_replaces_the_old(limits, clock):
    learn(limits, answer(clock.now), crawl_delay_s=10.0)
    learn(limits, answer(clock.now, status=404, body=b""), crawl_delay_s=None)

    assert limits.robots(ORIGIN).status == 404
    [permit] = limits.exchange_permits([], [wish()])
    assert limits.exchange_permits([end(permit)], [wish()])[0].delay_s == 1.0


def test_an_unknown_origin_has_no_robots_txt(limits):
    assert limits.robots(ORIGIN) is None


def test_old_robots_txt_files_are_forgotten(index, limits, now):
    learn(limits, answer(now))
    with index.write() as tx:
        kept = site_answers.prune(tx, before=now - timedelta(days=1), documents_before=now - timedelta(days=1))
        forgotten = site_answers.prune(tx, before=now + timedelta(seconds=1), documents_before=now - timedelta(days=1))

    assert (kept, forgotten, limits.robots(ORIGIN)) == (0, 1, None)


# Places that hosts share


def test_hosts_of_one_place_share_one_permit_per_delay(index, limits, clock):
    [first, second] = limits.exchange_permits([], [wish("a.x.example", place="x"), wish("b.x.example", place="x")])
    clock.pass_s(0.4)
    limits.exchange_permits([end(first)], [])
    clock.pass_s(0.9)
    [early] = HostLimits(index, clock).exchange_permits([], [wish("b.x.example", place="x")])
    clock.pass_s(0.1)
    [third] = HostLimits(index, clock).exchange_permits([], [wish("b.x.example", place="x")])

    assert [type(one) for one in (first, second, early, third)] == [Permit, Wait, Wait, Permit]
    assert (early.wait_s, third.place) == (pytest.approx(0.1), "x")


def test_a_place_unused_for_long_is_forgotten(index, limits, clock):
    [permit] = limits.exchange_permits([], [wish(place="x")])
    limits.exchange_permits([end(permit)], [])
    with index.write() as tx:
        early, gone = prune(tx, before=clock.now), prune(tx, before=clock.now + timedelta(days=2))
        left = tx.execute(places.select()).all()

    assert (early, gone, left) == (0, 1, [])
