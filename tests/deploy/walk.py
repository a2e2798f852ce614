"""Walk through docs/operations.md's "Install for production", without containers: `make walk`, about 20 minutes.

PostgreSQL with its roles, Redis, Ceph RGW with its policies, Prefect's server with auth, a work pool, two workers. Sweeps by
schedule; a run started from the UI's form; a worker killed during a run; a run that outlives many windows of the automation
for dead runs; backup and restore. Each step prints its result; the first that is not as documented ends the walk with exit 1.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config
from deltalake import DeltaTable

from tests.deploy import ui
from tests.deploy.parts import WORKER, Installation, clean, installed, run, started
from tests.postgres import connected, find_binaries
from tests.press import Press, Story, running_press

INTERVAL_S = 60
HEARTBEAT_S = 30  # Prefect's minimum
WINDOW_S = 90  # three heartbeats; the documented window is 600 s at heartbeats of 180 s, slightly more
LONG_PAGES, LONG_DELAY_S = 75, 6.0  # 450 s: five windows
LATE_S = 45
PER_SWEEP = 6
FAST, SLOW = ("site-0", "site-1", "site-2"), "site-3"
PICTURES = Path(value) if (value := os.environ.get("PRESSLAKE_PICTURES")) else None


def main() -> int:
    """Walk, and return the exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs with SIGINT ignored
    folder = Path(tempfile.mkdtemp(prefix="walk-"))
    try:
        with running_press(sites=4, articles=40, network=30) as press:
            press.stories[3] = {story.path: story for story in (Story(3, number) for number in range(LONG_PAGES))}
            _walk(folder, press)
    except AssertionError as error:
        say(f"NOT as documented: {error}")
        say(f"The parts' logs are in {folder}")
        return 1
    shutil.rmtree(folder)
    say("As documented.")
    return 0


def say(text: str) -> None:
    """Print a step with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)  # noqa: T201


@dataclass
class Walk:
    """An installation with its press and workers, and helpers for the API and the index."""

    at: Installation
    press: Press
    deployment: dict[str, Any] = field(default_factory=dict)
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    crashed: set[str] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.at.ports.prefect}"

    @property
    def auth(self) -> str:
        return self.at.env["worker.env"]["PREFECT_API_AUTH_STRING"]

    def prefect(self, command: str) -> None:
        run(f"prefect --no-prompt {command}", self.at.environment("worker.env"))

    def ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self.at.api.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def start(self, deployment_id: str, **config: object) -> str:
        body = {"state": {"type": "SCHEDULED"}, "parameters": {"config": config}}
        return str(self.ask("POST", f"/deployments/{deployment_id}/create_flow_run", body)["id"])

    def runs(self, deployment_id: str, *states: str) -> list[dict[str, Any]]:
        wanted = {"flow_runs": {"state": {"type": {"any_": list(states)}}, "deployment_id": {"any_": [deployment_id]}}}
        return list(self.ask("POST", "/flow_runs/filter", {**wanted, "sort": "START_TIME_ASC"}))

    def state(self, run_id: str) -> str:
        return str(self.ask("GET", f"/flow_runs/{run_id}")["state_type"])

    def await_state(self, run_id: str, state: str, timeout_s: float) -> dict[str, Any]:
        await_true(
            lambda: self.state(run_id) == state, timeout_s, f"run {run_id} is {state}", lambda: self.state(run_id)
        )
        return dict(self.ask("GET", f"/flow_runs/{run_id}"))

    def count(self, question: str) -> int:
        with connected(self.at.database.set(database="presslake")) as connection:
            row = connection.execute(question).fetchone()
        return int(row[0]) if row else 0


def await_true(
    holds: Callable[[], bool], timeout_s: float, what: str, found: Callable[[], object] = lambda: "it is not"
) -> float:
    """Wait until a condition holds; return the seconds waited."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < timeout_s, f"within {timeout_s:.0f} s: {what}; found: {found()}"
        time.sleep(1)
    return time.monotonic() - began


