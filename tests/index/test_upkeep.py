"""What the index forgets by itself, once a day."""

from datetime import timedelta

from tasks.index.frontier import State
from tasks.index.upkeep import KEPT, prune_daily
from tests.index.test_frontier import announce, announcement, over


def prune(index, now):
    with index.write() as tx:
        return prune_daily(tx, now=now)


def test_rows_are_forgotten_once_a_day_and_not_more_often(index, now):
    over(index, State.GONE, now=now)
    later = now + KEPT + timedelta(days=1)

    assert [prune(index, later), prune(index, later + timedelta(hours=23))] == [1, None]
    assert prune(index, later + timedelta(hours=24)) == 0


def test_an_index_without_old_rows_loses_nothing(index, now):
    announce(index, announcement(1), now=now)

    assert prune(index, now + KEPT) == 0
