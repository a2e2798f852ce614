"""Hostile text from the web in a whole sweep: inert in Prefect's UI, in logs and in the terminal."""

import html
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from tests.press import Press, Story, running_press
from tests.workers import api_client

pytestmark = pytest.mark.engine

TITLES = (
    "Budget](javascript:alert(1)) [passed",
    "<script>document.body.dataset.planted = 1; alert(2)</script> Harbour",
    "<img src=x onerror=alert(3)> Bridge",
    "\x1b]0;owned\x07\x1b[31mRed\x1b[2J alert",
    "Invoice \u202egpj.exe\u202c \u2066left\u2069",
    "[![](http://127.0.0.9/beacon)](http://127.0.0.9/phish) `code` | cell | <b>bold</b> http://127.0.0.9/bare",
)
PATHS = (
    "/news/missing](javascript:alert(4)).html",
    "/news/%3Cscript%3Ealert(5)%3C/script%3E|a|b.html",
    "/news/[x](http:/127.0.0.9).html",
)


@dataclass(frozen=True)
class Planted(Story):
    """A story with a hostile title."""

    planted: str = ""

    @property
    def title(self) -> str:
        return html.escape(self.planted.replace("\x07", "").replace("\x1b", "&#27;")).replace("&amp;#27;", "&#27;")


@pytest.fixture
def press() -> Iterator[Press]:
    with running_press(sites=1, articles=0, network=44) as running:
        stories = [Planted(0, number, planted=title) for number, title in enumerate(TITLES)]
        running.stories[0] = {story.path: story for story in stories} | {path: Story(0, 90) for path in PATHS}
        running.answer = _answering(running)
        yield running


def _answering(press: Press):
    """Return `press.answer` with an announced URL that answers 404."""
    plain = press.answer

    def answer(address: str, path: str):
        if path.startswith(PATHS):
            return 404, "text/<script>alert(6)</script>", b"gone"
        return plain(address, path)

    return answer


def _faults(page: Page) -> list[str]:
    """Return the page's elements and attributes that came from the press as more than text."""
    active = "a[href^='javascript:'], img[onerror], a[href*='127.0.0.9'], img[src*='127.0.0.9'], b:text-is('bold')"
    found = [one.evaluate("element => element.outerHTML") for one in page.locator(active).all()]
    return found + (["a script ran"] if page.evaluate("document.body.dataset.planted") else [])


def _is_visible(character: str) -> bool:
    return character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Zl", "Zp"}


@pytest.fixture
def swept(press, presslake, tmp_path):
    """One sweep with human-readable output; returns the output and the run's id."""
    ended = presslake.run("ingest", "--catalogue", press.catalogue(tmp_path / "sources.yaml"))
    run_id = presslake.run("status", "--json").json()["runs"][0]["run_id"]
    return ended, run_id


@pytest.mark.browser
def test_planted_text_is_inert_in_the_ui(swept, prefect_api_url, browser: Browser):
    _, run_id = swept
    base_url, opened, asked = prefect_api_url.removesuffix("/api"), [], []
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(60_000)
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    with api_client(prefect_api_url) as api:
        wanted = {"artifacts": {"flow_run_id": {"any_": [run_id]}}}
        artifacts = api.post("/artifacts/filter", json=wanted).json()
        raw = {"key": "raw", "type": "markdown", "data": f"# sweep\n\n{TITLES[-1]}"}
        unescaped = api.post("/artifacts/", json=raw).json()

    shown, faults = "", []
    for path in (*(f"artifacts/artifact/{one['id']}" for one in artifacts), f"runs/flow-run/{run_id}"):
        page.goto(f"{base_url}/v2/{path}")
        page.get_by_text("all sources").first.wait_for()
        page.wait_for_load_state("networkidle")
        shown += page.inner_text("body")
        faults += _faults(page)

    asked_by_ours = list(asked)
    page.goto(f"{base_url}/v2/artifacts/artifact/{unescaped['id']}")
    page.get_by_role("heading", name="sweep").wait_for()
    assert _faults(page) != []  # the check works: unescaped text is found

    assert len(artifacts) >= 2
    assert "javascript:alert(4)" in shown  # present as text
    assert faults == []
    assert opened == []
    assert [url for url in asked_by_ours if "127.0.0.9" in url] == []
    page.close()


def test_planted_text_has_only_visible_characters_in_terminal_and_logs(swept, presslake, press, prefect_api_url):
    ended, run_id = swept
    outputs = [ended.out + ended.err]
    shown = [path for path in press.stories[0] if path not in PATHS][
        3:5
    ]  # escapes and direction marks only, since each trace takes 2 s
    outputs += [presslake.run("trace", press.url(0, path)).out for path in shown]
    outputs += [presslake.run(*words).out for words in (["status"], ["trace", press.url(0, PATHS[0])])]
    with api_client(prefect_api_url) as api:
        wanted = {"logs": {"flow_run_id": {"any_": [run_id]}}}
        outputs += [one["message"] for one in api.post("/logs/filter", json=wanted).json()]

    assert any("gpj.exe" in text for text in outputs)  # the titles are present as text
    assert [text for text in outputs if not all(map(_is_visible, text))] == []
