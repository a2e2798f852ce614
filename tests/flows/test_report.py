"""The report on the past day or week: the command, and the flow with its artifact."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.report import report
from tasks.config.choices import Period
from tasks.config.parameters import ReportConfig
from tasks.config.settings import load_settings
from tasks.errors import ConfigError
from tasks.index import health
from tasks.index.database import open_index
from tasks.index.health import ArrivalDay, Tally, TallyKind
from tasks.report.recent import report_period
from tasks.runtime.resources import close_opened
from tests.browser import keep_picture
from tests.workers import api_client

HOURS = (0, 0, 0, 0, 0, 1, 4, 9, 12, 8, 6, 5, 7, 5, 4, 4, 6, 8, 5, 3, 2, 1, 0, 0)


@pytest.fixture
def settings(index_url, monkeypatch):
    """An index with two sources that were fetched daily for two weeks."""
    now = datetime.now(UTC)
    with open_index(index_url) as index, index.write() as tx:
        health.add_tallies(
            tx,
            [
                Tally(
                    source_id=source_id, day=(now - timedelta(days=ago)).date(), kind=TallyKind.LOOK, what=what, number=2,
                    last_at=now, run_id=f"r{ago}", run_number=2,
                )
                for ago in range(15)
                for source_id in ("daily", "weekly")
                for what in ("new", "http_403")
            ],
        )  # fmt: skip
        health.add_arrivals(
            tx,
            [
                ArrivalDay(source_id="daily", day=(now - timedelta(days=ago)).date(), hours=HOURS, newest_at=now)
                for ago in range(15)
            ],
        )
    monkeypatch.setenv("PRESSLAKE_INDEX", index_url)
    yield load_settings()
    close_opened()


@pytest.mark.parametrize(("config", "articles"), [
    (ReportConfig(), 4),
    (ReportConfig(period=Period.WEEK), 28),
    (ReportConfig(period=Period.WEEK, sources=("daily",)), 14),
])  # fmt: skip
def test_counts_are_added_up_for_the_period_and_the_selected_sources(settings, config, articles):
    found, _ = report_period(config, settings)

    assert (found.articles, sum(found.before.values())) == (articles, 2 * articles)


def test_an_unknown_source_is_named(settings):
    with pytest.raises(ConfigError, match="'dayly'"):
        report_period(ReportConfig(sources=("dayly",)), settings)


def shown_week(api_url):
    """Report on the week; return the flow's final state, and its artifact."""
    with temporary_settings({PREFECT_API_URL: api_url}):
        state = report(ReportConfig(period=Period.WEEK), return_state=True)
        APILogWorker.drain_all(timeout=10)  # before the server stops
    wanted = {"flow_runs": {"id": {"any_": [str(state.state_details.flow_run_id)]}}}
    with api_client(api_url) as api:
        (artifact,) = api.post("/artifacts/filter", json=wanted).json()
    return state, artifact


@pytest.mark.engine
@pytest.mark.parametrize("index_url", ["sqlite"], indirect=True)
def test_the_flow_shows_the_week_as_an_artifact(settings, prefect_api_url):
    state, artifact = shown_week(prefect_api_url)

    assert (state.name, artifact["key"]) == ("Completed", "period-report-week")
    assert artifact["data"].startswith("# 28 articles")
    assert "50.0% of 56 looks failed" in artifact["data"].replace("\\", "")


@pytest.mark.engine
@pytest.mark.browser
@pytest.mark.parametrize("index_url", ["sqlite"], indirect=True)
def test_the_ui_renders_the_week_with_its_hours(settings, prefect_api_url, browser):
    with ThreadPoolExecutor(1) as aside:  # a flow cannot run in the thread of the browser's event loop
        _, artifact = aside.submit(shown_week, prefect_api_url).result()
    with browser.new_page(viewport={"width": 1400, "height": 1400}) as page:
        page.set_default_timeout(120_000)
        page.goto(f"{prefect_api_url.removesuffix('/api')}/v2/artifacts/artifact/{artifact['id']}")
        page.get_by_role("heading", name="28 articles").first.wait_for()
        for plot in ("Visits by day", "Articles by hour"):
            page.locator(f"img[src^='data:image/svg+xml'][alt^='{plot}']").wait_for()
        keep_picture(page, "period.png")
        said = page.inner_text("body")

    assert "daily" in said
    assert "&#" not in said
