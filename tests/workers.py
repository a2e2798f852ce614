"""Prefect's workers for tests and benchmarks: the project's deployments on a work pool, workers, runs started and awaited."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
PREFECT = Path(sys.executable).with_name("prefect")
BUSY = 503
"""The status of Prefect's server while its SQLite file is locked; Prefect's own client retries."""

ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class _AskAgain(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + 60
        while (answer := super().handle_request(request)).status_code == BUSY and time.monotonic() < deadline:
            answer.close()
            time.sleep(0.2)
        return answer


def api_client(url: str) -> httpx.Client:
    """Return a client of Prefect's API that repeats a request if the server is busy, as Prefect's own does."""
    return httpx.Client(base_url=url, timeout=60, transport=_AskAgain())


def deploy(url: str, *, pool: str) -> str:
    """Deploy the flows of deploy/prefect.yaml to a work pool, without the schedule; returns the URL."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.settings import PREFECT_API_URL, temporary_settings
    from prefect.types.entrypoint import EntrypointType

    from flows.ingest import ingest
    from flows.ingest_shard import ingest_shard

    with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"), overwrite=True)
        for flow in (ingest, ingest_shard):
            flow.to_deployment("sweep", work_pool_name=pool, entrypoint_type=EntrypointType.MODULE_PATH).apply()
    return url


def deploy_file(environment: Mapping[str, str]) -> None:
    """Create the pool `presslake` and deploy deploy/prefect.yaml to it, as in docs/operations.md."""
    _prefect("work-pool", "create", "presslake", "--type", "process", "--overwrite", env=environment)
    _prefect("--no-prompt", "deploy", "--all", "--prefect-file", "deploy/prefect.yaml", env=environment)


def _prefect(*words: str, env: Mapping[str, str]) -> None:
    done = subprocess.run(
        [PREFECT, *words], env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running_worker(
    environment: Mapping[str, str], *, pool: str, name: str, limit: int, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker with at most `limit` concurrent runs, until the block ends."""
    worker = subprocess.Popen(
        [PREFECT, "worker", "start", "--pool", pool, "--name", name, "--limit", str(limit)],
        env=environment,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGINT)
        try:
            worker.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def start_run(api: httpx.Client, deployment: str, config: dict[str, Any] | None = None) -> str:
    """Start a run of a deployment, like its form in the UI; returns its id."""
    found = api.get(f"/deployments/name/{deployment}").json()
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": {"config": config} if config else {}}
    answer = api.post(f"/deployments/{found['id']}/create_flow_run", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def await_end(api: httpx.Client, run_id: str, timeout_s: float = 240) -> dict[str, Any]:
    """Wait until a run has ended, and return it."""
    deadline = time.monotonic() + timeout_s
    while (run := api.get(f"/flow_runs/{run_id}").json())["state_type"] not in ENDED:
        assert time.monotonic() < deadline, run["state"]
        time.sleep(0.5)
    return dict(run)


def await_scheduled(
    api: httpx.Client, deployment_id: str | None = None, timeout_s: float = 120
) -> list[dict[str, Any]]:
    """Wait until schedules have created runs, of this deployment if given, and return them."""
    wanted: dict[str, Any] = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    if deployment_id is not None:
        wanted["deployments"] = {"id": {"any_": [deployment_id]}}
    deadline = time.monotonic() + timeout_s
    while not (runs := [run for run in api.post("/flow_runs/filter", json=wanted).json() if run["auto_scheduled"]]):
        assert time.monotonic() < deadline, "the schedule makes no run"
        time.sleep(0.5)
    return runs
