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

    `furniture` are shingles to leave out of both; a text with little else is compared with nothing.
    """
    bound = min(one.bound, other.bound)
    ours, theirs = one.sample(bound), other.sample(bound)
    if furniture:
        ours, theirs = ours - furniture, theirs - furniture
    smaller = min(len(ours), len(theirs))
    if not smaller or (furniture and smaller < MIN_OWN):
        return None
    score = len(ours & theirs) / smaller
    if score < MIN_CONTAINMENT or not have_same_numbers(one, other):
        return None
    is_whole = min(one.words, other.words) >= MIN_LENGTH_RATIO * max(one.words, other.words)
    return Resemblance(relation=Relation.NEAR_DUPLICATE if is_whole else Relation.EXCERPT, score=score)


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
    """Whether the figures agree, where both texts have some: news of dividends, tenders and prices has a fixed wording."""
    fewer = min(len(one.numbers), len(other.numbers))
    return fewer < MIN_NUMBERS or len(one.numbers & other.numbers) >= MIN_SHARED_NUMBERS * fewer


def told_at(published_at: datetime | None, first_seen_at: datetime) -> datetime:
    """Return an article's time: its publication, where that is plausible, else when it was first seen."""
    if published_at is None or published_at.year <= _EPOCH_YEAR or published_at > first_seen_at + LATEST:
        return first_seen_at
    return published_at
