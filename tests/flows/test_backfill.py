"""Backfills on real Dask and Ray workers give the same tables as one machine, also if a worker is killed."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.reading import list_files
from tasks.lake.tables import open_table
from tasks.verify.stored import read_file
from tests.backfill.archives import DAY, put, story_at, warc
from tests.engine import Presslake
from tests.press import running_press
from tests.servers import free_port

UNSTABLE = {"extracted_at", "run_id"}
ROOT = Path(__file__).parents[2]


@contextmanager
def started(module: str, *words: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Dask process during the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def dask_cluster(
    home: Path, environment: dict[str, str], *, workers: int
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Run a scheduler and workers on loopback; yield the scheduler's address, and the workers."""
    file = home / "scheduler.json"
    here = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    with ExitStack() as stack:
        stack.enter_context(
            started(
                "distributed.cli.dask_scheduler",
                *here,
                "--port",
                "0",
                "--scheduler-file",
                str(file),
                environment=environment,
            )
        )
        own = ("--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--local-directory", str(home))
        running = [
            stack.enter_context(
                started(
                    "distributed.cli.dask_worker", *here, *own, "--scheduler-file", str(file), environment=environment
                )
            )
            for _ in range(workers)
        ]
        deadline = time.monotonic() + 120
        while not file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.2)

        yield json.loads(file.read_text())["address"], running


def rows(lake: Path, table: str) -> list[dict]:
    store = DirectoryStore(lake)
    found = [row for file in list_files(open_table(store, table), table) for row in read_file(store, file)]
    kept = [{name: value for name, value in row.items() if name not in UNSTABLE} for row in found]
    return sorted(kept, key=lambda row: (row["url"], row["fetched_at"]))


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """Two archives whose second half copies the first, on another host."""
    folder = tmp_path / "in"
    first = [story_at(n, at=DAY + timedelta(minutes=n)) for n in range(24)]
    second = [story_at(n, host="weekly.example", at=DAY + timedelta(days=1, minutes=n)) for n in range(24)]
    put(folder, "b.warc.gz", warc(first))
    put(folder, "a.warc.gz", warc(second))
    return folder


def place(home: Path, **environment: str) -> Presslake:
    home.mkdir()
    return Presslake(home=home, environment={"PRESSLAKE_EXTRACT_WORKERS": "1", **environment})


@pytest.mark.engine
def test_dask_makes_the_same_tables_and_repeats_a_killed_workers_unit(
    tmp_path, archives, prefect_api_url, postgres_url
):
    alone = place(tmp_path / "alone").run("backfill", "warc", archives, "--unit-pages", "6", "--json").json()
    shared = place(tmp_path / "dask", PRESSLAKE_INDEX=postgres_url, PREFECT_API_URL=prefect_api_url)
    environment = {**os.environ, **shared.variables}

    with dask_cluster(tmp_path, environment, workers=2) as (address, workers):
        words = [
            "backfill",
            "warc",
            str(archives),
            "--unit-pages",
            "6",
            "--runner",
            "dask",
            "--address",
            address,
            "--json",
        ]
        run = shared.start(*words)
        deadline = time.monotonic() + 150
        while not list(shared.lake.glob("warc/*/*.warc.gz")):
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        workers[0].kill()
        out, err = run.communicate(timeout=180)

    assert run.returncode == 0, err.decode()

    report = json.loads(out.decode().splitlines()[-1])
    assert {name: report[name] for name in ("pages", "articles", "failed")} == {
        name: alone[name] for name in ("pages", "articles", "failed")
    }
    assert report["articles"] | {"new": 0, "duplicate": 0} == dict.fromkeys(report["articles"], 0)
    for table in ("captures", "articles"):
        assert rows(shared.lake, table) == rows(tmp_path / "alone" / "lake", table)


@pytest.mark.engine
@pytest.mark.long
def test_ray_makes_the_same_tables(tmp_path, archives, prefect_api_url, postgres_url):
    pytest.importorskip("ray", reason="the extra `ray` is not installed: 250 MB")
    alone = place(tmp_path / "alone").run("backfill", "warc", archives, "--unit-pages", "12", "--json").json()
    shared = place(tmp_path / "ray", PRESSLAKE_INDEX=postgres_url, PREFECT_API_URL=prefect_api_url)
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    port = free_port()
    words = ("start", "--head", "--block", "--num-cpus", "2", "--include-dashboard=false", "--object-store-memory", "100000000",
             "--temp-dir", tempfile.mkdtemp(prefix="ray-", dir="/tmp"), "--port", str(port))  # fmt: skip

    with started("ray.scripts.scripts", *words, environment={**os.environ, **shared.variables, **quiet}):
        await_port(port)
        report = shared.run(
            "backfill", "warc", archives, "--unit-pages", "12", "--runner", "ray", "--address", f"127.0.0.1:{port}", "--json",
            timeout=400, **quiet,
        ).json()  # fmt: skip

    assert report["articles"] == alone["articles"]
    for table in ("captures", "articles"):
        assert rows(shared.lake, table) == rows(tmp_path / "alone" / "lake", table)


def await_port(port: int, timeout_s: float = 200) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(20)  # the head's other processes are still starting
                return
        time.sleep(0.5)
    raise AssertionError("no Ray")


def test_a_cluster_needs_a_shared_index(tmp_path, archives):
    ended = place(tmp_path / "home").run(
        "backfill", "warc", archives, "--runner", "dask", "--address", "tcp://127.0.0.1:8786", check=False
    )

    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith(
        "presslake: the index is SQLite, which workers at tcp://127.0.0.1:8786"
    )


def test_pages_left_out_by_one_backfill_are_stored_by_the_next(tmp_path, archives):
    home = place(tmp_path / "home")

    first = home.run("backfill", "warc", archives, "--host", "daily.example", "--json").json()
    second = home.run("backfill", "warc", archives, "--json").json()

    assert (first["pages"], second["pages"], second["skipped"]["seen"]) == (24, 24, 24)
    assert second["articles"]["duplicate"] == 24


@pytest.mark.engine
def test_a_backfill_of_a_sweeps_own_segments_adds_nothing(presslake: Presslake):
    with running_press(sites=2, articles=6, network=53) as press:
        catalogue = press.catalogue(presslake.home / "sources.yaml")
        swept = presslake.ingest("--catalogue", catalogue)
        before = DeltaTable(presslake.lake / "articles").to_pyarrow_table(
            columns=["article_id", "revision", "first_seen_at"]
        )

        report = presslake.run("backfill", "warc", presslake.lake / "warc", "--catalogue", catalogue, "--json").json()

    assert swept["articles"]["new"] == 12
    assert report["articles"] == dict.fromkeys(report["articles"], 0) | {"unchanged": 12}
    after = DeltaTable(presslake.lake / "articles").to_pyarrow_table(
        columns=["article_id", "revision", "first_seen_at"]
    )
    assert after.equals(before)
    assert presslake.run("verify", "--json").json()["faults"] == []
