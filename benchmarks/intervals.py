"""Statistical confidence of benchmark figures: bootstrap intervals over sites, and the area under the curve. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.scoring import MEANS, Score, harmonic

_SEED, _RESAMPLES = 7, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A difference, and its 95% interval from resampling the sites."""

    difference: float
    low: float
    high: float


def differences(ours: Sequence[Score], theirs: Sequence[Score], sites: Sequence[str]) -> Mapping[str, Interval]:
    """Return our means minus theirs, by column. Pages of one site are resampled together, since they are alike."""
    groups: dict[str, list[int]] = {}
    for at, site in enumerate(sites):
        groups.setdefault(site, []).append(at)
    sums = [(_sums([ours[at] for at in group]), _sums([theirs[at] for at in group])) for group in groups.values()]
    whole = _difference(sums)
    draw = random.Random(_SEED)
    drawn = [_difference(draw.choices(sums, k=len(sums))) for _ in range(_RESAMPLES)]
    return {name: _interval(whole[name], sorted(one[name] for one in drawn)) for name in whole}


def area_under_curve(figures: Sequence[float], *, is_bad: Sequence[bool]) -> float | None:
    """Return the probability that a bad page has a lower figure than a good one; None if either kind is missing."""
    bad = [figure for figure, one in zip(figures, is_bad, strict=True) if one]
    good = [figure for figure, one in zip(figures, is_bad, strict=True) if not one]
    if not bad or not good:
        return None
    return sum((b < g) + (b == g) / 2 for b in bad for g in good) / (len(bad) * len(good))


def _sums(scores: Sequence[Score]) -> list[tuple[float, int]]:
    columns = ([value for one in scores if (value := getattr(one, name)) is not None] for name in MEANS)
    return [(sum(values), len(values)) for values in columns]


def _difference(sums: Sequence[tuple[list[tuple[float, int]], list[tuple[float, int]]]]) -> dict[str, float]:
    ours, theirs = (_means([pair[side] for pair in sums]) for side in (0, 1))
    return {name: ours[name] - theirs[name] for name in ours}


def _means(sums: Sequence[list[tuple[float, int]]]) -> dict[str, float]:
    means = {}
    for at, name in enumerate(MEANS):
        total, count = sum(one[at][0] for one in sums), sum(one[at][1] for one in sums)
        means[name] = total / count if count else 0.0
    return {"f1": harmonic(means["precision"], means["recall"]), **means}


def _interval(whole: float, drawn: Sequence[float]) -> Interval:
    edge = len(drawn) // 40  # 2.5% on each side
    return Interval(difference=whole, low=drawn[edge], high=drawn[-1 - edge])
