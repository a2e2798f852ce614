from dataclasses import replace
from datetime import date, timedelta
from math import log1p

import pytest

from tasks.health.drift import MIN_PAGES, MIN_PAST_PAGES, PAST, Drift, find_drifts, find_judged
from tasks.index.drift import SourceDay

MONDAY = date(2026, 11, 23)
TODAY = MONDAY + timedelta(days=2)


def week(ago: int = 0, *, source_id: str = "daily", pages: int = 100, length: int = 3000, **changes) -> SourceDay:
    """Return a normal week: every page has all its fields."""
    usual = SourceDay(
        source_id=source_id, day=MONDAY - timedelta(weeks=ago), pages=pages, titled=pages, dated=pages, usual=pages,
        log_length=pages * log1p(length),
    )  # fmt: skip
    return replace(usual, **changes)


def test_similar_weeks_are_no_drift():
    assert find_drifts([week(2), week(1), week(0, pages=60, length=2500, dated=50)], today=TODAY) == ()


@pytest.mark.parametrize(
    ("changes", "what", "before", "now"),
    [
        ({"titled": 10}, "titles", 1.0, 0.1),
        ({"dated": 0}, "dates", 1.0, 0.0),
        ({"usual": 50}, "texts found by the usual method", 1.0, 0.5),
        ({"empty": 300}, "pages without a text", 0.0, 0.75),
        ({"length": 1000}, "characters per text", 3000, 1000),
        ({"length": 9000}, "characters per text", 3000, 9000),
    ],
)
def test_a_break_with_the_past_is_reported_with_both_figures(changes, what, before, now):
    found = find_drifts([week(2), week(1), week(0, **changes)], today=TODAY)

    assert found == (Drift(source_id="daily", what=what, before=before, now=now),)


def test_a_source_without_texts_is_reported():
    found = find_drifts([week(1), week(0, pages=0, empty=40)], today=TODAY)

    assert [(one.what, one.now) for one in found] == [("pages without a text", 1.0)]


def test_an_improvement_is_reported_too():
    assert [one.what for one in find_drifts([week(1, dated=10), week(0)], today=TODAY)] == ["dates"]


def test_a_new_layout_is_reported_on_the_first_day_with_enough_pages():
    days = [week(1), *(replace(week(), day=TODAY - timedelta(days=ago)) for ago in (1, 2, 3))]
    few, enough = (week(pages=number, titled=0, day=TODAY) for number in (MIN_PAGES - 1, MIN_PAGES))

    assert find_drifts([*days, few], today=TODAY) == ()
    assert [one.what for one in find_drifts([*days, enough], today=TODAY)] == ["titles"]


def test_pages_of_several_days_count_together():
    days = [replace(week(pages=8, titled=0), day=TODAY - timedelta(days=ago)) for ago in range(3)]

    assert [one.what for one in find_drifts([week(1), *days], today=TODAY)] == ["titles"]


def test_only_a_source_with_enough_pages_is_judged():
    assert find_judged([week(1), week(0), week(0, source_id="new")], today=TODAY) == {"daily"}


@pytest.mark.parametrize(
    "weeks",
    [
        [week(1), week(0, pages=MIN_PAGES - 1, titled=0)],
        [week(1, pages=MIN_PAST_PAGES - 1), week(0, titled=0)],
        [week(0, titled=0)],
        [week(1)],
        [week(PAST.days // 7 + 1), week(0, titled=0)],
        [],
    ],
    ids=["few pages now", "few before", "a new source", "nothing this week", "only a far past", "nothing at all"],
)
def test_too_few_pages_prove_nothing(weeks):
    assert find_drifts(weeks, today=TODAY) == ()


def test_a_few_very_long_texts_are_no_drift():
    long = week(0, log_length=97 * log1p(3000) + 3 * log1p(900_000))

    assert find_drifts([week(1), long], today=TODAY) == ()


def test_each_source_is_judged_by_its_own_past():
    weeks = [week(1), week(0), week(1, source_id="weekly", dated=0), week(0, source_id="weekly", dated=0)]

    assert find_drifts(weeks, today=TODAY) == ()


def test_the_order_of_the_weeks_does_not_matter():
    weeks = [week(1), week(0, titled=0), week(1, source_id="a"), week(0, source_id="a", dated=0)]

    assert [one.source_id for one in find_drifts(weeks[::-1], today=TODAY)] == ["a", "daily"]