def _walk(folder: Path, press: Press) -> None:
    say("starting PostgreSQL, Redis, Ceph RGW and Prefect's server")
    with installed(folder) as at, ExitStack() as stack:
        walk = Walk(at, press)
        say("up: the index's tables are its owner's; the API answers 401 without the auth string")
        assert at.api.get("/work_pools/filter", auth=("presslake", "wrong")).status_code == 401
        _deploy(walk)
        _start_workers(walk, stack)
        long_run = _start_long_run(walk)
        _sweep_by_schedule(walk)
        _run_by_hand(walk)
        _kill_a_worker(walk)
        _await_long_run(walk, long_run)
        _back_up_and_restore(walk)


def _deploy(walk: Walk) -> None:
    sources = walk.at.folder / "sources.yaml"
    walk.press.catalogue(sources, crawl_delay_s=0.5)
    sources.write_text(sources.read_text() + f"    crawl_delay_s: {LONG_DELAY_S}\n")  # the last source is SLOW
    walk.at.env["worker.env"] |= {
        "PRESSLAKE_CATALOGUE": str(sources),
        "PRESSLAKE_BATCH_SIZE": "15",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S),
    }
    walk.prefect("work-pool create presslake --type process")
    walk.prefect("deploy --all --prefect-file deploy/prefect.yaml")
    walk.deployment = walk.ask("GET", "/deployments/name/ingest/sweep")
    assert walk.deployment["schedules"][0]["schedule"]["interval"] == 900.0
    apply = f"presslake automations apply --webhook - --stuck-after {WINDOW_S}"
    run(f"echo http://127.0.0.1:9/nobody | {apply}", walk.at.environment("worker.env"))
    say("deployed: ingest/sweep every 15 minutes, one at a time; the automations are applied")


def _start_workers(walk: Walk, stack: ExitStack) -> None:
    for name in ("one", "two"):
        log = walk.at.folder / f"worker-{name}.log"
        command = f"{WORKER} {name}"
        walk.workers[name] = stack.enter_context(started(command, walk.at.environment("worker.env"), log))
    walk.prefect(
        "work-pool create long --type process"
    )  # separate workers: the long run must not be on the one that is killed
    command = f"{WORKER.replace('--pool presslake', '--pool long')} three"
    stack.enter_context(started(command, walk.at.environment("worker.env"), walk.at.folder / "worker-three.log"))
    pool = "/work_pools/presslake/workers/filter"
    took = await_true(lambda: len(walk.ask("POST", pool, {})) == 2, 120, "two workers are in the pool")
    say(f"two workers are in the pool, after {took:.0f} s")


def _start_long_run(walk: Walk) -> str:
    """Start a run on the slow source, in its own deployment, concurrent with the sweeps."""
    same = {name: walk.deployment[name] for name in ("flow_id", "entrypoint", "path", "parameter_openapi_schema")}
    made = walk.ask("POST", "/deployments/", {**same, "name": "long", "work_pool_name": "long"})
    return walk.start(made["id"], sources=[SLOW])


def _sweep_by_schedule(walk: Walk) -> None:
    config = {"due_only": True, "limit": PER_SWEEP, "sources": list(FAST)}
    walk.ask("PATCH", f"/deployments/{walk.deployment['id']}", {"parameters": {"config": config}})
    walk.prefect(f"deployment schedule create ingest/sweep --interval {INTERVAL_S} --replace -y")
    deployment_id = walk.deployment["id"]
    await_true(
        lambda: len(walk.runs(deployment_id, "COMPLETED")) >= 3, INTERVAL_S * 6, "three scheduled sweeps completed",
        lambda: [(one["state_name"], one["state"]["message"]) for one in walk.runs(deployment_id, "COMPLETED", "FAILED", "CRASHED")],
    )  # fmt: skip
    (schedule,) = walk.ask("GET", f"/deployments/{deployment_id}/schedules")
    walk.prefect(f"deployment schedule pause ingest/sweep {schedule['id']}")
    await_true(lambda: not walk.runs(deployment_id, "RUNNING", "PENDING"), 120, "the last sweep ended")
    done = walk.runs(deployment_id, "COMPLETED", "FAILED", "CRASHED", "CANCELLED")
    late = [(_at(one["start_time"]) - _at(one["expected_start_time"])).total_seconds() for one in done]
    gaps = [(_at(after["start_time"]) - _at(before["end_time"])).total_seconds() for before, after in pairwise(done)]
    assert {one["state_type"] for one in done} == {"COMPLETED"}, [one["state"] for one in done]
    assert max(late) < LATE_S, f"a sweep began {max(late):.0f} s late"
    assert min(gaps) > 0, "two sweeps overlapped"
    assert all(one["auto_scheduled"] for one in done)
    say(f"{len(done)} scheduled sweeps, {[one['state']['message'] for one in done]}: each began {min(late):.0f} to "
        f"{max(late):.0f} s after its time, {min(gaps):.0f} to {max(gaps):.0f} s after the one before had ended")  # fmt: skip


