"""Finding a running server on this machine, even a busy one."""

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.server.running import find_running, findable

BUSY_S = 3


class _Busy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(BUSY_S)
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Log nothing."""


@pytest.fixture
def busy_url(tmp_path, monkeypatch) -> Iterator[str]:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Busy)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


def test_a_busy_server_is_waited_for(busy_url):
    with findable(busy_url):
        assert find_running() == busy_url
    assert find_running() is None


def test_another_server_is_not_used(busy_url):
    with findable(busy_url.removesuffix("/api")):
        assert find_running() is None


def test_a_server_whose_process_has_ended_is_not_contacted(tmp_path, monkeypatch, busy_url):
    ended = os.fork()
    if not ended:
        os._exit(0)
    os.waitpid(ended, 0)
    (tmp_path / "presslake-up.json").write_text(json.dumps({"pid": ended, "api_url": busy_url}))

    assert find_running() is None
