"""Prefect's API, and a webhook for its automations."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.workers import api_client

SECRET = "a-secret-path"


@dataclass
class Webhook:
    """A webhook with a secret in its URL: the posts it received, and the status it answers with."""

    url: str
    status: int = 204
    posted: list[dict[str, Any]] = field(default_factory=list)

    def await_posts(self, number: int, timeout_s: float = 60, *, about: str = "") -> list[dict[str, Any]]:
        """Wait for `number` posts with `about` in their subject, and return all posts; other tests' sweeps may add some."""
        deadline = time.monotonic() + timeout_s
        while len(posted := [one for one in self.posted if about in one["subject"]]) < number:
            assert time.monotonic() < deadline, self.posted
            time.sleep(0.2)
        return posted


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Webhook(f"http://127.0.0.1:{server.server_port}/{SECRET}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield hook
        server.shutdown()
        thread.join()


@pytest.fixture
def api(prefect_api_url: str) -> Iterator[httpx.Client]:
    """The server's API; a test's automations are deleted afterwards."""
    with api_client(prefect_api_url) as client:
        yield client
        for automation in client.post("/automations/filter", json={}).json():
            client.delete(f"/automations/{automation['id']}").raise_for_status()
