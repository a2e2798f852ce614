"""The local server's start: retried once if it exits early, and the error if that fails too."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from flows.server import process as server_process
from flows.server.local import local_server
from tasks.errors import ServerUnavailable
from tests.engine import Presslake
from tests.press import running_press
from tests.servers import free_port
from tests.workers import api_client

pytestmark = pytest.mark.engine

ONCE = """
import os, pathlib, sys
mark = pathlib.Path({mark!r})
if sys.argv and sys.argv[0].endswith("server/process.py") and not mark.exists():
    mark.touch()
    print("RuntimeError: the disk was away", flush=True)
    os.kill(os.getpid(), {signal})
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    return tmp_path


def _before_the_server(home: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Run a program at the start of each interpreter, to simulate faults of the machine."""
    (home / "site").mkdir()
    (home / "site/sitecustomize.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(home / "site"))


def test_a_server_that_dies_at_its_start_is_started_again(home, monkeypatch, capfd):
    _before_the_server(home, monkeypatch, ONCE.format(mark=str(home / "mark"), signal=int(signal.SIGKILL)))

    with local_server(has_ui=False) as url:
        answered = httpx.get(f"{url}/health", trust_env=False, timeout=60).status_code

    assert answered == 200
    said = capfd.readouterr().err
    assert "trying once more: RuntimeError: the disk was away (ended by SIGKILL; full log: " in said


def test_the_error_of_a_failed_start_is_the_first_error_in_the_servers_log(home, monkeypatch):
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "sqlite+aiosqlite:////nowhere/at/all.db")

    with pytest.raises(ServerUnavailable) as caught, local_server(has_ui=False):
        pass

    assert "unable to open database file" in str(caught.value)
    assert "; the first time: " in str(caught.value)
    assert len(list((home / "prefect").glob("presslake-server-*.log"))) == 2


def test_a_server_that_exits_by_itself_exits_without_a_fatal_error(home, monkeypatch):
    """Its thread is blocked on standard input at that time."""
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "sqlite+aiosqlite:////nowhere/at/all.db")

    ended = subprocess.Popen(
        [sys.executable, server_process.__file__, str(free_port())], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with ended:
        log = ended.stdout.read()

    assert ended.returncode > 0
    assert "Fatal Python error" not in log


@pytest.mark.parametrize("pythonpath", ["", "."])
def test_a_sweep_and_a_trace_work_beside_folders_with_our_names(home, pythonpath):
    presslake = _among_own_folders(home, pythonpath)
    with running_press(sites=1, articles=2, network=41) as press:
        swept = presslake.ingest("--catalogue", press.catalogue(home / "sources.yaml"))
        traced = presslake.run("trace", next(iter(press.urls())), "--json").json()

    assert swept["articles"]["new"] == 2
    assert traced["captures"]


def test_up_works_beside_folders_with_our_names(home):
    presslake, port = _among_own_folders(home, "."), free_port()
    with running_press(sites=1, articles=2, network=42) as press:
        catalogue = press.catalogue(home / "sources.yaml")
        served = presslake.start("up", "--catalogue", catalogue, PRESSLAKE_UI_PORT=str(port))
        try:
            run = await_sweep(port)
        finally:
            served.send_signal(signal.SIGINT)
            _out, err = served.communicate(timeout=120)

    assert run["state"]["message"] == "2 fetched (2 new)"
    assert served.returncode == 0, err


def _among_own_folders(home: Path, pythonpath: str) -> Presslake:
    for name in ("flows", "tasks"):
        (home / name).mkdir()
        (home / name / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    return Presslake(home, {"PREFECT_HOME": str(home / "prefect"), "PYTHONPATH": pythonpath})


def await_sweep(port: int) -> dict:
    from tests.flows.test_up import _await_sweeps

    with api_client(f"http://127.0.0.1:{port}/api") as api:
        (run,) = _await_sweeps(api, 1, timeout_s=400)
    return run
