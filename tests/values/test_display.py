"""Dates, ages and counts, formatted for people."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tasks.values.display import age, counted, masked_url, moment, plural, span, sparkline, without_userinfo

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 2, 9, 17, 42, tzinfo=UTC), "9 Feb 17:42"),
        (datetime(2019, 11, 19, 17, 42, tzinfo=UTC), "19 Nov 2019 17:42"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "31 Dec 2025 23:30"),
        (None, ""),
    ],
)
def test_a_date_has_its_year_unless_it_is_the_current_one(at, text):
    assert moment(at, NOW) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(seconds=90), "90 seconds ago"),
        (timedelta(minutes=30), "30 minutes ago"),
        (timedelta(hours=47), "47 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=532), "17 months ago"),
        (timedelta(days=2600), "7 years ago"),
        (-timedelta(minutes=15), "in 15 minutes"),
    ],
)
def test_an_age_is_words(ago, text):
    assert age(NOW - ago, NOW) == text


@pytest.mark.parametrize(
    ("length", "text"), [(timedelta(seconds=1), "1 second"), (timedelta(seconds=900), "15 minutes")]
)
def test_a_span_is_shown_in_the_largest_unit_that_fits_twice(length, text):
    assert span(length) == text


def test_nouns_agree_with_their_number():
    assert [plural(n, "feed") for n in (0, 1, 2000)] == ["0 feeds", "1 feed", "2,000 feeds"]
    assert plural(3, "entry", "entries") == "3 entries"


def test_counts_leave_out_zeros():
    assert counted({"new": 1200, "revision": 0, "near_duplicate": 1}) == "1,200 new, 1 near-duplicate"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p%40ss@db/x?password=geheim&options=-csecret", "postgresql://u:***@db/x?***"),
        ("postgresql://u:p@ss@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:pa/ss@db/x", "postgresql://u:***@db/x"),
        ("sqlite:///presslake.db", "sqlite:///presslake.db"),
        ("s3://bucket/lake", "s3://bucket/lake"),
        ("lake", "lake"),
    ],
)
def test_no_secret_of_a_url_is_shown(url, shown):
    assert masked_url(url) == shown


def test_a_user_of_a_url_is_not_repeated():
    assert without_userinfo("http://user:pw@x.example/f?a=b@c") == "http://x.example/f?a=b@c"
    assert without_userinfo("http://x.example/@name") == "http://x.example/@name"


@pytest.mark.parametrize(
    ("numbers", "bars"),
    [((0, 1, 2, 3, 4, 5, 6, 7, 8), "·▁▂▃▄▅▆▇█"), ((100, 1, 50), "█▁▄"), ((7,), "█"), ((0, 0), ""), ((), "")],
)
def test_numbers_become_bars(numbers, bars):
    assert sparkline(numbers) == bars
