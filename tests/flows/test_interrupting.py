"""Ctrl-C in each kind of command and flow, and in Prefect's code around a flow: one line, cancelled and not crashed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.engine import Presslake
from tests.press import running_press
from tests.workers import api_client

pytestmark = pytest.mark.engine

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
    """Run a sweep that is interrupted in a hook of Prefect's; return the finished command, and Prefect's record of the run."""
    (presslake.home / "sources.yaml").write_text('sources: [{id: a, feeds: ["http://127.0.0.1:9/feed"]}]\n')
    ended = presslake.execute(INTERRUPTED_BY_A_HOOK, when, str(often), "ingest", *words)
    run_id = (presslake.home / "run-id").read_text()
    with api_client(api_url) as api:
        run = api.get(f"/flow_runs/{run_id}").json()
    return ended, run


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_ctrl_c_before_the_flow_begins_cancels_it(presslake, prefect_api_url, words):
    ended, run = interrupted(presslake, prefect_api_url, "on_running", *words)

    assert (ended.code, run["state_type"]) == (130, "CANCELLED"), ended
    assert run["state"]["message"].startswith("interrupted: stored data is complete")
    assert [line for line in ended.err.splitlines() if "nterrupted" in line and not line.startswith("Inter")] == []
    assert ended.err.splitlines()[-1].startswith("Interrupted: stored data is complete")
    assert "Traceback" not in ended.err


def test_ctrl_c_after_the_flow_has_no_effect(presslake, prefect_api_url):
    ended, run = interrupted(presslake, prefect_api_url, "on_completion")

    assert (ended.code, run["state_type"]) == (0, "COMPLETED"), ended


def test_a_second_ctrl_c_ends_it_at_once(presslake, prefect_api_url):
    ended, _ = interrupted(presslake, prefect_api_url, "on_running", often=2)

    assert ended.code == 130, ended
    assert ended.err.splitlines()[-1].startswith("Interrupted")
    assert "Traceback" not in ended.err


IN_A_FINALIZER = """
import os, signal, sys
from flows.cli.app import main

class Interrupting:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(10_000):
            pass

def watch(frame, event, arg):
    if event == "call" and frame.f_code.co_qualname == "Sweep.claim":
        sys.setprofile(None)
        Interrupting()

sys.setprofile(watch)
main()
"""
"""Interrupts the sweep in a finalizer, where Python drops the exception, just before the first claim."""


def test_ctrl_c_in_a_finalizer_ends_the_sweep(presslake, prefect_api_url):
    with running_press(sites=1, articles=20) as press:
        slow = press.catalogue(presslake.home / "sources.yaml", crawl_delay_s=0.5)
        ended = presslake.execute(IN_A_FINALIZER, "ingest")
        asked = sum(press.hits[press.addresses[0], path] for path in press.stories[0])
        quick = press.catalogue(slow)
        rest = presslake.ingest("--catalogue", quick)
    with closing(sqlite3.connect(presslake.home / "index.db")) as index:
        run_id, _ = index.execute("SELECT run_id FROM runs ORDER BY started_at").fetchall()
    with api_client(prefect_api_url) as api:
        run = api.get(f"/flow_runs/{run_id[0]}").json()

    assert ended.code == 130, ended
    assert "Traceback" not in ended.err
    assert ended.err.splitlines()[-1].startswith("Interrupted: stored data is complete")
    assert run["state_type"] == "CANCELLED", run["state"]
    assert (asked < 20, rest["pending"]) == (True, 0)


INSIDE = """
import os, signal, sys

def interrupt_in(name):
    def watch(frame, event, arg):
        if event == "call" and frame.f_code.co_qualname == name:
            sys.setprofile(None)
            os.kill(os.getpid(), signal.SIGINT)
    sys.setprofile(watch)
