from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.written_dates import find_date, month_of, read_date

DAY = datetime(2025, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Feb. 11, 2025", "February 11th, 2025", "11 Feb 2025", "11th of February 2025", "11. Februar 2025", "11 février 2025",
        "11 de febrero de 2025", "11 de fevereiro de 2025", "11 febbraio 2025", "11 februari 2025", "11. februar 2025",
        "11. helmikuuta 2025", "11 lutego 2025", "11. února 2025", "2025. február 11.", "11. veljače 2025", "11 Φεβρουαρίου 2025",
        "11 февраля 2025", "11 лютого 2025", "11 Şubat 2025", "11 فبراير 2025", "11 פברואר 2025", "11 בפברואר 2025", "11 फरवरी 2025", "11 Februari 2025",
        "11 tháng 2, 2025", "11 ก.พ. 2568", "2025年2月11日", "2025년 2월 11일", "2025-02-11", "2025/2/11", "2025. 2. 11.", "11.02.2025",
    ],
)  # fmt: skip
def test_a_date_is_read_in_many_languages(text):
    assert read_date(text).instant == DAY


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("Feb. 11, 2025, 4:19 PM", 16, 19),
        ("11. Februar 2025, 7.30 Uhr", 7, 30),
        ("11 février 2025 à 7h30", 7, 30),
        ("11 февраля 2025, 10:30", 10, 30),
        ("2025年2月11日 10時30分", 10, 30),
        ("2025-02-11 12:05 AM", 0, 5),
        ("20250211T101500Z", 10, 15),
    ],
)
def test_its_time_is_read(text, hour, minute):
    assert read_date(text).instant == DAY + timedelta(hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2025-02-11T10:00:00 EST", -5),
        ("2025-02-11 10:00:00 America/New_York", -5),
        ("Feb 11, 2025, 10:00 AM ET", -5),
        ("Tue, 11 Feb 2025 10:00:00 GMT+0100", 1),
        ("Tue, 11 Feb 2025 10:00:00 +0100 CET", 1),
        ("Tue Feb 11 10:00:00 CET 2025", 1),
        ("2025-02-11T10:00:00+05:30", 5.5),
    ],
)
def test_its_zone_is_read(text, hours):
    assert read_date(text).instant == datetime(2025, 2, 11, 10, tzinfo=timezone(timedelta(hours=hours)))


@pytest.mark.parametrize(
    "text",
    ["03-09-2026", "03/09/2026", "2025-02-30", "2025-02-11T25:00:00Z", "12 months of 2025", "11 foo 2025", "", "2025"],
)
def test_what_is_no_date_or_ambiguous_is_not_read(text):
    assert read_date(text) is None


@pytest.mark.parametrize(("text", "month"), [("27. listopada 2026", 10), ("27 listopada 2026", 11), ("13/02/2025", 2)])
def test_what_only_looks_ambiguous_is_read(text, month):
    assert read_date(text).instant.month == month


def test_a_date_within_a_line_is_found():
    found = find_date("Published: 11 Feb 2025 by Mara Quill")

    assert (found.start, found.end, found.has_clock) == (11, 22, False)


def test_a_word_that_begins_like_a_month_is_no_month():
    assert month_of("marzipan") is None


@given(st.text(max_size=80))
def test_no_text_raises(text):
    found = find_date(text)

    assert found is None or found.instant.tzinfo is not None
