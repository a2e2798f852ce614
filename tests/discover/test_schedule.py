"""When a feed is polled next, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.discover.schedule import (
    PollConfig,
    PollOutcome,
    fresh_count,
    next_poll,
    poll_url,
    seen_moved,
    trusts_validators,
)
from tasks.values.feed import Entry, FeedKind, FeedState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
FEED = FeedState(feed_url="https://daily.example/feed", source_id="daily", kind=FeedKind.FEED, due_at=NOW)
MIDDLE = 0.5


def wait_s(feed=FEED, jitter=MIDDLE, **outcome):
    due_at, _, _ = next_poll(
        feed, PollOutcome(**{"is_failure": False, **outcome}), now=NOW, jitter=jitter, config=PollConfig()
    )
    return (due_at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("outcome", "expected_s"),
    [
        ({"entries": 0}, DAY),
        ({"entries": 1}, DAY),
        ({"entries": 7}, 12 * HOUR),
        ({"entries": 84}, HOUR),
        ({"entries": 10_000}, 10 * MINUTE),
        ({"entries": 84, "ttl_s": 2 * HOUR}, 2 * HOUR),
        ({"entries": 84, "ttl_s": 10 * MINUTE}, HOUR),
        ({"entries": 84, "max_age_s": 3 * HOUR}, 3 * HOUR),
        ({"entries": 84, "ttl_s": 2 * HOUR, "max_age_s": 3 * HOUR}, 3 * HOUR),
        ({"entries": 84, "ttl_s": 30 * DAY}, DAY),
        ({"entries": 84, "max_age_s": 31_536_000.0}, DAY),
        ({"entries": 84, "retry_after_s": 5 * HOUR}, 5 * HOUR),
        ({"pace_s": HOUR}, HOUR),
        ({"pace_s": 1.0}, 10 * MINUTE),
    ],
)
def test_the_longest_hint_within_bounds_decides(outcome, expected_s):
    assert wait_s(**outcome) == pytest.approx(expected_s)


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.9), (0.5, 1.0), (1.0, 1.1)])
def test_jitter_is_at_most_a_tenth(jitter, share):
    assert wait_s(entries=84, jitter=jitter) == pytest.approx(share * HOUR)


@pytest.mark.parametrize(
    ("failures", "expected_s"),
    [(0, 2 * HOUR), (1, 4 * HOUR), (2, 8 * HOUR), (3, 16 * HOUR), (4, DAY), (10, DAY), (5000, DAY)],
)
def test_failures_double_the_wait_up_to_a_day(failures, expected_s):
    feed = replace(FEED, interval_s=HOUR, failures=failures)

    assert wait_s(feed, is_failure=True) == pytest.approx(expected_s)


def test_a_feed_that_fails_its_first_poll_is_retried_soon():
    assert wait_s(is_failure=True) == pytest.approx(20 * MINUTE)


def test_a_failure_is_counted_and_keeps_the_interval():
    _, interval_s, failures = next_poll(
        replace(FEED, interval_s=HOUR, failures=2),
        PollOutcome(is_failure=True),
        now=NOW,
        jitter=MIDDLE,
        config=PollConfig(),
    )

    assert (interval_s, failures) == (HOUR, 3)


def test_a_success_resets_the_failure_count():
    feed = replace(FEED, interval_s=HOUR, failures=9)

    _, _, failures = next_poll(
        feed, PollOutcome(is_failure=False, entries=84), now=NOW, jitter=MIDDLE, config=PollConfig()
    )

    assert failures == 0


def test_an_unread_feed_keeps_its_interval():
    feed = replace(FEED, interval_s=3 * HOUR)

    due_at, interval_s, _ = next_poll(feed, PollOutcome(is_failure=False), now=NOW, jitter=MIDDLE, config=PollConfig())

    assert (due_at, interval_s) == (NOW + timedelta(hours=3), 3 * HOUR)


def test_jitter_does_not_accumulate_over_unchanged_polls():
    feed = replace(FEED, interval_s=3 * HOUR)
    for _ in range(50):
        due_at, interval_s, _ = next_poll(feed, PollOutcome(is_failure=False), now=NOW, jitter=1.0, config=PollConfig())
        feed = replace(feed, interval_s=interval_s)

    assert (due_at - NOW).total_seconds() == pytest.approx(3.3 * HOUR)


def test_retry_after_is_a_lower_bound_of_the_wait():
    assert wait_s(is_failure=True, retry_after_s=7 * HOUR) == pytest.approx(7 * HOUR)
    assert wait_s(is_failure=True, retry_after_s=1.0) == pytest.approx(20 * MINUTE)


def test_a_host_that_asks_to_wait_only_defers_its_feeds():
    feed = replace(FEED, interval_s=HOUR, failures=2)
    until = NOW + timedelta(minutes=3)

    later = next_poll(
        feed, PollOutcome(is_failure=False, retry_after_at=until), now=NOW, jitter=MIDDLE, config=PollConfig()
    )

    assert later == (until, HOUR, 2)


def test_a_gone_feed_is_never_due():
    due_at, _, _ = next_poll(
        FEED, PollOutcome(is_failure=True, is_gone=True), now=NOW, jitter=MIDDLE, config=PollConfig()
    )

    assert due_at is None


@given(
    entries=st.none() | st.integers(0, 10**6),
    ttl_s=st.none() | st.floats(0, 1e9),
    max_age_s=st.none() | st.floats(0, 1e9),
    interval_s=st.none() | st.floats(600, 86_400),
    failures=st.integers(0, 10**6),
    is_failure=st.booleans(),
    jitter=st.floats(0, 1),
)
def test_every_wait_lies_within_the_bounds(entries, ttl_s, max_age_s, interval_s, failures, is_failure, jitter):
    feed = replace(FEED, interval_s=interval_s, failures=failures)

    waited_s = wait_s(feed, jitter=jitter, is_failure=is_failure, entries=entries, ttl_s=ttl_s, max_age_s=max_age_s)

    assert 0.9 * 600 - 1e-3 <= waited_s <= 1.1 * DAY + 1e-3


def test_entries_of_the_last_week_and_those_without_a_date_are_fresh():
    ages = {"today": NOW, "six days": NOW - timedelta(days=6), "eight days": NOW - timedelta(days=8), "undated": None}
    entries = [Entry(url=f"https://daily.example/{name}", published_at=at) for name, at in ages.items()]
    changed = Entry(url="https://daily.example/changed", modified_at=NOW - timedelta(days=30))

    assert fresh_count([one.published_at or one.modified_at for one in [*entries, changed]], now=NOW) == 3


NEW_PLACE = "https://daily.example/rss"


def test_a_permanent_redirect_is_accepted_after_three_consecutive_sightings():
    feed, asked = FEED, []
    for _ in range(4):
        asked.append(poll_url(feed))
        moved_to, sightings = seen_moved(feed, NEW_PLACE if poll_url(feed) == FEED.feed_url else None)
        feed = replace(feed, moved_to=moved_to, sightings=sightings)

    assert asked == [FEED.feed_url] * 3 + [NEW_PLACE]
    assert poll_url(feed) == NEW_PLACE


@pytest.mark.parametrize(
    ("sightings", "moved_to", "expected"),
    [
        (0, None, (None, 0)),
        (2, None, (None, 0)),
        (2, "https://daily.example/other", ("https://daily.example/other", 1)),
        (2, NEW_PLACE, (NEW_PLACE, 3)),
        (3, None, (NEW_PLACE, 3)),
        (3, "https://daily.example/other", ("https://daily.example/other", 1)),
    ],
)
def test_a_redirect_to_a_different_url_restarts_the_count(sightings, moved_to, expected):
    feed = replace(FEED, moved_to=NEW_PLACE if sightings else None, sightings=sightings)

    assert seen_moved(feed, moved_to) == expected


def test_a_sources_bounds_apply():
    bounds = PollConfig(shortest_s=60.0, longest_s=300.0)
    asked = {
        "busy": PollOutcome(is_failure=False, entries=10**6),
        "asleep": PollOutcome(is_failure=False, entries=0),
        "wishful": PollOutcome(is_failure=False, ttl_s=DAY),
        "failing": PollOutcome(is_failure=True),
    }
    feed = replace(FEED, interval_s=HOUR, failures=9)

    waits_s = {
        name: (next_poll(feed, outcome, now=NOW, jitter=MIDDLE, config=bounds)[0] - NOW).total_seconds()
        for name, outcome in asked.items()
    }

    assert waits_s == {"busy": 60.0, "asleep": 300.0, "wishful": 300.0, "failing": 300.0}


@pytest.mark.parametrize(
    ("interval_s", "doubted"),
    [
        (21_600.0, {3, 7, 11}),  # four polls are a day
        (86_400.0, {3, 4, 5, 6, 7, 8, 9, 10, 11}),
        (600.0, {3}),
        (None, {3, 4, 5, 6, 7, 8, 9, 10, 11}),
    ],
)
def test_a_feed_without_news_is_requested_unconditionally_once_a_day(interval_s, doubted):
    states = [replace(FEED, interval_s=interval_s, unchanged=number) for number in range(12)]

    assert {one.unchanged for one in states if not trusts_validators(one)} == doubted
