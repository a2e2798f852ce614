from datetime import date, timedelta

from tasks.index.drift import SourceDay, add_days, find_days

DAY = date(2026, 2, 23)
ONE = SourceDay(source_id="daily", day=DAY, pages=3, empty=1, titled=3, dated=2, usual=3, log_length=24.5)
TWICE = SourceDay(source_id="daily", day=DAY, pages=6, empty=2, titled=6, dated=4, usual=6, log_length=49.0)


def found(index, *source_ids, since=DAY, apart=DAY):
    with index.read() as tx:
        return find_days(tx, source_ids, since=since, apart=apart)


def added(index, *days):
    with index.write() as tx:
        add_days(tx, days)


def test_added_days_are_found(index):
    added(index, ONE)

    assert found(index, "daily") == [ONE]


def test_batches_add_up(index):
    added(index, ONE)
    added(index, ONE)

    assert found(index, "daily") == [TWICE]


def test_nothing_adds_nothing(index):
    added(index)

    assert found(index, "daily") == []


def test_only_the_requested_sources_and_days_are_found(index):
    old = DAY - timedelta(days=7)
    added(index, SourceDay(source_id="weekly", day=DAY, pages=1), SourceDay(source_id="daily", day=old, pages=1), ONE)

    assert found(index, "daily", "unknown") == [ONE]
    assert [one.day for one in found(index, "daily", since=old)] == [old, DAY]


def test_past_days_are_added_up(index):
    days = [DAY + timedelta(days=number) for number in range(4)]
    added(index, *(SourceDay(source_id="daily", day=day, pages=2, log_length=0.5) for day in days))

    past, *late = found(index, "daily", apart=days[2])

    assert (past.day, past.pages, past.log_length) == (DAY, 4, 1.0)
    assert [one.day for one in late] == days[2:]
