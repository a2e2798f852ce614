"""deploy/prefect.yaml on a real server: deployed to a work pool, started by hand, run by a worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.press import running_press

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
PREFECT = Path(sys.executable).with_name("prefect")


@pytest.fixture
def environment(prefect_api_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PREFECT_API_URL": prefect_api_url,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PRESSLAKE_CATALOGUE": str(tmp_path / "sources.yaml"),
        "PRESSLAKE_LAKE": str(tmp_path / "lake"),
        "PRESSLAKE_INDEX": f"sqlite:///{tmp_path / 'index.db'}",
    }


def _prefect(*words: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        [PREFECT, *words], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def _worker(env: dict[str, str]) -> Iterator[None]:
    worker = subprocess.Popen(
        [PREFECT, "worker", "start", "--pool", "presslake"],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        worker.send_signal(signal.SIGINT)
        worker.wait(timeout=60)


def _start(api: httpx.Client, deployment_id: str) -> dict[str, Any]:
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": {"config": {"due_only": True, "limit": 4}}}
    answer = api.post(f"/deployments/{deployment_id}/create_flow_run", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _ended(api: httpx.Client, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 150
    while (run := api.get(f"/flow_runs/{run_id}").json())["state_type"] not in ENDED:
        assert time.monotonic() < deadline, run["state"]
        time.sleep(0.5)
    return run


def test_the_deployment_runs_on_a_worker_and_two_runs_do_not_overlap(environment, prefect_api_url, tmp_path):
    _prefect("work-pool", "create", "presslake", "--type", "process", "--overwrite", env=environment)
    _prefect("--no-prompt", "deploy", "--all", "--prefect-file", "deploy/prefect.yaml", env=environment)

    with running_press(sites=2, articles=3) as press, httpx.Client(base_url=prefect_api_url, timeout=60) as api:
        press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=1.0)
        deployment = api.get("/deployments/name/ingest/sweep").json()
        runs = [_start(api, deployment["id"]) for _ in range(2)]
        with _worker(environment):
            ended = [_ended(api, run["id"]) for run in runs]
            maintenance = api.get("/deployments/name/maintain/daily").json()
            answer = api.post(
                f"/deployments/{maintenance['id']}/create_flow_run", json={"state": {"type": "SCHEDULED"}}
            )
            tidied = _ended(api, answer.json()["id"])

    messages = sorted((run["state_type"], run["state"]["message"] or "") for run in ended)
    assert [kind for kind, _ in messages] == ["CANCELLED", "COMPLETED"]
    assert messages[1][1] == "4 fetched, 0 not modified: 4 new"
    assert deployment["schedules"][0]["active"]
    assert deployment["entrypoint"] == "flows.ingest.ingest"
    assert maintenance["entrypoint"] == "flows.maintain.maintain"
    assert maintenance["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert tidied["state"]["message"] == "Nothing to do."
