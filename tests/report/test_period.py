from datetime import UTC, datetime, timedelta

import pytest

from tasks.config.choices import Period
from tasks.health.judgement import HealthReport, HealthState, SourceHealth
from tasks.index.health import TallyKind
from tasks.report.period import sum_up, summary_line, tables, to_markdown
from tasks.values.text.escape import as_text
from tests.health.test_cadence import days_of
from tests.health.test_judgement import TODAY, tally

DAY = timedelta(days=1)
HEALTH = HealthReport(sources=(SourceHealth(source_id="daily", state=HealthState.SILENT, detail="nothing since"),))


def report(*tallies, period=Period.DAY, arrivals=()):
    return sum_up(period, tallies=tallies, arrivals=arrivals, health=HEALTH, today=TODAY)


def test_a_period_has_its_days_those_before_and_today():
    told = report(tally("new", 1), tally("new", 20, day=TODAY - DAY), tally("new", 300, day=TODAY - 2 * DAY))

    assert (told.came_to, told.before, told.today) == ({"new": 20}, {"new": 300}, {"new": 1})
    assert (told.since, told.until) == (TODAY - DAY, TODAY)


def test_a_week_has_seven_days():
    told = report(tally("new", 2, day=TODAY - 7 * DAY), tally("http_403", 1, day=TODAY - DAY), period=Period.WEEK)

    assert list(told.by_day.values()) == [{"new": 2}, *[{}] * 5, {"http_403": 1}]


def test_known_pages_are_not_counted_as_articles():
    whats = ("new", "duplicate", "near_duplicate", "excerpt", "revision", "unchanged", "not_modified", "http_404")

    assert report(*(tally(what, 1, day=TODAY - DAY) for what in whats)).articles == 4


def test_failures_are_counted_by_reason_and_source():
    told = report(tally("http_403", 3, day=TODAY - DAY), tally("new", 1, day=TODAY - DAY))

    assert ("http_403", 3, 1) in {title: rows for title, _, rows in tables(told)}["Failures"]
    assert summary_line(told) == f"1 article, {TODAY - DAY}; 75.0% of 4 looks failed"


def test_the_source_with_most_articles_comes_first_and_one_without_any_is_listed():
    lag = tally("04", 9, day=TODAY - DAY, kind=TallyKind.LAG)
    told = report(tally("new", 1, day=TODAY - DAY), lag)

    ((source_id, state, articles, before, _, failing, lags, _),) = {t: rows for t, _, rows in tables(told)}["Sources"]

    assert (source_id, state, articles, before, failing) == ("daily", "silent", 1, 0, "0 of 1")
    assert lags == "4 min / 4 min"
    assert [one.articles for one in report().sources] == [0]


@pytest.mark.parametrize("period", Period)
def test_the_markdown_has_plots_and_tables(period):
    yesterday = datetime(2026, 2, 28, 7, 30, tzinfo=UTC)
    told = report(tally("new", 2, day=TODAY - DAY), period=period, arrivals=days_of([yesterday] * 2))

    shown = to_markdown(told, HEALTH)

    assert told.by_hour[7] == 2
    assert shown.count("](data:image/svg+xml;base64,") == (1 if period is Period.DAY else 2)
    assert "| `daily` | silent | 2 | 0 |" in shown


def test_a_period_without_activity_is_reported_too():
    assert "0 articles" in to_markdown(
        sum_up(Period.WEEK, tallies=(), arrivals=(), health=HealthReport(), today=TODAY), HealthReport()
    )


def test_a_time_of_day_is_not_escaped_in_a_table_cell():
    assert "12&#58;44" not in as_text("4 Mar 12:44")
    assert as_text("4 Mar 2025 12:44") == "4 Mar 2025 12:44"
    assert as_text("http://x.example:80/") == "http&#58;//x.example&#58;80/"


def test_on_the_first_day_the_report_shows_todays_figures():
    told = report(tally("new", 6, day=TODAY))

    assert summary_line(told) == f"0 articles, {TODAY - DAY}; today so far 6 articles"
