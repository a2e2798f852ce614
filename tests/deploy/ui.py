"""Use Prefect's UI in headless Chromium: log in, fill in the form, read the report."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import CHROMIUM, QUIET


@contextmanager
def logged_in(base_url: str, auth: str) -> Iterator[Page]:
    """Log in to the UI with the auth string; yield the page."""
    assert CHROMIUM, "Chromium is not installed here"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=Path(CHROMIUM), args=QUIET)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(f"{base_url}/v2/")
        page.wait_for_url("**/login**")  # the UI shows nothing before the login
        page.locator("input[type=password]").fill(auth)
        page.keyboard.press("Enter")
        page.get_by_text("Logout").first.wait_for()
        yield page
        browser.close()


def start_by_hand(page: Page, base_url: str, deployment_id: str, *, name: str, limit: int) -> None:
    """Fill in the deployment's form with a limit, and start the run."""
    page.goto(f"{base_url}/v2/deployments/deployment/{deployment_id}/run")
    page.get_by_text("Fetch at most this many URLs").wait_for()
    page.locator("input[name=name]").fill(name)
    for wanted in page.get_by_role("tab", name="int", exact=True).all():
        wanted.click()
    page.locator("input[type=number]").first.fill(str(limit))
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile(f"deployment/{deployment_id}(?!/run)"))


def read_report(page: Page, base_url: str, run_id: str, artifact_id: str, *, picture: Path | None) -> str:
    """Return the text of the run's report, which the run links to under Artifacts; the UI shows its newest version."""
    page.goto(f"{base_url}/v2/runs/flow-run/{run_id}")
    page.get_by_text("Artifacts").first.click()
    page.get_by_text("run-report").first.wait_for()
    page.goto(f"{base_url}/v2/artifacts/artifact/{artifact_id}")
    page.get_by_role("heading", name="Articles").first.wait_for()
    if picture:
        page.screenshot(path=picture)
    return page.inner_text("body")


def read_state(page: Page, base_url: str, run_id: str, state: str, *, picture: Path | None) -> None:
    """Check that the run's page shows the state."""
    page.goto(f"{base_url}/v2/runs/flow-run/{run_id}")
    page.get_by_text(state, exact=True).first.wait_for()
    if picture:
        page.screenshot(path=picture)
