"""Which sitemaps of a sitemap index are polled: the newest, and those without a date in turn."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.discover.children import choose_children
from tasks.values.feed import Entry, FeedKind, FeedState

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def undated(number):
    return [Entry(url=f"https://daily.example/s-{one}.xml") for one in range(number)]


def dated(number):
    return [
        Entry(url=f"https://daily.example/d-{one}.xml", modified_at=NOW - timedelta(days=one)) for one in range(number)
    ]


def state(entry, polled_at):
    return FeedState(feed_url=entry.url, source_id="daily", kind=FeedKind.SITEMAP, due_at=NOW, polled_at=polled_at)


def sweeps(named, limit, number):
    known, asked = {}, []
    for sweep in range(number):
        chosen = choose_children(named, known, limit=limit)
        known |= {one.url: state(one, NOW + timedelta(hours=sweep)) for one in chosen}
        asked.append([one.url for one in chosen])
    return asked


def test_with_dates_the_newest_are_polled():
    assert choose_children(dated(60), {}, limit=10) == dated(60)[:10]


def test_without_dates_the_first_and_the_last_are_always_polled():
    asked = sweeps(undated(100), 10, 5)

    assert all({undated(100)[0].url, undated(100)[-1].url} <= set(one) for one in asked)


@given(number=st.integers(0, 90), limit=st.integers(2, 20))
def test_without_dates_all_are_polled_over_several_sweeps_within_the_limit(number, limit):
    asked = sweeps(undated(number), limit, 1 + 2 * number // (limit // 2 or 1))

    assert {one for sweep in asked for one in sweep} == {one.url for one in undated(number)}
    assert all(len(sweep) == len(set(sweep)) == min(number, limit) for sweep in asked)


def test_with_equal_dates_all_are_polled_in_turn():
    named = [Entry(url=one.url, modified_at=NOW) for one in undated(25)]

    asked = sweeps(named, 10, 3)

    assert {one for sweep in asked for one in sweep} == {one.url for one in named}


@pytest.mark.parametrize(
    ("known", "unknown", "chosen"), [(60, 60, (5, 5)), (3, 60, (3, 7)), (60, 2, (8, 2)), (4, 4, (4, 4))]
)
def test_dated_and_undated_sitemaps_do_not_starve_each_other(known, unknown, chosen):
    found = choose_children(dated(known) + undated(unknown), {}, limit=10)

    assert (sum(one.modified_at is not None for one in found), sum(one.modified_at is None for one in found)) == chosen
