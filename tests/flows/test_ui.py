"""A run and the run form in Prefect's UI, in a real browser."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser

from tasks.config.catalogue import Catalogue
from tests.browser import keep_picture
from tests.press import running_press
from tests.workers import api_client, deploy_file

pytestmark = [pytest.mark.engine, pytest.mark.browser]


@pytest.fixture
def page(browser: Browser):
    opened = browser.new_page(viewport={"width": 1400, "height": 1000})
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()


def test_the_ui_shows_the_run_with_its_report(presslake, prefect_api_url, page, tmp_path):
    with running_press(sites=3, articles=6) as press:
        press.stories[2] = {f"{path}?gone": story for path, story in press.stories[2].items()}
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        catalogue.write_text(catalogue.read_text() + f'    urls: ["{press.url(2, "/news/missing.html")}"]\n')
        summary = presslake.ingest("--catalogue", catalogue)

    page.goto(f"{prefect_api_url.removesuffix('/api')}/runs/flow-run/{summary['run_id']}")
    page.get_by_text("CompletedWithFailures").first.wait_for()
    keep_picture(page, "run.png")
    page.get_by_text("Artifacts").first.click()
    page.get_by_text("run-report").first.click()
    page.get_by_role("heading", name="fetched").first.wait_for()
    keep_picture(page, "report.png")
    report = page.inner_text("body")
    plot_width = page.locator("img[src^='data:image/svg+xml']").first.evaluate("image => image.naturalWidth")
    page.goto(
        f"{prefect_api_url.removesuffix('/api')}/v2/artifacts/artifact/{_artifact(prefect_api_url, summary['run_id'])}"
    )
    page.get_by_text("stored after").first.wait_for()
    keep_picture(page, "health.png")
    health = page.inner_text("table")

    assert f"{summary['fetched']} fetched" in report
    assert "http_404" in report
    assert plot_width == 640
    assert [source for source in ("site-0", "site-1", "site-2") if source not in health] == []


def _artifact(api_url: str, run_id: str) -> str:
    wanted = {"flow_runs": {"id": {"any_": [run_id]}}, "artifacts": {"key": {"any_": ["source-health"]}}}
    with api_client(api_url) as api:
        (artifact,) = api.post("/artifacts/filter", json=wanted).json()
    return artifact["id"]


def test_the_run_form_polls_every_feed_by_default(prefect_api_url, page):
    deploy_file({**os.environ, "PREFECT_API_URL": prefect_api_url})
    with api_client(prefect_api_url) as api:
        deployment = api.get("/deployments/name/ingest/sweep").json()
    page.set_viewport_size({"width": 1400, "height": 1360})

    page.goto(f"{prefect_api_url.removesuffix('/api')}/v2/deployments/deployment/{deployment['id']}/run")
    page.get_by_text("Poll only the feeds that are due").wait_for()
    switches = [one.get_attribute("aria-checked") for one in page.get_by_role("switch").all()]
    keep_picture(page, "form.png")

    assert switches[:4] == ["false"] * 4  # due only, refetch, force, dry run; the next switch is Prefect's


def _offered(api_url: str, catalogue: Catalogue) -> str:
    """Create a deployment whose form offers a catalogue's sources, as `up` does; return its id.

    A run of a source that is not offered is accepted too.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings
    from prefect.types.entrypoint import EntrypointType

    from flows.ingest import ingest
    from flows.server.up import offer_sources

    with temporary_settings({PREFECT_API_URL: api_url}), get_client(sync_client=True) as client:
        deployment_id = ingest.to_deployment("offering", entrypoint_type=EntrypointType.MODULE_PATH).apply()
        offer_sources(client, deployment_id, catalogue)
        run = client.create_flow_run_from_deployment(deployment_id, parameters={"config": {"sources": ["added-since"]}})
        client.delete_flow_run(run.id)
    return str(deployment_id)


def test_the_form_of_up_offers_the_catalogues_sources(prefect_api_url, page):
    catalogue = Catalogue.model_validate({"sources": [{"id": "daily"}, {"id": "weekly"}]})
    with ThreadPoolExecutor(1) as thread:  # the browser's event loop runs in this thread
        deployment_id = thread.submit(_offered, prefect_api_url, catalogue).result()

    page.goto(f"{prefect_api_url.removesuffix('/api')}/v2/deployments/deployment/{deployment_id}/run")
    page.get_by_text("Ids of sources in the catalogue").wait_for()
    page.get_by_label("Select Sources").click()
    page.get_by_role("option").first.wait_for()
    keep_picture(page, "form-up.png")
    offered = page.get_by_role("option").all_inner_texts()

    assert [one for one in offered if one in {"daily", "weekly"}] == ["daily", "weekly"]
