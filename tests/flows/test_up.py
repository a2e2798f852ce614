"""`presslake up`: server, UI and schedule on this machine, all stopped by Ctrl-C."""

import signal
import socket
import time
from typing import Any

import httpx
import psutil
import pytest

from tests.engine import Presslake
from tests.press import running_press
from tests.servers import free_port
from tests.workers import api_client, await_scheduled

pytestmark = pytest.mark.engine


@pytest.fixture
def alone(tmp_path) -> Presslake:
    """The command without a configured server, so that it starts its own."""
    return Presslake(tmp_path, {"PREFECT_HOME": str(tmp_path / "prefect")})


def _await_sweeps(api: httpx.Client, number: int, timeout_s: float = 150) -> list[dict[str, Any]]:
    """Wait until `number` sweeps have completed."""
    wanted = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}, "flows": {"name": {"any_": ["ingest"]}}}
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            runs = api.post("/flow_runs/filter", json=wanted).json()
        except httpx.TransportError:
            runs = []
        if len(runs) >= number:
            return runs
        assert time.monotonic() < deadline, "no sweep within the time"
        time.sleep(0.5)


def _await_ends(processes: list[psutil.Process], timeout_s: float = 60) -> None:
    """Wait until all processes have ended, which happens shortly after their parent."""
    deadline = time.monotonic() + timeout_s
    while left := [one for one in processes if _runs(one)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_up_sweeps_by_schedule_and_ctrl_c_stops_all_its_processes(alone, tmp_path):
    port = free_port()
    with running_press(sites=2, articles=3) as press, api_client(f"http://127.0.0.1:{port}/api") as api:
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        served = alone.start("up", "--catalogue", catalogue, PRESSLAKE_UI_PORT=str(port), PRESSLAKE_EVERY_S="3600")
        try:
            (run,) = _await_sweeps(api, 1)
            deployments = api.post("/deployments/filter", json={}).json()
            scheduled = await_scheduled(api)
            beside = alone.run("ingest", "--catalogue", catalogue)  # finds the running server without configuration
            page = httpx.get(f"http://127.0.0.1:{port}/", follow_redirects=True, trust_env=False, timeout=60)
            started = psutil.Process(served.pid).children(recursive=True)
        finally:
            served.send_signal(signal.SIGINT)
            _out, err = served.communicate(timeout=60)
    _await_ends(started)

    assert (run["name"], run["state"]["message"]) == ("due", "6 fetched (6 new)")
    assert {run["parameters"]["config"]["due_only"] for run in scheduled if "config" in run["parameters"]} == {True}
    (form,) = [one["parameter_openapi_schema"]["definitions"] for one in deployments if one["name"] == "due"]
    assert form["IngestConfig"]["properties"]["sources"]["items"]["enum"] == ["site-0", "site-1"]
    assert {tuple(one["tags"]) for one in deployments} == {("presslake",)}
    assert {one["parameters"] == {} for one in deployments} == {True}  # the forms start with the defaults
    assert {one["name"] for one in deployments} == {"due", "nightly", "daily", "weekly"}
    assert f"Using the server of the running `presslake up`: http://127.0.0.1:{port}" in beside.err
    assert "Nothing was due" in beside.out
    assert {one["entrypoint"] for one in deployments} == {
        "flows.ingest.ingest", "flows.maintain.maintain", "flows.report.report", "flows.verify.verify",
    }  # fmt: skip
    assert {one["concurrency_options"]["collision_strategy"] for one in deployments} == {"CANCEL_NEW"}
    assert page.status_code == 200
    assert served.returncode == 0
    assert f"http://127.0.0.1:{port}" in err.decode().splitlines()[1]
    assert err.decode().splitlines()[-1] == "Stopped."


def test_a_port_in_use_is_named(alone, tmp_path):
    with running_press(sites=1, articles=1) as press:
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            ended = alone.run("up", "--catalogue", catalogue, check=False, PRESSLAKE_UI_PORT=str(port))

    assert ended.code == 2
    assert f"port {port} is in use" in ended.err
