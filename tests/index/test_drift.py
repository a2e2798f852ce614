from datetime import date

import pytest

from tasks.index.drift import SourceWeek, add_weeks, find_weeks, monday_of

MONDAY = date(2026, 2, 23)
ONE = SourceWeek(source_id="daily", week=MONDAY, pages=3, empty=1, titled=3, dated=2, usual=3, log_length=24.5)


def found(index, *source_ids, since=MONDAY):
    with index.read() as tx:
        return find_weeks(tx, source_ids, since=since)


def added(index, *weeks):
    with index.write() as tx:
        add_weeks(tx, weeks)


def test_what_is_added_is_found(index):
    added(index, ONE)

    assert found(index, "daily") == [ONE]


def test_batches_add_up(index):
    added(index, ONE)
    added(index, ONE)

    assert found(index, "daily") == [
        SourceWeek(source_id="daily", week=MONDAY, pages=6, empty=2, titled=6, dated=4, usual=6, log_length=49.0)
    ]


def test_nothing_adds_nothing(index):
    added(index)

    assert found(index, "daily") == []


def test_only_the_sources_and_weeks_asked_for_are_found(index):
    old, other = date(2026, 2, 16), SourceWeek(source_id="weekly", week=MONDAY, pages=1)
    added(index, other, SourceWeek(source_id="daily", week=old, pages=1), ONE)

    assert found(index, "daily", "unknown") == [ONE]
    assert [one.week for one in found(index, "daily", since=old)] == [old, MONDAY]


@pytest.mark.parametrize("day", [date(2026, 2, 23), date(2026, 2, 25), date(2026, 3, 1)])
def test_a_week_is_named_by_its_monday(day):
    assert monday_of(day) == MONDAY
