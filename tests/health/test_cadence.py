"""The publishing cadence of sources (by day, on weekdays, in bursts, rarely): how long a gap counts as silence."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.health.cadence import LEAST_SILENCE, learn_cadence
from tasks.index.health import ArrivalDay

MONDAY = datetime(2026, 2, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def days_of(instants: Iterable[datetime]) -> list[ArrivalDay]:
    """Return publication times as the index stores them."""
    by_day: dict[object, list[datetime]] = {}
    for at in sorted(instants):
        by_day.setdefault(at.date(), []).append(at)
    return [
        ArrivalDay(
            source_id="daily",
            day=day,
            hours=tuple(Counter(at.hour for at in several)[hour] for hour in range(24)),
            newest_at=several[-1],
        )
        for day, several in by_day.items()
    ]


def at_random(*, weeks: float, a_day: float, hours=range(24), weekdays=range(7), seed=1) -> list[datetime]:
    """Return random publication times: `a_day` on each of these weekdays, within these hours."""
    chance = random.Random(seed)
    made = []
    for day in range(int(weeks * 7)):
        if (MONDAY + day * DAY).weekday() in weekdays:
            number = int(a_day) + (chance.random() < a_day % 1)
            made += [MONDAY + day * DAY + (chance.choice(hours) + chance.random()) * HOUR for _ in range(number)]
    return sorted(made)


def bursts(*, weeks: int, number: int = 20) -> list[datetime]:
    """Return `number` publication times between 7:00 and 7:20 each day."""
    return [
        MONDAY + day * DAY + 7 * HOUR + one * timedelta(minutes=1) for day in range(weeks * 7) for one in range(number)
    ]


def silence(instants: list[datetime], *, until: datetime | None = None) -> timedelta:
    """Return how long the source may be silent after its last article, or its last before `until`."""
    known = [at for at in instants if until is None or at < until]
    return learn_cadence(days_of(known)).silent_from(known[-1]) - known[-1]


def false_alarms(instants: list[datetime], *, first_days: int = 21) -> list[datetime]:
    """Return the articles published after the source was wrongly judged silent."""
    late = []
    for before, after in pairwise(instants):
        if before >= MONDAY + first_days * DAY and after - before > LEAST_SILENCE:
            known = [at for at in instants if at <= before]
            cadence = learn_cadence(days_of(known))
            if cadence and after > cadence.silent_from(before):
                late.append(after)
    return late


BY_DAY = {"hours": range(6, 22)}
ON_WEEKDAYS = {"hours": range(7, 19), "weekdays": range(5)}


@pytest.mark.parametrize(
    "instants",
    [
        at_random(weeks=6, a_day=48, **BY_DAY),
        at_random(weeks=6, a_day=20, **ON_WEEKDAYS),
        at_random(weeks=6, a_day=500),
        at_random(weeks=6, a_day=1),
        at_random(weeks=8, a_day=0.4),
        bursts(weeks=6),
    ],
    ids=["quiet at night", "quiet at weekends", "an agency", "one a day", "three a week", "one burst a day"],
)
def test_a_healthy_source_is_never_judged_silent(instants):
    assert false_alarms(instants) == []


@pytest.mark.parametrize(
    ("instants", "until", "least", "most"),
    [
        (at_random(weeks=6, a_day=48, **BY_DAY), MONDAY + 30 * DAY + 12 * HOUR, 3 * HOUR, 8 * HOUR),
        (at_random(weeks=6, a_day=48, **BY_DAY), MONDAY + 30 * DAY + 22 * HOUR, 10 * HOUR, 14 * HOUR),
        (at_random(weeks=6, a_day=20, **ON_WEEKDAYS), MONDAY + 32 * DAY + 18.5 * HOUR, 62 * HOUR, 75 * HOUR),
        (at_random(weeks=6, a_day=500), MONDAY + 30 * DAY, LEAST_SILENCE, LEAST_SILENCE),
        (at_random(weeks=6, a_day=1), MONDAY + 30 * DAY, 5 * DAY, 9 * DAY),
        (bursts(weeks=6), MONDAY + 30 * DAY, 25 * HOUR, 49 * HOUR),
    ],
    ids=["at noon", "at night", "over the weekend", "an agency", "one a day", "one burst a day"],
)
def test_silence_is_reported_when_the_source_is_overdue_at_its_cadence(instants, until, least, most):
    assert least <= silence(instants, until=until) <= most


@pytest.mark.parametrize(
    "instants",
    [[], at_random(weeks=1.9, a_day=48), at_random(weeks=4, a_day=0.3)[:9]],
    ids=["nothing", "less than two weeks", "a handful"],
)
def test_a_source_with_little_history_has_no_cadence(instants):
    assert learn_cadence(days_of(instants)) is None


def test_one_outage_does_not_increase_the_patience():
    instants = at_random(weeks=6, a_day=48, **BY_DAY)
    outage = [at for at in instants if not MONDAY + 20 * DAY < at < MONDAY + 23 * DAY]

    assert silence(outage) <= silence(instants) * 1.25


def test_a_sources_articles_per_day_are_returned():
    assert learn_cadence(days_of(at_random(weeks=6, a_day=48, **BY_DAY))).per_day == pytest.approx(48, abs=0.5)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.floats(2, 30), st.integers(0, 24 * 7 * 2))
def test_activity_time_is_monotonic_and_silence_begins_when_it_reaches_the_patience(seed, a_day, hour):
    cadence = learn_cadence(days_of(at_random(weeks=4, a_day=a_day, seed=seed, **BY_DAY)))
    at = MONDAY + hour * HOUR

    reached = cadence.silent_from(at)

    assert cadence.read(at) <= cadence.read(at + HOUR) + 1e-6
    assert reached == at + LEAST_SILENCE or cadence.read(reached) == pytest.approx(cadence.read(at) + cadence.patience)
