"""The relation of two texts, by their shapes. Pure, symmetrical.

The parameters were measured on wire copy with labelled pairs (benchmarks/dedup.py): they find re-takes, corrections and
truncations of a story, and not stories of one template with other figures.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from tasks.values.text.shape import Shape

WINDOW = timedelta(days=14)
"""The longest time between two texts of one story."""

MIN_CONTAINMENT = 0.60
MIN_LENGTH_RATIO = 0.5
"""Below it the shorter text is an excerpt of the longer."""

MIN_STRANGERS, MAX_STRANGERS = 3, 8
"""How many stories must have a shingle for it to be furniture, and how many are compared at most."""

MOST_LOOKED_AT = 40
"""Neighbours of one host among which different stories are looked for."""

MIN_OWN = 40
"""The fewest shingles that must remain without the furniture."""

MAX_EXCHANGE = 0.04
"""The share of its words, weighted, in whose place a copy may have others."""

NUMBER_WEIGHT, NAME_WEIGHT = 4.0, 2.0
"""What a figure or a name counts for that is another one, in words."""

MIN_EXCHANGED = 2
"""One word for another is a correction."""

MIN_BALANCE = 0.4
"""Of the words that only one text has, the one has so many for each of the other's: else it is cut, or continued."""

NOTHING: frozenset[int] = frozenset()
MIN_NUMBERS, MIN_SHARED_NUMBERS = 2, 0.8
LATEST = timedelta(hours=24)
_EPOCH_YEAR = 1970


class Relation(StrEnum):
    """The kinds of edges between articles."""

    NEAR_DUPLICATE = "near_duplicate"
    EXCERPT = "excerpt"
    SYNDICATED = "syndicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """The resemblance of two texts; `score` is the share of the smaller one's shingles that the other has."""

    relation: Relation
    score: float


def compare(one: Shape, other: Shape, *, furniture: frozenset[int] = NOTHING) -> Resemblance | None:
    """Return the relation of two texts, or None: too little in common, or other figures.

    `furniture` are shingles that are left out of both; a text that has little beside them is compared with nothing. Two
    stories of one template share most of their shingles, and each has words, figures and names of its own.
    """
    bound = min(one.bound, other.bound)
    ours, theirs = one.sample(bound), other.sample(bound)
    if furniture:
        ours, theirs = ours - furniture, theirs - furniture
    smaller = min(len(ours), len(theirs))
    if not smaller or (furniture and smaller < MIN_OWN):
        return None
    score = len(ours & theirs) / smaller
    if score < MIN_CONTAINMENT:
        return None
    exchanged = exchange(one, other)
    if exchanged.is_balanced and exchanged.weight >= MAX_EXCHANGE:
        return None
    if exchanged.numbers >= (1 if exchanged.is_balanced else MIN_NUMBERS) and not have_same_numbers(one, other):
        return None
    is_whole = min(one.words, other.words) >= MIN_LENGTH_RATIO * max(one.words, other.words)
    return Resemblance(relation=Relation.NEAR_DUPLICATE if is_whole else Relation.EXCERPT, score=score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What two texts have in each other's place: `words` and `numbers` that each has of its own, at least so many.

    `weight` is the share of the shorter text's words, of which figures and names count for more; `is_balanced` says
    whether each has about as many of its own.
    """

    words: int
    numbers: int
    weight: float
    is_balanced: bool


def exchange(one: Shape, other: Shape) -> Exchange:
    """Return the pairs of pieces in which two texts differ. A copy that is cut has nothing for what it lacks."""
    ours, theirs = one.vocabulary - other.vocabulary, other.vocabulary - one.vocabulary
    words, most = sorted((len(ours), len(theirs)))
    numbers = min(len(ours & one.numbers), len(theirs & other.numbers))
    names = min(len(ours & one.names), len(theirs & other.names))
    weighted = words + (NUMBER_WEIGHT - 1) * numbers + (NAME_WEIGHT - 1) * names
    return Exchange(
        words=words,
        numbers=numbers,
        weight=weighted / min(one.words, other.words) if words >= MIN_EXCHANGED else 0.0,
        is_balanced=words >= MIN_BALANCE * most,
    )


def find_furniture(text: Shape, neighbours: Iterable[Shape]) -> frozenset[int]:
    """Return the shingles that a text shares with several different stories of its host.

    A site repeats these on its pages (a notice, an appeal, an author's note). They are no sign of a copy.
    """
    strangers: list[Shape] = []
    for one in islice(neighbours, MOST_LOOKED_AT):
        if all(compare(one, other) is None for other in strangers):
            strangers.append(one)
        if len(strangers) == MAX_STRANGERS:
            break
    if len(strangers) < MIN_STRANGERS:
        return NOTHING
    shared: Counter[int] = Counter()
    for other in strangers:
        bound = min(text.bound, other.bound)
        shared.update(text.sample(bound) & other.sample(bound))
    return frozenset(shingle for shingle, count in shared.items() if count >= MIN_STRANGERS)


def have_same_numbers(one: Shape, other: Shape) -> bool:
    """Whether the figures agree, if both texts have some: news of dividends, tenders and prices has a fixed wording."""
    fewer = min(len(one.numbers), len(other.numbers))
    return fewer < MIN_NUMBERS or len(one.numbers & other.numbers) >= MIN_SHARED_NUMBERS * fewer


def article_time(published_at: datetime | None, first_seen_at: datetime) -> datetime:
    """Return an article's time: its publication, if that is plausible, else when it was first seen."""
    if published_at is None or published_at.year <= _EPOCH_YEAR or published_at > first_seen_at + LATEST:
        return first_seen_at
    return published_at
