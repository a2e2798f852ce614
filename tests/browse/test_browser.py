"""In headless Chromium: hostile content does nothing, no other host is reached, axe passes, nothing is cut off at 390 px."""

import os
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tasks.browse.library import Library, open_library
from tasks.browse.searching import search_of
from tasks.search.searching import bring_up_to_date
from tests.browse.conftest import CATALOGUE
from tests.browse.filling import fill
from tests.browse.looking import KINDS, resolved_and_connected, served
from tests.browse.press import HOSTILE, NO_PRINTS, PRINTS
from tests.browser import CHROMIUM, QUIET

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("PRESSLAKE_PICTURES")  # `make pictures` keeps what is seen, for docs/
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
STORM = f"/articles/{HOSTILE[0].article_id}"
HOSTILE_PATHS = ("/", STORM, f"{STORM}/revisions", "/sources/herald", "/failures", f"/url?url={HOSTILE[0].url}",
                 "/search?q=storm", f"{STORM}/revisions/1/page")  # fmt: skip
BROWSERS_OWN = ("googleapis.com", "google.com")
"""Hosts that Chromium itself contacts."""

WIDE, NARROW = {"width": 1080, "height": 700}, {"width": 390, "height": 780}


@pytest.fixture(scope="module")
def searching(settings, tmp_path_factory) -> Library:
    return _searching(settings, tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def shown(settings, tmp_path_factory) -> Library:
    """A lake without the hostile article, for the docs' pictures."""
    home = tmp_path_factory.mktemp("shown")
    (home / "sources.yaml").write_text(CATALOGUE)
    fill(home, PRINTS, NO_PRINTS)
    places = {"lake": str(home / "lake"), "index": f"sqlite:///{home / 'index.db'}", "catalogue": home / "sources.yaml"}
    return _searching(settings.model_copy(update=places), home)


def _searching(settings, home: Path) -> Library:
    with_search = settings.model_copy(update={"search_index": home / "index"})
    bring_up_to_date(with_search, on_step=lambda *_: None)
    return open_library(with_search, search=search_of(with_search))


def test_hostile_content_does_nothing_and_no_other_host_is_reached(searching, tmp_path):
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed here")
    net_log, noises, asked = tmp_path / "net.json", [], []
    with served(searching) as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=Path(CHROMIUM),
            args=[*QUIET, f"--log-net-log={net_log}", "--net-log-capture-mode=Everything"],
        )
        page = chromium.new_page()
        page.on("dialog", lambda dialog: (noises.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: noises.append(popup.url))
        page.on("download", lambda download: noises.append(download.url))
        page.on("requestfinished", lambda request: asked.append(request.url))
        titles = [_visited(page, url + path) for path in HOSTILE_PATHS]
        page.goto(url + STORM)
        frame = page.frame_locator("iframe")
        shown_there = frame.locator("body").inner_text()
        frame.get_by_text("two").click()
        page.wait_for_timeout(300)
        where = page.url
        with suppress(Error):  # so that the log is known to show such names
            page.goto("http://control.example/")
        chromium.close()
    names, addresses = resolved_and_connected(net_log)

    assert "reached the isles at noon" in shown_there
    assert "owned" not in titles
    assert noises == []
    assert where == url + STORM
    assert {one.split("/")[2] for one in asked if not one.startswith("data:")} == {url.removeprefix("http://")}
    assert addresses == {"127.0.0.1"}
    assert {one for one in names if not one.endswith(BROWSERS_OWN)} <= {"127.0.0.1", "control.example"}
    assert "control.example" in names


def _visited(page, address: str) -> str:
    page.goto(address)
    page.wait_for_timeout(300)
    return page.title()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violations(browser: Browser, shown, scheme):
    found, complaints = {}, []
    with served(shown) as url:
        page = browser.new_page(viewport=WIDE, color_scheme=scheme)
        page.on("console", lambda message: complaints.append(message.text))
        for kind, path in KINDS.items():
            page.goto(url + path)
            if kind == "article":
                for summary in page.locator("summary").all():
                    summary.click()
            page.evaluate(AXE)
            # axe cannot run in a sandboxed frame
            result = page.evaluate("axe.run(document, {iframes: false, resultTypes: ['violations']})")
            found[kind] = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in result["violations"]]
            page.evaluate("scrollTo(0, 0)")
            _keep(page, f"browse-{kind}-{scheme}.png")
        page.close()

    assert {kind: several for kind, several in found.items() if several} == {}
    assert [one for one in complaints if "404" not in one] == []  # our own policy hinders nothing of ours


def test_nothing_is_cut_off_on_a_phone(browser: Browser, shown):
    widths = {}
    with served(shown) as url:
        page = browser.new_page(viewport=NARROW)
        for kind, path in KINDS.items():
            page.goto(url + path)
            widths[kind] = page.evaluate("document.scrollingElement.scrollWidth")
            _keep(page, f"browse-{kind}-390.png")
        page.close()

    assert {kind: width for kind, width in widths.items() if width > NARROW["width"]} == {}


def test_the_content_is_reachable_by_keyboard_with_visible_focus(browser: Browser, shown):
    with served(shown) as url:
        page = browser.new_page(viewport=WIDE)
        page.goto(url + KINDS["newest"])
        page.keyboard.press("Tab")
        first = page.evaluate("document.activeElement.textContent")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        inside = page.evaluate("document.querySelector('main').contains(document.activeElement)")
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        page.close()

    assert first == "Skip to the content"
    assert inside
    assert ring == "solid"


def _keep(page, name: str) -> None:
    if PICTURES and not name.startswith(("browse-ask", "browse-missing")):
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(200)
        height = (
            540 if "article" in name and page.viewport_size == WIDE else page.viewport_size["height"]
        )  # under 150 kB
        page.screenshot(
            path=Path(PICTURES) / name, clip={"x": 0, "y": 0, "width": page.viewport_size["width"], "height": height}
        )
