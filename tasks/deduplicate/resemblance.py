"""Compare two texts by their shapes. Pure, symmetric.

The parameters were measured on wire copy with labelled pairs (benchmarks/dedup.py): they match updates, corrections and
truncations of a story, but not different stories made from one template.
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
"""The length ratio below which the shorter text is an excerpt of the longer."""

MIN_STRANGERS, MAX_STRANGERS = 3, 8
"""How many stories must share a shingle for it to be furniture, and how many are compared at most."""

MOST_LOOKED_AT = 40
"""The most neighbours on one host that are searched for distinct stories."""

MIN_OWN = 40
"""The fewest shingles besides furniture for a comparison."""

MAX_EXCHANGE = 0.04
"""The largest weighted share of words that a copy may replace."""

NUMBER_WEIGHT, NAME_WEIGHT = 4.0, 2.0
"""How many words a replaced figure or name counts as."""

MIN_EXCHANGED = 2
"""Fewer replaced words are a correction."""

MIN_BALANCE = 0.4
"""Lowest ratio of the numbers of words that only one text has; below it one text truncates or continues the other."""

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
    """The resemblance of two texts. `score`: share of the smaller text's shingles that the other has."""

    relation: Relation
    score: float


def compare(one: Shape, other: Shape, *, furniture: frozenset[int] = NOTHING) -> Resemblance | None:
    """Return the relation of two texts, or None if they share too little or their figures differ.

    `furniture`: shingles that the host repeats, to ignore in both; a text with little else is not compared. Two stories from one
    template share most shingles, but each has words, figures and names of its own.
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
    exchanged = measure_replacement(one, other)
    if exchanged.is_balanced and exchanged.weight >= MAX_EXCHANGE:
        return None
    if exchanged.numbers >= (1 if exchanged.is_balanced else MIN_NUMBERS) and not have_same_numbers(one, other):
        return None
    is_whole = min(one.words, other.words) >= MIN_LENGTH_RATIO * max(one.words, other.words)
    return Resemblance(relation=Relation.NEAR_DUPLICATE if is_whole else Relation.EXCERPT, score=score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """How far two texts replace each other's words.

    Each text has at least `words` words, and `numbers` numbers, that the other lacks.

    `weight`: the weighted share of the shorter text's words; figures and names count more. `is_balanced`: whether both
    have similar numbers of own words.
    """

    words: int
    numbers: int
    weight: float
    is_balanced: bool


def measure_replacement(one: Shape, other: Shape) -> Replacement:
    """Measure how many words of one text replace words of the other.

    A truncated copy has nothing in place of what it lacks.
    """
    ours, theirs = one.vocabulary - other.vocabulary, other.vocabulary - one.vocabulary
    words, most = sorted((len(ours), len(theirs)))
    numbers = min(len(ours & one.numbers), len(theirs & other.numbers))
    names = min(len(ours & one.names), len(theirs & other.names))
    weighted = words + (NUMBER_WEIGHT - 1) * numbers + (NAME_WEIGHT - 1) * names
    return Replacement(
        words=words,
        numbers=numbers,
        weight=weighted / min(one.words, other.words) if words >= MIN_EXCHANGED else 0.0,
        is_balanced=words >= MIN_BALANCE * most,
    )


def find_furniture(text: Shape, neighbours: Iterable[Shape]) -> frozenset[int]:
    """Return the shingles that a text shares with several distinct stories of its host.

    A site repeats them on its pages (a notice, an appeal, an author's note), so they do not indicate a copy.
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
    """Whether the figures agree, if both texts have some: news of dividends, tenders and prices has fixed wording."""
    fewer = min(len(one.numbers), len(other.numbers))
    return fewer < MIN_NUMBERS or len(one.numbers & other.numbers) >= MIN_SHARED_NUMBERS * fewer


def article_time(published_at: datetime | None, first_seen_at: datetime) -> datetime:
    """Return an article's time: when it was published, if plausible, else when it was first seen."""
    if published_at is None or published_at.year <= _EPOCH_YEAR or published_at > first_seen_at + LATEST:
        return first_seen_at
    return published_at
