"""A real headless Chromium for tests: the system's, since Playwright's own would be downloaded."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

PICTURES = os.environ.get("PRESSLAKE_PICTURES")
"""The folder in which `make pictures` saves screenshots for docs/."""


def keep_picture(page: Page, name: str) -> None:
    """Save a screenshot of the page, if screenshots are wanted."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / name, animations="disabled")  # after the fade-in


@pytest.fixture(scope="module")  # no longer: while it lives, its event loop runs in this thread
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed here")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=Path(CHROMIUM), args=QUIET)
        yield chromium
        chromium.close()
