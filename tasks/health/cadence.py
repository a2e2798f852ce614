"""Learn from its past how often a source publishes, and when a gap is a silence. Pure.

A source's clock counts articles: it runs as fast as the source usually publishes at that hour of that weekday. If a
source publishes nothing at night or at weekends, its clock then stands still. Measured by that clock gaps are
comparable, and a gap is a silence if it is far longer than the source's earlier gaps (docs/operations.md, Watching).
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import nlargest
from itertools import accumulate, pairwise

from tasks.index.health import ArrivalDay

PAST = timedelta(days=28)
"""How much past counts before the newest article."""

LEAST_PAST = timedelta(days=14)
"""Two weeks, so that every weekday occurs twice; a source known for a shorter time is not judged."""

LEAST_ARTICLES = 10
ONCE_IN_DAYS = 1000.0
"""False alarms: a source that publishes at random, at a constant rate, would be called silent once in this many days."""

PATIENCE = 1.5
"""How much longer than the second longest past gap a gap may be; the longest may have been an outage."""

LEAST_SILENCE = timedelta(hours=3)

_HOURS = 7 * 24
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_SMOOTH = ((-1, 0.25), (0, 0.5), (1, 0.25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """A source's cadence: `clock` has the articles of a usual week up to each of its hours, from Monday 0:00 UTC.

    A gap of more than `patience` articles is a silence.
    """

    clock: tuple[float, ...]
    patience: float

    @property
    def per_day(self) -> float:
        """Return the average number of articles per day."""
        return self.clock[-1] / 7

    def read(self, at: datetime) -> float:
        """Return the reading of the source's clock at an instant, in articles."""
        weeks, rest = divmod((at - _MONDAY) / timedelta(weeks=1), 1)
        hour, part = divmod(rest * _HOURS, 1)
        before, after = self.clock[int(hour)], self.clock[min(int(hour) + 1, _HOURS)]
        return weeks * self.clock[-1] + before + part * (after - before)

    def silent_from(self, newest_at: datetime) -> datetime:
        """Return the instant from which the source is silent if it publishes nothing more."""
        # The inverse of `read`: the clock repeats weekly and is interpolated linearly between hours.
        weeks, rest = divmod(self.read(newest_at) + self.patience, self.clock[-1])
        hour = max(bisect_left(self.clock, rest), 1)
        before, after = self.clock[hour - 1], self.clock[hour]
        part = (rest - before) / (after - before) if after > before else 1.0  # an hour without articles has no slope
        reached = _MONDAY + timedelta(weeks=weeks, hours=hour - 1 + part)
        return max(reached, newest_at + LEAST_SILENCE)


def learn_cadence(days: Sequence[ArrivalDay]) -> Cadence | None:
    """Return the cadence of a source from the days on which it published, the oldest first; None if too little is known."""
    if not days or days[-1].day - days[0].day < LEAST_PAST:
        return None
    past = [one for one in days if days[-1].day - PAST <= one.day < days[-1].day]  # the newest day may be incomplete
    if sum(sum(one.hours) for one in past) < LEAST_ARTICLES:
        return None
    length = (days[-1].day - max(days[0].day, days[-1].day - PAST)).days
    clock = tuple(accumulate(_usual_week(past, last=days[-1].day, length=length), initial=0.0))
    gaps = nlargest(2, (after - before for before, after in pairwise(_readings([*past, days[-1]], clock))))
    # In a Poisson process a gap exceeds x articles with probability exp(-x); n gaps exceed ln(n) about once.
    at_random = math.log(max(math.e, ONCE_IN_DAYS * clock[-1] / 7))
    longest_but_one = gaps[1] if len(gaps) > 1 else 0.0
    return Cadence(clock=clock, patience=max(at_random, PATIENCE * longest_but_one))


def _usual_week(past: Sequence[ArrivalDay], *, last: date, length: int) -> Iterator[float]:
    """Yield the articles of each hour of a usual week: the weekday's number, spread like the hours of all days.

    An hour is smoothed with its neighbours, so that neither chance nor daylight saving time makes a sharp edge.
    """
    # Four weeks are too few for 168 separate hours, so weekdays and hours are estimated separately.
    by_hour = [sum(numbers) for numbers in zip(*(one.hours for one in past), strict=True)]
    by_weekday = [0] * 7
    for one in past:
        by_weekday[one.day.weekday()] += sum(one.hours)
    total = sum(by_hour)
    shares = [sum(part * by_hour[(hour + step) % 24] for step, part in _SMOOTH) / total for hour in range(24)]
    for weekday in range(7):
        met = len(range((last.weekday() - 1 - weekday) % 7, length, 7))  # such days among the `length` before the last
        yield from (by_weekday[weekday] / max(met, 1) * share for share in shares)


def _readings(days: Sequence[ArrivalDay], clock: Sequence[float]) -> Iterator[float]:
    """Yield the clock's reading in the middle of each hour with a publication."""
    for one in days:
        weeks, weekday = divmod((one.day - _MONDAY.date()).days, 7)
        passed, first = weeks * clock[-1], weekday * 24
        for hour, number in enumerate(one.hours, start=first):
            if number:
                yield passed + (clock[hour] + clock[hour + 1]) / 2