def _at(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


def _run_by_hand(walk: Walk) -> None:
    with ui.logged_in(walk.base_url, walk.auth) as page:
        ui.start_by_hand(page, walk.base_url, walk.deployment["id"], name="by-hand", limit=9)
        wanted = {"flow_runs": {"name": {"any_": ["by-hand"]}}}
        (begun,) = walk.ask("POST", "/flow_runs/filter", wanted)
        ended = walk.await_state(begun["id"], "COMPLETED", 120)
        assert ended["parameters"]["config"]["limit"] == 9, ended["parameters"]
        assert ended["state"]["message"] == "9 fetched (9 new)", ended["state"]["message"]
        wanted = {"artifacts": {"flow_run_id": {"any_": [begun["id"]]}, "key": {"any_": ["run-report"]}}}
        (artifact,) = walk.ask("POST", "/artifacts/filter", wanted)
        shown = ui.read_report(page, walk.base_url, begun["id"], artifact["id"], picture=None)
    assert "9 fetched (9 new)" in shown
    say("a run by hand, from the UI's form, with a limit of 9: its report is seen in the UI")


def _picture(name: str) -> Path | None:
    return PICTURES / name if PICTURES else None


def _kill_a_worker(walk: Walk) -> None:
    before = sum(walk.press.article_hits().values())
    run_id = walk.start(walk.deployment["id"], sources=list(FAST))
    await_true(lambda: sum(walk.press.article_hits().values()) > before + 45, 120, "the run is under way")
    victim = _kill_worker_of(walk, walk.count(f"SELECT pid FROM runs WHERE run_id = '{run_id}'"))
    leased = walk.count(f"SELECT count(*) FROM frontier WHERE lease_owner = '{run_id}'")
    assert leased > 0, "the run had nothing leased: it was killed too late"
    say(
        f"worker {victim} is killed with all its processes, {leased} URLs are leased; the run stands as {walk.state(run_id)}"
    )
    took = await_true(
        lambda: walk.state(run_id) == "CRASHED", WINDOW_S + 30, "the dead run is CRASHED", lambda: walk.state(run_id)
    )
    walk.crashed.add(run_id)
    say(f"it stands as CRASHED after {took:.0f} s; documented: the window of {WINDOW_S} s, and half a minute")
    ended = walk.await_state(walk.start(walk.deployment["id"], sources=list(FAST)), "COMPLETED", 240)
    say(f"the next sweep, on the worker that is left: {ended['state']['message']}")
    _assert_all_stored(walk, sites=range(3))
    with ui.logged_in(walk.base_url, walk.auth) as page:
        ui.read_state(page, walk.base_url, run_id, "Crashed", picture=_picture("crashed.png"))


def _kill_worker_of(walk: Walk, pid: int) -> str:
    """Kill a run's worker and all of its descendants at once, as if its machine failed; return its name."""
    parents = {process.pid for process in psutil.Process(pid).parents()}
    (name,) = [name for name, worker in walk.workers.items() if worker.pid in parents]
    worker = psutil.Process(walk.workers[name].pid)
    everything = [worker, *worker.children(recursive=True)]
    for how in (signal.SIGSTOP, signal.SIGKILL):  # stop first: a running worker would report the run's death
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)
    return name


