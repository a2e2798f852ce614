"""A large number of comparisons is made before taking the lock, with the same decisions."""

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from tasks.deduplicate.neighbours import MOST_IN_LOCK, Comparisons, Neighbours, TooManyComparisons
from tasks.index.postings import KnownShape, Surroundings
from tasks.values.text.fingerprint import fingerprint_of
from tests.deduplicate.deciding import decide, published

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMMON = " ".join(f"shared{n}" for n in range(100))


def half_alike(number: int) -> str:
    """Return a text that shares half of its sentences with all others."""
    return f"{COMMON} " + " ".join(f"own{number}x{n}" for n in range(110))


class Watched:
    """An index that records its transactions."""

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


def test_a_batch_of_similar_texts_is_compared_before_the_lock(index):
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


def test_too_many_comparisons_under_the_lock_are_refused_and_those_made_are_kept():
    one, other, third = (shape(half_alike(n)) for n in (1, 2, 3))
    comparisons = Comparisons(left=1)
    found = comparisons.compare(one, other, furniture=frozenset())

    with pytest.raises(TooManyComparisons):
        comparisons.compare(one, third, furniture=frozenset())

    assert comparisons.compare(one, other, furniture=frozenset()) == found


def test_unpacked_shapes_are_freed_after_the_decisions():
    known = [
        KnownShape(article_id=f"a{n}", told_at=NOW, host="a.example", shape=shape(half_alike(n))) for n in range(5)
    ]
    neighbours = Neighbours(Surroundings(holders={}, shapes={}, full=frozenset()), Comparisons())
    for one in known:
        neighbours.enter(one)
    asked = shape(f"{half_alike(0)} and one more")

    before = neighbours.matches("b", NOW, "b.example", asked)
    are_unpacked = ["shingles" in one.shape.__dict__ for one in known]
    neighbours.pack_up()

    assert [one.article_id for one in before] == ["a0"]
    assert all(are_unpacked)
    assert not any({"shingles", "vocabulary", "numbers", "names"} & one.shape.__dict__.keys() for one in known)
    assert neighbours.matches("b", NOW, "b.example", asked) == before


def test_few_compared_shapes_are_kept_unpacked():
    neighbours = Neighbours(Surroundings(holders={}, shapes={}, full=frozenset()), Comparisons())
    known = [
        KnownShape(article_id=f"a{n}", told_at=NOW, host="a.example", shape=shape(half_alike(n))) for n in range(90)
    ]
    for one in known:
        neighbours.enter(one)

    for number in (0, 1, 2):
        neighbours.matches("b", NOW, "b.example", shape(f"{half_alike(number)} and one more"))
        unpacked = ["shingles" in one.shape.__dict__ for one in known]
        assert all(unpacked) if number < 2 else not any(unpacked)
