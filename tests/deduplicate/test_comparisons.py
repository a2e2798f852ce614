"""Comparing comes before the lock where there is much of it, and decides the same."""

from contextlib import contextmanager

import pytest

from tasks.deduplicate.neighbours import MOST_IN_LOCK, Comparisons, TooManyComparisons
from tasks.values.text.fingerprint import fingerprint_of
from tests.deduplicate.deciding import decide, published

COMMON = " ".join(f"shared{n}" for n in range(100))


def half_alike(number: int) -> str:
    """A text of which half is in all the others."""
    return f"{COMMON} " + " ".join(f"own{number}x{n}" for n in range(110))


class Watched:
    """An index that notes how it is opened."""

    def __init__(self, index):
        self._index, self.opened = index, []

    def __getattr__(self, name):
        return getattr(self._index, name)

    @contextmanager
    def read(self):
        self.opened.append("read")
        with self._index.read() as tx:
            yield tx

    @contextmanager
    def write(self, **options):
        self.opened.append("write")
        with self._index.write(**options) as tx:
            yield tx


def shape(text: str):
    return fingerprint_of(text).shape


def test_a_batch_of_which_half_agrees_is_compared_before_the_lock(index):
    watched = Watched(index)
    looks = {f"a.example/{n}": half_alike(n) for n in range(95)}
    announcing = ["write"]

    report = decide(watched, "b1", looks)

    assert watched.opened == [*announcing, "write", "read", "write"]
    assert report.articles == {"new": 95}
    assert len(published(index)) == 95


def test_an_ordinary_batch_is_decided_in_one_transaction(index):
    watched = Watched(index)

    decide(watched, "b1", {f"a.example/{n}": half_alike(n) for n in range(9)})

    assert watched.opened == ["write", "write"]


def test_a_pair_is_compared_once():
    one, other = shape(half_alike(1)), shape(half_alike(2))
    comparisons = Comparisons()

    first = comparisons.compare(one, other, furniture=frozenset())
    again = comparisons.compare(shape(half_alike(1)), shape(half_alike(2)), furniture=frozenset())

    assert first == again
    assert comparisons.left == MOST_IN_LOCK - 1


def test_what_is_too_much_for_the_lock_is_refused_and_what_was_compared_is_kept():
    one, other, third = (shape(half_alike(n)) for n in (1, 2, 3))
    comparisons = Comparisons(left=1)
    found = comparisons.compare(one, other, furniture=frozenset())

    with pytest.raises(TooManyComparisons):
        comparisons.compare(one, third, furniture=frozenset())

    assert comparisons.compare(one, other, furniture=frozenset()) == found
