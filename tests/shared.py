"""One server of each kind for the whole run, for any number of pytest-xdist workers, started on first use.

Workers ask the controlling process, which starts the named server, returns the same URL to all, and stops the servers
after the last worker. Without workers the session runs the servers itself.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.engine import started_prefect
from tests.postgres import started_postgres
from tests.servers import started_ceph, started_moto

KINDS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "prefect": started_prefect,
    "postgresql": started_postgres,
    "moto": started_moto,
    "ceph": started_ceph,
}
PATIENCE_S = 600
"""How long a worker waits for a server: longer than any of them takes on a busy machine."""


class Servers:
    """The running servers, by kind; each is started on first use."""

    def __init__(self, running: ExitStack) -> None:
        self._running = running
        self._urls: dict[str, str] = {}
        self._turns = {kind: threading.Lock() for kind in KINDS}

    def url(self, kind: str) -> str:
        with self._turns[kind]:
            if kind not in self._urls:
                self._urls[kind] = self._running.enter_context(KINDS[kind]())
            return self._urls[kind]


@contextmanager
def lent(servers: Servers) -> Iterator[str]:
    """Serve the URLs of the servers to other processes, over HTTP on loopback; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, body = 200, servers.url(self.path.removeprefix("/"))
            except Exception as error:  # noqa: BLE001 - the worker that asked shows it
                status, body = 500, repr(error)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as desk:
        thread = threading.Thread(target=desk.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{desk.server_port}"
        finally:
            desk.shutdown()
            thread.join()


DESK = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Pass the address to a worker; runs in the controlling process before each worker starts."""
    config = node.config
    if DESK not in config.stash:
        running = ExitStack()
        config.add_cleanup(running.close)
        config.stash[DESK] = running.enter_context(lent(Servers(running)))
    node.workerinput["desk"] = config.stash[DESK]


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """A function from a kind to the URL of the run's server."""
    desk = getattr(request.config, "workerinput", {}).get("desk")
    if desk is not None:
        yield lambda kind: _asked(desk, kind)
    else:
        with ExitStack() as running:
            yield Servers(running).url


def _asked(desk: str, kind: str) -> str:
    answer = httpx.get(f"{desk}/{kind}", timeout=PATIENCE_S, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.text
