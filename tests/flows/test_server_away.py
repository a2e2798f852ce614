"""Prefect's server is killed during a run: the run goes on, its stored batches are complete, and it reports the failure."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.e2e.prefect_chaos import KillableServer
from tests.engine import Presslake
from tests.forking import Running
from tests.press import Press, running_press
from tests.workers import api_client

pytestmark = [pytest.mark.engine, pytest.mark.crash, pytest.mark.long]

BOUND_S = 180


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillableServer]:
    running = KillableServer(tmp_path_factory.mktemp("prefect"))
    try:
        yield running
    finally:
        if running.is_up:
            running.go_away()


@pytest.fixture
def press() -> Iterator[Press]:
    with running_press(sites=4, articles=6, network=37) as running:
        yield running


@pytest.fixture
def presslake(server: KillableServer, tmp_path: Path) -> Presslake:
    if not server.is_up:
        server.come_back()
    return Presslake(tmp_path, {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(server.home)})


def _start(presslake: Presslake, press: Press, **environment: str) -> Running:
    """Start a sweep, and return once it fetches articles."""
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


def test_a_server_that_comes_back_records_the_runs_end(presslake, press, server):
    sweep = _start(presslake, press)
    server.go_away()
    server.come_back()
    out, err = sweep.communicate(timeout=BOUND_S)

    with api_client(server.url) as api:
        run = api.get(f"/flow_runs/{json.loads(out.splitlines()[-1])['run_id']}").json()
    assert (sweep.returncode, run["state"]["name"]) == (0, "Completed"), err
    _assert_stored(presslake, press, out)


def test_without_its_server_a_run_completes_and_only_prefects_record_is_missing(presslake, press, server):
    sweep = _start(presslake, press, PREFECT_CLIENT_MAX_RETRIES="1")
    server.go_away()
    out, err = sweep.communicate(timeout=BOUND_S)

    assert sweep.returncode == 0, err
    assert "Prefect's server no longer responds" in err.decode()
    assert "stored data is complete" in err.decode()
    _assert_stored(presslake, press, out)
    assert presslake.run("verify", timeout=60).code == 0
