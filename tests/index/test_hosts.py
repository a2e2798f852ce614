import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from tasks.index.hosts import HostBook, prune
from tasks.index.schema import hosts
from tasks.values.permit import LearnedRobots, RobotsAnswer, Turn, TurnEnd, TurnRequest, Wait

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
def book(index, clock):
    return HostBook(index, clock)


def wish(host="a.example", delay_s=1.0, max_per_host=1):
    return TurnRequest(host=host, delay_s=delay_s, max_per_host=max_per_host, lease_s=90.0)


def end(turn, **said):
    return TurnEnd(**{"turn": turn, "delay_s": 1.0, "elapsed_s": 0.1, **said})


def answer(now, status=200, body=b"User-agent: *\nDisallow:"):
    return RobotsAnswer(origin=ORIGIN, status=status, body=body, fetched_at=now)


def learn(book, said, crawl_delay_s=None):
    book.pass_turns([], [], [LearnedRobots(answer=said, host="a.example", crawl_delay_s=crawl_delay_s)])


def test_an_unknown_host_gives_a_turn(book):
    [turn] = book.pass_turns([], [wish()])

    assert (type(turn), turn.host) == (Turn, "a.example")


def test_two_askers_get_one_turn(index, book, clock):
    book.pass_turns([], [wish()])
    clock.pass_s(5)

    assert type(HostBook(index, clock).pass_turns([], [wish()])[0]) is Wait


def test_the_next_turn_comes_a_delay_after_the_end(book, clock):
    [turn] = book.pass_turns([], [wish()])
    clock.pass_s(3)
    [wait] = book.pass_turns([end(turn)], [wish()])
    clock.pass_s(1)
    [second] = book.pass_turns([], [wish()])

    assert (wait.wait_s, type(second)) == (1.0, Turn)


def test_wishes_are_answered_in_their_order(book):
    answers = book.pass_turns([], [wish("b.example"), wish("a.example"), wish("b.example")])

    assert [(type(one), one.host) for one in answers] == [
        (Turn, "b.example"),
        (Turn, "a.example"),
        (Wait, "b.example"),
    ]


def test_the_longer_of_two_delays_counts(book, clock):
    learn(book, answer(clock.now), crawl_delay_s=10.0)
    [turn] = book.pass_turns([], [wish(delay_s=1.0)])
    [wait] = book.pass_turns([end(turn)], [wish(delay_s=1.0)])

    assert (wait.wait_s, wait.delay_s) == (10.0, 10.0)


def test_a_hold_is_for_everybody(index, book, clock):
    [turn] = book.pass_turns([], [wish()])
    book.pass_turns([end(turn, hold_s=300.0)], [])

    assert HostBook(index, clock).pass_turns([], [wish()])[0].wait_s == 300.0


def test_what_is_known_of_a_host_stays(index, book, clock):
    [turn] = book.pass_turns([], [wish()])
    book.pass_turns([end(turn, elapsed_s=8.0, is_busy=True)], [])
    clock.pass_s(3600)

    [turn] = HostBook(index, clock).pass_turns([], [wish()])
    [wait] = book.pass_turns([end(turn, elapsed_s=8.0)], [wish()])

    assert wait.delay_s == pytest.approx(8.0 * 2 * 0.8)


def test_the_turn_of_a_process_that_died_is_free_at_once(index, book, clock):
    program = (
        "import sys\n"
        "from tasks.index.database import open_index\n"
        "from tasks.index.hosts import HostBook\n"
        "from tasks.values.permit import TurnRequest\n"
        "book = HostBook(open_index(sys.argv[1]))\n"
        "print(book.pass_turns([], [TurnRequest(host='a.example', delay_s=0, max_per_host=1, lease_s=1e6)]))\n"
    )
    clock.now = datetime.now(UTC) + timedelta(seconds=5)
    url = index._engine.url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, check=True, timeout=60)

    [turn] = book.pass_turns([], [wish()])

    assert b"Turn(" in done.stdout
    assert type(turn) is Turn


def test_the_turn_of_a_process_that_lives_is_not(index, book, clock):
    book.pass_turns([], [wish()])
    clock.pass_s(80)

    assert type(HostBook(index, clock).pass_turns([], [wish()])[0]) is Wait


def test_many_threads_get_as_many_turns_as_there_are(index, clock):
    answers = []

    def ask():
        book = HostBook(index, clock)
        answers.extend(book.pass_turns([], [wish(delay_s=0, max_per_host=4), wish("b.example", delay_s=0)]))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    given = [one.host for one in answers if isinstance(one, Turn)]
    assert sorted(given) == ["a.example"] * 4 + ["b.example"]


def test_the_real_clock_is_used_without_one(index):
    book = HostBook(index)
    book.pass_turns([], [wish(delay_s=100.0)])
    [wait] = book.pass_turns([], [wish(delay_s=100.0)])
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
def test_robots_are_kept_as_long_as_they_may(book, clock, status, fresh_for):
    kept = answer(clock.now, status=status)
    learn(book, kept, crawl_delay_s=None)

    clock.now += fresh_for - timedelta(seconds=1)
    before = book.robots(ORIGIN)
    clock.pass_s(1)

    assert (before, book.robots(ORIGIN)) == (kept, None)


def test_a_new_answer_takes_the_place_of_the_old(book, clock):
    learn(book, answer(clock.now), crawl_delay_s=10.0)
    learn(book, answer(clock.now, status=404, body=b""), crawl_delay_s=None)

    assert book.robots(ORIGIN).status == 404
    [turn] = book.pass_turns([], [wish()])
    assert book.pass_turns([end(turn)], [wish()])[0].delay_s == 1.0


def test_an_origin_nobody_asked_has_no_answer(book):
    assert book.robots(ORIGIN) is None


def test_answers_that_are_old_are_forgotten(index, book, now):
    learn(book, answer(now))
    with index.write() as tx:
        kept = prune(tx, before=now - timedelta(days=1))
        forgotten = prune(tx, before=now + timedelta(seconds=1))

    assert (kept, forgotten, book.robots(ORIGIN)) == (0, 1, None)
