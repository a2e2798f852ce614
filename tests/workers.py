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
import yaml

ROOT = Path(__file__).parents[1]
PREFECT = Path(sys.executable).with_name("prefect")
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def prefect(*words: str, url: str) -> str:
    """Run Prefect's command on the server at the URL of its API."""
    environment = {**os.environ, "PREFECT_API_URL": url}
    done = subprocess.run(
        [PREFECT, *words], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def deploy(url: str, folder: Path, *, pool: str) -> str:
    """Deploy deploy/prefect.yaml to a work pool of that name, without schedules; returns the URL."""
    wanted = yaml.safe_load((ROOT / "deploy/prefect.yaml").read_text(encoding="utf-8"))
    for one in wanted["deployments"]:
        one["work_pool"]["name"] = pool
        one.pop("schedules", None)
    (folder / "prefect.yaml").write_text(yaml.safe_dump(wanted))
    prefect("work-pool", "create", pool, "--type", "process", "--overwrite", url=url)
    prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(folder / "prefect.yaml"), url=url)
    return url


@contextmanager
def running_worker(
    environment: Mapping[str, str], *, pool: str, name: str, limit: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker that takes `limit` runs at once, until the block ends."""
    worker = subprocess.Popen(
        [PREFECT, "worker", "start", "--pool", pool, "--name", name, "--limit", str(limit)],
        env=environment,
        cwd=ROOT,
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


def start_run(api: httpx.Client, deployment: str, config: dict[str, Any]) -> str:
    """Start a run of a deployment, as its form in the UI does; returns its id."""
    found = api.get(f"/deployments/name/{deployment}").json()
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": {"config": config}}
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
