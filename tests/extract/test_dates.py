from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.dates import is_plausible, parse_instant
from tasks.values.text.written_dates import offset_s_of, read_date

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02T06:15:00Z", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("2026-03-02T06:15:00.123Z", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("2026-03-02T06:15:00+01:00", datetime(2026, 3, 2, 6, 15, tzinfo=CET)),
        ("2026-03-02T06:15:00+0100", datetime(2026, 3, 2, 6, 15, tzinfo=CET)),
        ("2026-03-02T06:15:00 +01", datetime(2026, 3, 2, 6, 15, tzinfo=CET)),
        ("2026-03-02T00:15:00-05:30", datetime(2026, 3, 2, 0, 15, tzinfo=timezone(-timedelta(hours=5, minutes=30)))),
        ("2026-03-02 06:15", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("2026-03-02, 06:15:00 UTC", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("2026/3/2", datetime(2026, 3, 2, tzinfo=UTC)),
        ("20260302", datetime(2026, 3, 2, tzinfo=UTC)),
        ("20260302T061500Z", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 06:15:00 +0100", datetime(2026, 3, 2, 6, 15, tzinfo=CET)),
        ("Mon, 02 Mar 2026 06:15:00 GMT", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("1772432100", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("1772432100000", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("  2026-03-02 ", datetime(2026, 3, 2, tzinfo=UTC)),
        ("1899-07-14", datetime(1899, 7, 14, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read(text, instant):
    assert parse_instant(text, now=NOW) == instant


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "2026-02-30", "2026-03-02T25:00:00Z", "12", "0000-00-00", "x" * 10_000]
)
def test_an_invalid_date_is_none(text):
    assert parse_instant(text, now=NOW) is None


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "0", "0000000000", "1900-01-01", "2027-01-01", "1000-05-05"])
def test_an_implausible_date_is_none(text):
    assert parse_instant(text, now=NOW) is None


@pytest.mark.parametrize(
    "clock", ["T06:15", " 06:15:09", "T23:59:60", "T24:00:00", "T06:15:09.000", "T06:15:09.5", "T06:60:00"]
)
@pytest.mark.parametrize("zone", ["", "Z", "+00:00", "-00:00", "+0530", "-12:00", "+23:59", "+24:00", "+99:99"])
@pytest.mark.parametrize("day", ["2026-03-02", "2024-02-29", "2026-02-29", "1850-12-31", "2026-13-01"])
def test_the_fast_path_gives_the_general_parsers_result(day, clock, zone):
    written, found = read_date(f"{day}{clock}{zone}"), parse_instant(f"{day}{clock}{zone}", now=NOW)

    assert found == (written.instant if written else None)
    assert offset_s_of(found) == offset_s_of(written.instant if written else None)


def test_a_clock_may_be_a_day_ahead():
    assert is_plausible(NOW + timedelta(days=1), now=NOW)
    assert not is_plausible(NOW + timedelta(days=3), now=NOW)


@given(st.text(max_size=80))
def test_no_text_raises(text):
    found = parse_instant(text, now=NOW)

    assert found is None or found.tzinfo is not None


@given(st.integers(40_000_000, 1_790_000_000), st.integers(-14, 14))
def test_an_iso_date_round_trips(seconds, hours):
    instant = datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours)))

    assert parse_instant(instant.isoformat(), now=NOW) == instant


@pytest.mark.parametrize(
    ("text", "offset_s"),
    [
        ("2026-10-02T23:30:00+09:00", 32_400),
        ("2026-10-02T23:30:00-03:30", -12_600),
        ("Fri, 02 Oct 2026 09:00:00 -0500", -18_000),
        ("2 October 2026, 9:15 CET", 3600),
        ("2026-10-02T23:30:00Z", 0),
        ("2026-10-02T23:30:00+00:00", 0),
        ("Fri, 02 Oct 2026 09:00:00 GMT", 0),
        ("2026-10-02T23:30:00", None),
        ("2026-10-02", None),
        ("2 October 2026", None),
        ("1790000000", None),
        ("20261002093000", None),
    ],
)
def test_a_written_offset_is_distinguished_from_none(text, offset_s):
    assert offset_s_of(parse_instant(text, now=NOW)) == offset_s


def test_an_empty_date_has_no_offset():
    assert offset_s_of(None) is None