def _assert_all_stored(walk: Walk, *, sites: Iterable[int]) -> None:
    wanted = sorted(walk.press.url(site, path) for site in sites for path in walk.press.stories[site])
    homes = tuple(walk.press.url(site, "/") for site in sites)
    table = DeltaTable("s3://news/lake/articles", storage_options=_storage(walk))
    stored = sorted(url for url in table.to_pyarrow_table(columns=["url"])["url"].to_pylist() if url.startswith(homes))
    assert stored == wanted, f"{len(stored)} rows for {len(wanted)} articles"
    say(f"{len(stored)} articles, each once, read from the lake with the reader's key")


def _storage(walk: Walk) -> dict[str, str]:
    reader = walk.at.env["reader.env"]
    return {
        "AWS_ENDPOINT_URL": reader["PRESSLAKE_S3_ENDPOINT_URL"],
        "AWS_ACCESS_KEY_ID": reader["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": reader["AWS_SECRET_ACCESS_KEY"],
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }


def _await_long_run(walk: Walk, run_id: str) -> None:
    ended = walk.await_state(run_id, "COMPLETED", LONG_PAGES * LONG_DELAY_S * 2)
    seconds = (_at(ended["end_time"]) - _at(ended["start_time"])).total_seconds()
    assert seconds > 4 * WINDOW_S, f"the long run took {seconds:.0f} s alone"
    everything = walk.ask("POST", "/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["CRASHED"]}}}})
    assert {one["id"] for one in everything} == walk.crashed, "a run that lived was marked as crashed"
    say(
        f"the long run completed after {seconds:.0f} s, {seconds / WINDOW_S:.1f} windows; no run was marked but the dead one"
    )


def _back_up_and_restore(walk: Walk) -> None:
    """Back up and restore as in docs/operations.md (index by pg_dump, lake with its logs last); verify finds no faults."""
    owner = walk.at.env["owner.env"]["PRESSLAKE_INDEX"].replace("+psycopg", "")
    binaries = {"PATH": f"{find_binaries()}:{os.environ['PATH']}"}
    run(f"pg_dump --format=custom --file=index.dump {owner}", clean(binaries), cwd=walk.at.folder)
    with connected(walk.at.database) as connection:
        connection.execute("CREATE DATABASE restored OWNER presslake_owner TEMPLATE template0")
        connection.execute("REVOKE ALL ON DATABASE restored FROM PUBLIC")
        connection.execute("GRANT CONNECT ON DATABASE restored TO presslake_worker, presslake_reader")
    restored = owner.removesuffix("/presslake") + "/restored"
    run(f"pg_restore --no-owner --exit-on-error --dbname={restored} index.dump", clean(binaries), cwd=walk.at.folder)
    _copy_lake(walk, walk.at.folder / "restored")
    index = walk.at.env["worker.env"]["PRESSLAKE_INDEX"].removesuffix("/presslake") + "/restored"
    command = "presslake verify --json --lake restored --index $RESTORED"
    output = run(command, walk.at.environment("worker.env", RESTORED=index), cwd=walk.at.folder).stdout
    found = json.loads(output.splitlines()[-1])
    assert found["faults"] == [], found["faults"]
    say(f"index and lake restored from their backups; presslake verify, as the worker: {output.splitlines()[-1][:300]}")


def _copy_lake(walk: Walk, to: Path) -> None:
    """Copy every object of the lake, the tables' logs last."""
    reader = walk.at.env["reader.env"]
    client = boto3.client(
        "s3", endpoint_url=reader["PRESSLAKE_S3_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=reader["AWS_ACCESS_KEY_ID"], aws_secret_access_key=reader["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="news", Prefix="lake/")
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    for key in sorted(keys, key=lambda key: ("/_delta_log/" in key, key)):
        path = to / key.removeprefix("lake/")
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file("news", key, str(path))


if __name__ == "__main__":
    sys.exit(main())
