"""Ctrl-C in Prefect's own code, around the flow's: the run is cancelled, in one line, and never a crash."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.engine import Presslake

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
INTERRUPTED_BY_A_HOOK = """
import os, signal, sys
from flows.ingest import ingest
from flows.cli.app import main

when, often = sys.argv.pop(1), int(sys.argv.pop(1))

def interrupt(flow, run, state):
    with open("run-id", "w") as noted:
        noted.write(str(run.id))
    for _ in range(often):
        os.kill(os.getpid(), signal.SIGINT)

getattr(ingest, when)(interrupt)
main()
"""


def interrupted(presslake: Presslake, api_url: str, when: str, *words: str, often: int = 1):
    """Run a sweep that Prefect's own hook interrupts; return how it ended, and the run as Prefect has it."""
    (presslake.home / "sources.yaml").write_text('sources: [{id: a, feeds: ["http://127.0.0.1:9/feed"]}]\n')
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_BY_A_HOOK, when, str(often), "ingest", *words],
        cwd=presslake.home,
        env={**os.environ, "PYTHONPATH": str(ROOT), **presslake.variables},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    run_id = (presslake.home / "run-id").read_text()
    run = httpx.get(f"{api_url}/flow_runs/{run_id}", timeout=60, trust_env=False).json()
    return ended, run


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_ctrl_c_before_the_flow_begins_cancels_it(presslake, prefect_api_url, words):
    ended, run = interrupted(presslake, prefect_api_url, "on_running", *words)

    assert (ended.returncode, run["state_type"]) == (130, "CANCELLED"), ended
    assert run["state"]["message"].startswith("interrupted: what is stored is whole")
    assert [line for line in ended.stderr.splitlines() if "nterrupted" in line and not line.startswith("Inter")] == []
    assert ended.stderr.splitlines()[-1].startswith("Interrupted: what is stored is whole")
    assert "Traceback" not in ended.stderr


def test_ctrl_c_after_the_flow_has_ended_comes_too_late(presslake, prefect_api_url):
    ended, run = interrupted(presslake, prefect_api_url, "on_completion")

    assert (ended.returncode, run["state_type"]) == (0, "COMPLETED"), ended


def test_ctrl_c_twice_ends_it_at_once(presslake, prefect_api_url):
    ended, _ = interrupted(presslake, prefect_api_url, "on_running", often=2)

    assert ended.returncode == 130, ended
    assert ended.stderr.splitlines()[-1].startswith("Interrupted")
    assert "Traceback" not in ended.stderr
