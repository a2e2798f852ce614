"""The judgement of one source: refused, silent or drifted, each reported once."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from tasks.health.drift import Drift
from tasks.health.judgement import MOST_REPORTED, Evidence, HealthState, Judgement, judge, new_alarms, worst_first
from tasks.index.health import Alarm, AlarmKind, FeedsState, Tally, TallyKind, Total, lag_bucket
from tests.health.test_cadence import BY_DAY, DAY, HOUR, MONDAY, at_random, days_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
PUBLISHED = at_random(weeks=4, a_day=48, **BY_DAY)


def tally(what: str, number: int, *, day: date = TODAY, run_id: str = "r1", kind=TallyKind.LOOK) -> Tally:
    return Tally(
        source_id="daily", day=day, kind=kind, what=what, number=number, last_at=NOW, run_id=run_id, run_number=number
    )


def total(what: str, number: int, *, in_run: int | None = None, kind=TallyKind.LOOK, source_id: str = "daily") -> Total:
    in_run = number if in_run is None else in_run
    return Total(source_id=source_id, kind=kind, what=what, number=number, recent=number, in_run=in_run, last_at=NOW)


def evidence(looks: Mapping[str, int] | None = None, **changes) -> Evidence:
    values = {
        "source_id": "daily",
        "totals": tuple(total(what, number) for what, number in (looks or {}).items()),
        "feeds": FeedsState(source_id="daily", feeds=1, failing=0, reason=None, heard_at=NOW),
        "drifts": (),
    }
    return Evidence(**(values | changes))


def alarm(kind: AlarmKind = AlarmKind.REFUSED, **changes) -> Alarm:
    return Alarm(
        **({"source_id": "daily", "kind": kind, "reason": "http_403", "looks": 1, "began_at": NOW - DAY} | changes)
    )


def judged(one: Evidence, *, now: datetime = NOW) -> Judgement:
    return judge(one, now=now)


@pytest.mark.parametrize(
    ("looks", "state"),
    [
        ({"new": 10}, HealthState.LEARNING),
        ({"http_403": 5}, HealthState.REFUSED),
        ({"http_403": 6, "new": 5}, HealthState.REFUSED),
        ({"blocked": 9, "not_modified": 1}, HealthState.REFUSED),
        ({"http_403": 5, "new": 5}, HealthState.LEARNING),
        ({"http_403": 4, "timed_out": 4, "new": 1}, HealthState.LEARNING),
        ({"not_html": 9, "index": 9}, HealthState.LEARNING),
        ({"http_403": 4}, HealthState.LEARNING),
    ],
    ids=[
        "all well",
        "all refused",
        "most refused",
        "a page that blocks",
        "half",
        "no one reason",
        "no refusals",
        "a few",
    ],
)
def test_a_source_is_refused_if_most_looks_of_a_run_fail_for_one_reason(looks, state):
    assert judged(evidence(looks)).health.state is state


def test_looks_of_other_runs_do_not_count():
    earlier = evidence(totals=(total("http_403", 9, in_run=0), total("new", 3)))

    assert judged(earlier).health.came_to == {"new": 3}
    assert judged(earlier).standing == ()


@pytest.mark.parametrize(
    ("before", "is_reported"), [(alarm(looks=1, sweeps=1), False), (alarm(looks=2, sweeps=2), True)]
)
def test_a_source_with_few_pages_is_refused_after_the_third_sweep(before, is_reported):
    began, *_ = new_alarms([judged(evidence({"http_403": 1}, alarms=(before,)))], now=NOW)

    assert [one.reason for one in began] == ["http_403"] * is_reported


def test_another_reason_of_refusal_is_a_new_alarm():
    (standing,) = judged(evidence({"http_503": 3}, alarms=(alarm(looks=4, sweeps=2),))).standing

    assert (standing.reason, standing.looks, standing.sweeps) == ("http_503", 3, 1)


def test_an_alarm_is_reported_once_and_its_end_once():
    told = alarm(looks=9, told_at=NOW - DAY)

    again = new_alarms([judged(evidence({"http_403": 9}, alarms=(told,)))], now=NOW)
    over = new_alarms([judged(evidence({"new": 9}, alarms=(told,)))], now=NOW)

    assert (again[0], again[1]) == ((), ())
    assert (over[0], over[1], over[3]) == ((), (told,), (told,))


def test_a_run_without_looks_keeps_the_alarms():
    told = alarm(looks=9, told_at=NOW - DAY)
    one = judged(evidence(alarms=(told,)))

    assert (one.standing, one.over, one.health.state) == ((told,), (), HealthState.REFUSED)


def test_persistently_failing_feeds_are_a_refusal():
    feeds = FeedsState(source_id="daily", feeds=3, failing=2, reason="feed_http_403", heard_at=None)

    assert judged(evidence(feeds=feeds)).health.detail == "2 of 3 feeds: feed_http_403"


def heard(at: datetime, **changes) -> Evidence:
    feeds = FeedsState(source_id="daily", feeds=1, failing=0, reason=None, heard_at=at)
    return evidence(arrivals=tuple(days_of(PUBLISHED)), feeds=feeds, **changes)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (PUBLISHED[-1] + HOUR, HealthState.WELL),
        (MONDAY + 28 * DAY + 6 * HOUR, HealthState.WELL),  # the next morning: nights are normally quiet
        (MONDAY + 28 * DAY + 13 * HOUR, HealthState.SILENT),
    ],
)
def test_a_source_is_silent_once_it_is_overdue_at_its_cadence(at, state):
    assert judged(heard(at), now=at).health.state is state


@pytest.mark.parametrize(
    "changes",
    [
        {"is_waiting": True},
        {"totals": (total("http_403", 9),)},
        {"feeds": FeedsState(source_id="daily", feeds=1, failing=1, reason="feed_timed_out", heard_at=NOW)},
        {"feeds": FeedsState(source_id="daily", feeds=1, failing=0, reason=None, heard_at=PUBLISHED[-1] + HOUR)},
        {"feeds": None},
    ],
    ids=["not all is fetched", "refused", "its feeds fail", "it was not asked since", "without a feed"],
)
def test_silence_is_not_reported_for_a_source_that_was_not_polled(changes):
    one = judged(evidence(arrivals=tuple(days_of(PUBLISHED)), **changes))

    assert AlarmKind.SILENT not in {alarm.kind for alarm in one.standing}


def test_a_silence_ends_with_the_next_article():
    silent = alarm(AlarmKind.SILENT, reason="nothing since", told_at=NOW)

    assert judged(heard(PUBLISHED[-1] + HOUR, alarms=(silent,))).over == (silent,)


DRIFT = Drift(source_id="daily", what="titles", before=1.0, now=0.1)


def test_a_drift_is_reported_with_its_figures():
    assert judged(evidence(drifts=(DRIFT,))).health.detail == "titles: 1, now 0.1"


def test_too_few_pages_do_not_end_a_drift():
    drifted = alarm(AlarmKind.DRIFTED, told_at=NOW)

    assert judged(evidence(drifts=None, alarms=(drifted,))).over == ()
    assert judged(evidence(drifts=(), alarms=(drifted,))).over == (drifted,)


def test_a_run_reports_a_bounded_number_of_changes_and_the_next_the_rest():
    judgements = [
        judge(Evidence(source_id=f"s{number}", totals=(total("http_403", 9),)), now=NOW)
        for number in range(MOST_REPORTED + 5)
    ]

    began, _, standing, _ = new_alarms(judgements, now=NOW)

    assert len(began) == MOST_REPORTED
    assert sum(one.told_at is None for one in standing) == 5


def test_delay_percentiles_are_reported():
    lags = {lag_bucket(timedelta(minutes=4)): 90, lag_bucket(timedelta(hours=3)): 10}
    one = judged(evidence(totals=tuple(total(what, number, kind=TallyKind.LAG) for what, number in lags.items())))

    assert one.health.lag_p50_s == 4 * 60
    assert 3 * 3600 <= one.health.lag_p95_s <= 3 * 3600 * 2**0.5


def test_sources_are_sorted_worst_first():
    well, refused = judged(evidence({"new": 1})).health, judged(evidence({"http_403": 9}, source_id="z")).health

    assert worst_first([well, refused]) == (refused, well)


def test_the_volume_covers_the_last_fourteen_days_ending_today():
    found = judged(evidence({"new": 1}, arrivals=tuple(days_of([NOW - DAY, NOW - DAY, NOW, NOW - 13 * DAY]))))

    assert found.health.volume == (1, *[0] * 11, 2, 1)
