"""Takedowns and retention, killed at any time and run again beside a sweep, complete, and verify finds nothing."""

import random
import shutil
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.forget.forgetting import forget
from tasks.forget.plan import Selection
from tasks.index import frontier
from tasks.index.database import open_index
from tasks.index.frontier import Selection as Urls
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.takedowns import read_takedowns
from tasks.values.takedown import Scope
from tests.forget.searching import find_bytes
from tests.forget.test_forgetting import lonely, url_of
from tests.maintain.test_expiry import rows, tidy, tombstones

KILLS = 50


class Killed(BaseException):
    """Simulates a kill between two steps."""


class MortalStore(DirectoryStore):
    """A store that counts changes and raises Killed before or after the n-th."""

    def __init__(self, path, *, left=0, is_after=False):
        super().__init__(path)
        self.left, self.is_after, self.changes = left, is_after, 0

    def put(self, key, body, **more):
        self._change(lambda: super(MortalStore, self).put(key, body, **more))

    def delete(self, key):
        self._change(lambda: super(MortalStore, self).delete(key))

    def _change(self, change):
        self.changes += 1
        if self.changes == self.left and not self.is_after:
            raise Killed
        change()
        if self.changes == self.left:
            raise Killed


class MortalWorld:
    """A world whose maintenance uses another store."""

    def __init__(self, world, store):
        self.index, self.store = world.index, store


def take(world, store, url):
    selection = Selection(scope=Scope.URL, names=(url,))
    return forget(selection, index=world.index, store=store, now=datetime.now(UTC))


def kill_and_go_on(world, work, instants):
    """Kill the work at each of these changes in turn, then let it complete; return the number of kills."""
    killed = 0
    for left, is_after in instants:
        try:
            work(MortalStore(world.lake, left=left, is_after=is_after))
        except Killed:
            killed += 1
    work(MortalStore(world.lake))
    return killed


@contextmanager
def sweeping(world):
    """Run sweeps that refetch every URL during the block."""
    stop = threading.Event()

    def sweep():
        while not stop.is_set():
            with world.index.write() as tx:
                frontier.recall(tx, Urls(), now=datetime.now(UTC))
            world.sweep()

    beside = threading.Thread(target=sweep)
    beside.start()
    try:
        yield
    finally:
        stop.set()
        beside.join()


def quick():
    return [(left, is_after) for left in (7, 12, 16, 18) for is_after in (False, True)]


def many():
    chance = random.Random(7)
    return [(chance.randrange(1, 40), chance.random() < 0.5) for _ in range(KILLS)]


@pytest.mark.parametrize("instants", [quick(), pytest.param(many(), marks=pytest.mark.long)], ids=["few", "many"])
def test_a_repeatedly_killed_takedown_completes(world, instants):
    stories = lonely(world, 0, 2)
    needles = [needle for story in stories for needle in (story.path, *story.paragraphs)]

    for story in stories:
        killed = kill_and_go_on(world, lambda store, one=story: take(world, store, url_of(world, one)), instants)

    assert killed > 0
    assert {files[0] for files in find_bytes(world.home, needles).values()} <= {"urls.txt"}
    assert world.verify().found == {}
    assert len(read_takedowns(world.store)) >= 2


def test_a_repeatedly_killed_retention_completes(world):
    killed = kill_and_go_on(world, lambda store: tidy(MortalWorld(world, store), 21), quick())

    assert killed > 0
    is_expired(world)


@pytest.mark.long
@pytest.mark.parametrize("is_after", [False, True])
def test_a_retention_killed_at_any_change_is_completed_by_the_next(world, tmp_path, is_after):
    for number in range(1, KILLS):
        home = tmp_path / f"at-{number}"
        shutil.copytree(world.home, home)
        with open_index(f"sqlite:///{home / 'index.db'}") as index:
            copy = replace(world, home=home, index=index)
            try:
                tidy(MortalWorld(copy, MortalStore(copy.lake, left=number, is_after=is_after)), 21)
            except Killed:
                tidy(copy, 21)
                is_expired(copy)
            else:
                assert number > 10
                return


@pytest.mark.long
def test_fifty_kills_of_a_retention_beside_a_sweep_leave_nothing(world):
    chance = random.Random(5)
    killed = 0
    with sweeping(world):
        for _ in range(KILLS):
            store = MortalStore(world.lake, left=chance.randrange(1, 30), is_after=chance.random() < 0.5)
            try:
                tidy(MortalWorld(world, store), 21)
            except Killed:
                killed += 1

    assert killed > 0
    tidy(world, 22)
    is_expired(world, days=22)


def is_expired(world, days=21):
    """Whether everything has expired exactly once, without other faults."""
    again = tidy(world, days + 0.1)
    assert set(tombstones(world)) == {"expired"}
    assert {row["text"] for row in rows(world, "articles")} == {""}
    assert (again.texts_expired, again.payloads_expired) == (0, 0)
    assert world.verify(later=timedelta(days=days + 1)).found == {}


@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.long)])
def test_pages_fetched_during_the_takedown_are_not_kept(world, rounds):
    for number in range(rounds):
        story = lonely(world, number % 3, 1)[0]
        with world.index.write() as tx:  # makes the concurrent sweep refetch all URLs
            frontier.recall(tx, Urls(), now=datetime.now(UTC))
        beside = threading.Thread(target=world.sweep)
        beside.start()
        take(world, world.store, url_of(world, story))
        beside.join()
        take(world, world.store, url_of(world, story))

        found = find_bytes(world.home, [story.path, *story.paragraphs])
        assert {files[0] for files in found.values()} <= {"urls.txt"}
        assert world.verify().found == {}


@pytest.mark.long
def test_fifty_kills_of_a_takedown_beside_a_sweep_leave_nothing(world):
    stories = [story for site in range(3) for story in lonely(world, site, 4)]
    chance = random.Random(3)
    with sweeping(world):
        for number in range(KILLS):
            story = stories[number % len(stories)]
            store = MortalStore(world.lake, left=chance.randrange(1, 30), is_after=chance.random() < 0.5)
            with suppress(Killed):
                take(world, store, url_of(world, story))
    for story in stories:
        take(world, world.store, url_of(world, story))

    needles = [needle for story in stories for needle in (story.path, *story.paragraphs)]
    assert {files[0] for files in find_bytes(world.home, needles).values()} <= {"urls.txt"}
    assert world.verify().found == {}
