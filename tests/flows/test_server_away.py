"""Prefect's server killed in the middle of a run: the run goes on, what it stored is whole, and it says what happened."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from deltalake import DeltaTable

from flows.local_server import DEFAULTS
from tests.engine import Presslake
from tests.press import Press, running_press
from tests.servers import free_port

pytestmark = [pytest.mark.engine, pytest.mark.crash, pytest.mark.long]

BOUND_S = 180


@dataclass
class Server:
    """A Prefect server of these tests' own, to be killed: it comes back at its old address with its old database."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def ensure_up(self) -> None:
        if self.process is None or self.process.poll() is not None:
            environment = {"PREFECT_HOME": str(self.home), "PREFECT_SERVER_UI_ENABLED": "false", **DEFAULTS}
            words = [sys.executable, "-m", "flows.server_process", str(self.port)]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(
                words, stdin=subprocess.PIPE, env=environment, start_new_session=True, **quiet
            )
        deadline = time.monotonic() + BOUND_S
        while not self._answers():
            assert time.monotonic() < deadline, "Prefect's server does not start"
            time.sleep(0.1)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process.stdin.close()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("prefect"))
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def press() -> Iterator[Press]:
    with running_press(sites=4, articles=6, network=37) as running:
        yield running


@pytest.fixture
def presslake(server: Server, tmp_path: Path) -> Presslake:
    server.ensure_up()
    return Presslake(tmp_path, {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(server.home)})


def _start(presslake: Presslake, press: Press, **environment: str) -> subprocess.Popen[bytes]:
    """Start a sweep, and return once it is at the articles."""
    catalogue = press.catalogue(presslake.home / "sources.yaml", crawl_delay_s=1.0, max_per_host=1)
    sweep = presslake.start("ingest", "--catalogue", catalogue, "--json", PRESSLAKE_BATCH_SIZE="8", **environment)
    deadline = time.monotonic() + BOUND_S
    while not press.article_hits():
        assert time.monotonic() < deadline, "no article was asked for"
        time.sleep(0.05)
    return sweep


def _assert_stored(presslake: Presslake, press: Press, out: bytes) -> None:
    stored = DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table(columns=["url", "text"]).to_pylist()
    assert json.loads(out.splitlines()[-1])["articles"]["new"] == len(press.urls())
    assert {row["url"]: row["text"] for row in stored} == {url: story.text for url, story in press.by_url().items()}
    assert len(stored) == len(press.urls())


def test_a_server_that_comes_back_hears_how_the_run_ended(presslake, press, server):
    sweep = _start(presslake, press)
    server.kill()
    server.ensure_up()
    out, err = sweep.communicate(timeout=BOUND_S)

    with httpx.Client(base_url=server.url, timeout=60) as api:
        run = api.get(f"/flow_runs/{json.loads(out.splitlines()[-1])['run_id']}").json()
    assert (sweep.returncode, run["state"]["name"]) == (0, "Completed"), err
    _assert_stored(presslake, press, out)


def test_a_server_that_stays_away_costs_the_run_nothing_but_its_place_in_prefect(presslake, press, server):
    sweep = _start(presslake, press, PREFECT_CLIENT_MAX_RETRIES="1")
    server.kill()
    out, err = sweep.communicate(timeout=BOUND_S)

    assert sweep.returncode == 0, err
    assert "Prefect's server does not answer any more" in err.decode()
    assert "what is stored is whole" in err.decode()
    _assert_stored(presslake, press, out)
    assert presslake.run("verify", timeout=60).code == 0