"""
"""Sends SIGINT to its own process when a function is called, which does not depend on timing."""

COMMAND_INSIDE = f"{INSIDE}\nfrom flows.cli.app import main\ninterrupt_in(sys.argv.pop(1))\nmain()\n"
FLOWS_INSIDE = f"""{INSIDE}
import json
from flows.backfill import BackfillConfig, backfill
from flows.forget import forget
from flows.maintain import maintain
from flows.replay import replay
from flows.report import report
from flows.verify import verify

warc = BackfillConfig(paths=(sys.argv[1],))
ended = {{}}
for flow, given, name in (
    (maintain, (), "pack_small_files"), (verify, (), "_compare_all"), (replay, (), "_carry_out"),
    (forget, (), "forget_again"), (report, (), "report_period"), (backfill, (warc,), "backfill_warc"),
):
    interrupt_in(name)
    ended[flow.name] = str(flow(*given, return_state=True).state_details.flow_run_id)
print(json.dumps(ended))
"""
FLOWS = ("maintain", "verify", "replay", "forget", "report", "backfill")


@pytest.fixture(scope="module")
def swept(prefect_api_url, tmp_path_factory) -> tuple[Presslake, str, Path]:
    """A place filled by a sweep, with the URL of one of its articles and one of its segments."""
    swept = Presslake(tmp_path_factory.mktemp("swept"), {"PREFECT_API_URL": prefect_api_url})
    with running_press(sites=2, articles=4) as press:
        swept.ingest("--catalogue", press.catalogue(swept.home / "sources.yaml"))
        url = min(press.urls())
    return swept, url, next(swept.lake.glob("warc/*/*.warc.gz"))


@pytest.fixture
def copied(swept, tmp_path) -> Presslake:
    """A copy of the place, for changes."""
    shutil.copytree(swept[0].home, tmp_path / "copy")
    return Presslake(tmp_path / "copy", swept[0].environment)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("pack_small_files", "maintain"),
        ("_compare_all", "verify"),
        ("_carry_out", "replay --source site-1"),
        ("apply_takedowns", "forget --url URL --yes"),
        ("_write", "export --format jsonl --out taken"),
        ("_CatchUp.run", "search harbour"),
        ("_remember_articles", "reindex --index sqlite:///other.db"),
        ("_Job.begin", "backfill warc SEGMENT --index sqlite:///new.db --lake new"),
    ],
    ids=lambda value: value.split()[0],
)
def test_ctrl_c_in_a_command_is_one_line_and_another_run_completes_the_work(copied, swept, where, words):
    _, url, segment = swept
    given = [{"URL": url, "SEGMENT": str(segment)}.get(word, word) for word in words.split()]

    ended = copied.execute(COMMAND_INSIDE, where, *given)
    left = sorted(one.name for one in copied.home.iterdir() if "taken" in one.name)
    again = copied.run(*given, check=False)
    checked = copied.run(
        "verify", "--json", *given[given.index("--index") :] if "--index" in given else (), check=False
    )

    assert ended.code == 130, ended
    assert ended.err.splitlines()[-1] == "Interrupted: stored data is complete; run again to continue."
    assert "Traceback" not in ended.err
    assert left == []
    assert again.code == 0, again
    assert checked.json()["found"] == {}, checked


@pytest.fixture(scope="module")
def flows_interrupted(swept, prefect_api_url) -> dict[str, Any]:
    """Prefect's records of runs of each flow except the sweep's, interrupted in their bodies."""
    presslake, _, segment = swept
    ended = presslake.execute(FLOWS_INSIDE, segment)
    assert ended.code == 0, ended
    with api_client(prefect_api_url) as api:
        return {name: api.get(f"/flow_runs/{run_id}").json() for name, run_id in ended.json().items()}


@pytest.mark.parametrize("name", FLOWS)
def test_ctrl_c_in_a_flow_cancels_its_run(flows_interrupted, name):
    run = flows_interrupted[name]

    assert run["state_type"] == "CANCELLED", run["state"]
    assert run["state"]["message"].startswith("interrupted: stored data is complete")
