"""Dates as written on the web."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.feeds.dates import EARLIEST, is_plausible, parse_instant

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-02-28T10:00:00Z", utc(2026, 2, 28, 10)),
        ("2026-02-28T10:00:00+01:00", utc(2026, 2, 28, 9)),
        ("2026-02-28T10:00:00.123456-0500", utc(2026, 2, 28, 15)),
        ("2026-02-28T10:00+05:30", utc(2026, 2, 28, 4, 30)),
        ("2026-02-28 10:00:00", utc(2026, 2, 28, 10)),
        ("2026-02-28", utc(2026, 2, 28)),
        ("2026-02", utc(2026, 2, 1)),
        ("20260228", utc(2026, 2, 28)),
        ("20260228T100000Z"[:8], utc(2026, 2, 28)),
        ("2026/02/28 10:00", utc(2026, 2, 28, 10)),
        ("Sat, 28 Feb 2026 10:00:00 GMT", utc(2026, 2, 28, 10)),
        ("Sat, 28 Feb 2026 10:00:00 +0100", utc(2026, 2, 28, 9)),
        ("Sat, 28 Feb 2026 10:00:00 EST", utc(2026, 2, 28, 15)),
        ("28 Feb 26 10:00 UT", utc(2026, 2, 28, 10)),
        ("Sat, 28 Feb 1998 10:00:00 GMT", utc(1998, 2, 28, 10)),
        ("28 Feb 98 10:00:00 GMT", utc(1998, 2, 28, 10)),
        ("Saturday, 28-Feb-26 10:00:00 GMT", utc(2026, 2, 28, 10)),
        ("Sat, 28 Feb 2026 10:00:00 +0000 (Coordinated Universal Time)", utc(2026, 2, 28, 10)),
        ("Sat,  28 February 2026 10:00", utc(2026, 2, 28, 10)),
        ("February 28, 2026", utc(2026, 2, 28)),
        ("February 28, 2026 10:00 PM", utc(2026, 2, 28, 22)),
        ("Feb 28, 2026 12:05 am", utc(2026, 2, 28, 0, 5)),
        ("Sa, 28 Feb 2026 10:00:00 MEZ", utc(2026, 2, 28, 9)),
        ("28. März 2026", utc(2026, 3, 28)),
        ("sam., 28 févr. 2026 10:00:00 +0100", utc(2026, 2, 28, 9)),
        ("28 de febrero de 2026", utc(2026, 2, 28)),
        ("28.02.2026 10:00", utc(2026, 2, 28, 10)),
        ("Sun, 31 Dec 2023 23:59:60 GMT", utc(2023, 12, 31, 23, 59, 59)),
        ("2026-02-28T24:00:00Z", utc(2026, 3, 1)),
        ("0001-01-01T00:00:00Z", utc(1, 1, 1)),
    ],
)
def test_a_written_date_is_read(text, instant):
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "   ",
        "10:30",
        "yesterday",
        "2 hours ago",
        "02/03/2026",
        "Smarch 13, 2026",
        "2026-13-01",
        "2026-02-30",
        "30 Feb 2026 10:00 GMT",
        "2026-02-28T10:00:00+99:00",
        "Sat, 28 Feb 2026 10:00:00 XYZ",
        "1772272800",
        "9" * 100_000,
        "0000-00-00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_text_that_is_not_a_date_is_none(text):
    assert parse_instant(text) is None


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(min_value=EARLIEST.replace(tzinfo=None), timezones=ZONES))
def test_dates_written_by_python_round_trip_to_the_second(instant):
    assume(instant.year < 9999)

    assert parse_instant(instant.isoformat(timespec="seconds")) == instant.replace(microsecond=0)


@given(st.text(max_size=120))
def test_no_text_raises(text):
    instant = parse_instant(text)

    assert instant is None or instant.tzinfo is UTC


@pytest.mark.parametrize(
    ("instant", "plausible"),
    [
        (NOW, True),
        (NOW + timedelta(hours=24), True),
        (NOW + timedelta(hours=25), False),
        (EARLIEST, True),
        (EARLIEST - timedelta(seconds=1), False),
    ],
)
def test_a_plausible_date_is_not_ancient_and_at_most_a_day_ahead(instant, plausible):
    assert is_plausible(instant, now=NOW) is plausible
