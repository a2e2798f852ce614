"""The newsroom of real pages beside the checkout, replayed on loopback; tests that need it are skipped without it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import free_port

NEWSROOM = Path(__file__).parents[1].parent / "shared/newsroom"
MISSING = "the newsroom of real pages is not beside this checkout (../shared/newsroom)"
needs_newsroom = pytest.mark.skipif(not NEWSROOM.is_dir(), reason=MISSING)
"""For tests that read its files; without them, the benchmarks use this project's own pages."""


@dataclass(frozen=True)
class Newsroom:
    """A running replay, and its first site's address."""

    url: str

    def sites(self) -> list[dict[str, Any]]:
        return httpx.get(f"{self.url}/_sites", trust_env=False).json()

    def hits(self) -> dict[str, int]:
        """Return the number of requests of each path of each site."""
        return httpx.get(f"{self.url}/_hits", trust_env=False).json()

    def touch(self, page_id: str) -> None:
        """Change a page's furniture and ETag, but not its text."""
        httpx.get(f"{self.url}/_touch", params={"id": page_id}, trust_env=False)

    def catalogue(self, path: Path) -> Path:
        """Write a catalogue of all sites with their feeds."""
        lines = ['defaults: {crawl_delay_s: 0.05, allow_networks: ["127.0.0.0/8"]}', "sources:"]
        for site in self.sites():
            name = re.sub(r"[^a-z0-9-]", "-", site["domain"].lower())
            lines += [f"  - id: {name}", f'    feeds: ["{site["feed"]}"]']
        path.write_text("\n".join(lines) + "\n")
        return path


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    if not NEWSROOM.is_dir():
        pytest.skip(MISSING)
    with serving(NEWSROOM / "pages/truth.jsonl") as running:
        yield running


class serving:  # noqa: N801 - reads as a verb where it is used
    """Serve a file of pages during the block."""

    def __init__(self, pages: Path) -> None:
        port = free_port()
        words = [sys.executable, str(NEWSROOM / "serve.py"), str(pages), "--port", str(port)]
        self._server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._url = f"http://127.1.0.1:{port}"

    def __enter__(self) -> Newsroom:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self._url}/_sites", trust_env=False)
            except httpx.TransportError:
                assert self._server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                return Newsroom(self._url)

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait(10)
