"""Header fields as servers really send them."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.web.headers import (
    MAX_VALUE_LENGTH,
    max_age_s,
    media_type,
    parse_retry_after,
    robots_directives,
    tdm_reservation,
)
from tests.work import calls_of

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("1.5", 1.5),
        ("-5", 0),
        ("86401", 86_400),
        ("9" * 5000, 86_400),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e3", None),
        ("12 minutes", None),
        ("٣", 3),
        ("Mon, 02 Mar 2026 12:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 12:01:00", 60),
        ("Mon, 02 Mar 2026 13:01:00 +0100", 60),
        ("Monday, 02-Mar-26 12:01:00 GMT", 60),
        ("Mon Mar  2 12:01:00 2026", 60),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0),
        ("Wed, 02 Mar 2033 11:00:00 GMT", 86_400),
        ("Mon, 99 Mar 2026 12:01:00 GMT", None),
        ("Mon, 02 Mar 99999999999999999999 12:01:00 GMT", None),
        ("\x00", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value, expected):
    assert parse_retry_after(value, now=NOW) == expected


@given(st.text())
def test_no_retry_after_raises_or_leaves_its_bounds(value):
    wait_s = parse_retry_after(value, now=NOW)

    assert wait_s is None or 0 <= wait_s <= 86_400


@given(st.integers(0, 86_400), st.integers(-12, 12))
def test_a_date_means_the_same_wait_in_every_zone(seconds, hours):
    moment = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=hours)))

    assert parse_retry_after(format_datetime(moment), now=NOW) == seconds


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("no-cache", None),
        ("max-age=300", 300),
        ("public, max-age=300, must-revalidate", 300),
        ("Max-Age = 60", 60),
        ('max-age="60"', 60),
        ("s-maxage=900", None),
        ("x-max-age=900", None),
        ("max-age=-1", None),
        ("max-age=", None),
        ("max-age=99999999999999999999999", 31_536_000),
        ("max-age=10, max-age=20", 10),
    ],
)
def test_max_age_is_read_from_its_own_directive(value, expected):
    assert max_age_s(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("text/html", "text/html"),
        ("Text/HTML; charset=UTF-8", "text/html"),
        (" application/rss+xml ;charset=utf-8", "application/rss+xml"),
        ("text/html, text/html; charset=utf-8", "text/html"),
        ("text", None),
        ("text/", None),
        ("charset=utf-8", None),
        ("text/<script>", None),
        ("text/html\x00", None),
        ("a/" + "b" * 200, None),
    ],
)
def test_a_media_type_is_lower_case_and_bare(value, expected):
    assert media_type(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("1", True),
        ("0", False),
        (" 1 ", True),
        ("0, 1", True),
        ("yes", None),
        ("10", None),
    ],
)
def test_a_reservation_is_1_or_none(value, expected):
    assert tdm_reservation(value) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], set()),
        (["noarchive"], {"noarchive"}),
        (["NoIndex, NOAI,noimageai"], {"noindex", "noai", "noimageai"}),
        (["otherbot: noindex, noarchive"], set()),
        (["noai, otherbot: noarchive"], {"noai"}),
        (["otherbot: noindex", "noarchive"], {"noarchive"}),
        (["unavailable_after: 25 Jun 2027 15:00:00 GMT, noarchive"], {"unavailable_after", "noarchive"}),
        (["unavailable_after: Fri, 25 Jun 2027 15:00:00 GMT, noai"], {"unavailable_after", "25 jun 2027 15", "noai"}),
        (["max-snippet: 50, noarchive"], {"max-snippet", "noarchive"}),
        ([",,"], set()),
    ],
)
def test_directives_for_all_crawlers_are_distinguished_from_those_for_one(values, expected):
    assert robots_directives(values) == expected


@pytest.mark.parametrize("read", [max_age_s, media_type, tdm_reservation, lambda value: robots_directives([value])])
@pytest.mark.parametrize("filling", [" ", ",", ";", "a", '"', "max-age=", "1,"])
def test_only_the_beginning_of_a_long_value_is_parsed(read, filling):
    value = filling * 100_000

    assert read(value) == read(value[:MAX_VALUE_LENGTH])
    assert calls_of(lambda: read(value)) < 10 * MAX_VALUE_LENGTH
