"""The texts that may resemble a batch's: those in the index, and those that the batch adds. Pure.

Comparing is the most expensive part of a decision and need not happen under the lock; see `Comparisons`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from tasks.deduplicate.resemblance import MOST_LOOKED_AT, WINDOW, Relation, Resemblance, compare, find_furniture
from tasks.index.postings import KnownShape, Surroundings, sharing
from tasks.values.text.shape import Shape

MOST_NEIGHBOURS = 100
"""The most texts that one page is compared with: those that share most of its sketch."""


MOST_UNPACKED = 200
"""The most shapes kept unpacked after comparisons, at 40 to 80 kB each."""

MOST_IN_LOCK = 4000
"""The most comparisons while the index is locked: a second or two of work."""


class TooManyComparisons(Exception):
    """Too many comparisons for the lock: they are made without it, and the batch is decided again."""


@dataclass(slots=True)
class Comparisons:
    """A cache of comparisons of shapes: each pair is compared once.

    `left`: how many more may be made (None: any number), before TooManyComparisons is raised.
    """

    left: int | None = MOST_IN_LOCK
    _compared: dict[tuple[Shape, Shape, frozenset[int]], Resemblance | None] = field(default_factory=dict)
    _furniture: dict[tuple[Shape, ...], frozenset[int]] = field(default_factory=dict)

    def compare(self, one: Shape, other: Shape, *, furniture: frozenset[int]) -> Resemblance | None:
        """Return how one text resembles another, ignoring their host's furniture."""
        key = (one, other, furniture)
        if key not in self._compared:
            self._take(1)
            self._compared[key] = compare(one, other, furniture=furniture)
        return self._compared[key]

    def furniture(self, shape: Shape, others: Iterable[Shape]) -> frozenset[int]:
        """Return the shingles that a text shares with several other stories of its host."""
        looked_at = tuple(islice(others, MOST_LOOKED_AT))
        key = (shape, *looked_at)
        if key not in self._furniture:
            self._take(len(looked_at))
            self._furniture[key] = find_furniture(shape, looked_at)
        return self._furniture[key]

    def _take(self, number: int) -> None:
        if self.left is None:
            return
        self.left -= number
        if self.left < 0:
            raise TooManyComparisons


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An article whose text resembles a given one. `is_longer`: whether the article's text is the longer one."""

    article_id: str
    told_at: datetime
    relation: Relation
    score: float
    is_longer: bool


class Neighbours:
    """Shapes by the hashes of their sketches. Later texts of the batch see the shapes added before."""

    def __init__(self, surroundings: Surroundings, comparisons: Comparisons) -> None:
        self._comparisons = comparisons
        self._shapes: dict[str | int, KnownShape] = {one.article_id: one for one in surroundings.shapes.values()}
        named = {number: one.article_id for number, one in surroundings.shapes.items()}
        # an article without a shape here shares too little with the batch, but counts for hot hashes
        self._holders: dict[int, list[str | int]] = {
            value: [named.get(number, number) for number in numbers] for value, numbers in surroundings.holders.items()
        }
        self.fresh: dict[str, KnownShape] = {}
        self._unpacked: list[Shape] = []

    def article_ids(self) -> Iterable[str]:
        """Yield the articles of the index that may match."""
        return [one.article_id for one in self._shapes.values()]

    def matches(self, article_id: str, told_at: datetime, host: str, shape: Shape) -> list[Match]:
        """Return the articles that resemble a text within the window, near-duplicates first, the best match first."""
        others = self._others(article_id, told_at, shape)
        furniture = self._comparisons.furniture(shape, (one.shape for one in others if one.host == host))
        found = [
            _match(one, shape, resemblance)
            for one in others
            if (resemblance := self._comparisons.compare(shape, one.shape, furniture=furniture)) is not None
        ]
        self._note_unpacked(shape, *(one.shape for one in others))
        return sorted(
            found,
            key=lambda one: (one.relation is not Relation.NEAR_DUPLICATE, -one.score, one.told_at, one.article_id),
        )

    def pack_up(self) -> None:
        """Pack the shapes, because they are kept until the batch is stored."""
        for one in self._unpacked:
            one.pack_up()
        self._unpacked.clear()

    def _note_unpacked(self, *compared: Shape) -> None:
        """Track the shapes that a comparison unpacked; pack all of them when there are too many."""
        self._unpacked += compared
        if len(self._unpacked) > MOST_UNPACKED:
            self.pack_up()

    def enter(self, one: KnownShape) -> None:
        """Add the shape of an article's new text, replacing the old one."""
        self.leave(one.article_id)
        self._shapes[one.article_id] = self.fresh[one.article_id] = one
        for value in one.shape.sketch:
            self._holders.setdefault(value, []).append(one.article_id)

    def leave(self, article_id: str) -> None:
        """Remove the shape of an article's old text."""
        old = self._shapes.pop(article_id, None)
        for value in old.shape.sketch if old else ():
            self._holders[value] = [holder for holder in self._holders.get(value, ()) if holder != article_id]

    def _others(self, article_id: str, told_at: datetime, shape: Shape) -> list[KnownShape]:
        """Return the other articles within the window that share enough hashes, in order of time."""
        held = (self._shapes.get(holder) for holder in sharing(shape, self._holders))
        found = (
            one
            for one in held
            if one is not None
            and one.article_id != article_id
            and one.shape.algorithm == shape.algorithm
            and abs(one.told_at - told_at) <= WINDOW
        )
        return sorted(islice(found, MOST_NEIGHBOURS), key=lambda one: (one.told_at, one.article_id))


def _match(other: KnownShape, shape: Shape, found: Resemblance) -> Match:
    return Match(
        article_id=other.article_id,
        told_at=other.told_at,
        relation=found.relation,
        score=found.score,
        is_longer=other.shape.words > shape.words,
    )
