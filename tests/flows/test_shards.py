"""A sweep in shards on several workers: the tables of a single process, and clear errors."""

import itertools
import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from deltalake import DeltaTable
from sqlalchemy import select

from flows.sweep.session import begun
from tasks.config.parameters import IngestConfig, ShardConfig
from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.index.database import open_index
from tasks.index.runs import begin_run
from tasks.index.schema import edges, runs
from tests.e2e.chaos import Place, read_tables
from tests.engine import Presslake
from tests.press import Press, Story, most_in_flight, running_press
from tests.servers import make_bucket
from tests.workers import api_client, await_end, deploy, running_worker, start_run

pytestmark = pytest.mark.engine

POOL = "shards"
DELAY_S = 0.1
THE_LAST_TWO = {
    "flows": {"name": {"any_": ["ingest-shard"]}},
    "sort": "EXPECTED_START_TIME_DESC",
    "limit": 2,
}


@pytest.fixture(scope="module")
def deployed(prefect_api_url: str) -> str:
    """The API of the session's server, with the flows deployed to a work pool of these tests."""
    return deploy(prefect_api_url, pool=POOL)


@pytest.fixture
def press() -> Iterator[Press]:
    with running_press(sites=8, articles=10, network=36) as running:
        for site in range(1, 8, 2):  # wire copy: one verbatim, one with an added sentence
            for copy in (Story(site - 1, 0), Story(site - 1, 1, version=2)):
                running.stories[site][copy.path] = copy
        yield running


def _environment(deployed: str, catalogue: Path, *, index: str, lake: str, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PREFECT_API_URL": deployed,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PRESSLAKE_CATALOGUE": str(catalogue),
        "PRESSLAKE_INDEX": index,
        "PRESSLAKE_LAKE": lake,
        "PRESSLAKE_BATCH_SIZE": "10",
        **more,
    }


@contextmanager
def _two_workers(environment: dict[str, str]) -> Iterator[None]:
    with ExitStack() as stack:
        for number in range(2):
            stack.enter_context(running_worker(environment, pool=POOL, name=f"worker-{number}", limit=1))
        yield


def _tables(place: Place) -> dict[str, Any]:
    """Return a run's tables, independent of the order in which copies were decided."""
    tables = read_tables(place)
    with open_index(place.index) as index, index.read() as tx:
        related = set(tx.execute(select(edges.c.a, edges.c.b, edges.c.kind)).tuples())
    return {
        "articles": Counter(row[:3] for row in tables.articles.elements()),
        "novelties": Counter(row[3] for row in tables.articles.elements()),
        "captures": Counter((row[0], row[1], row[4]) for row in tables.captures.elements()),
        "clusters": tables.clusters,
        "edges": related,
        "twice": tables.captured_twice,
    }


def _shard_runs(index_url: str) -> list[Any]:
    with open_index(index_url) as index, index.read() as tx:
        return list(tx.execute(select(runs).where(runs.c.sweep_id.is_not(None))).mappings())


def _least_gap_s(press: Press) -> float:
    came_at = defaultdict(list)
    for one in press.log:
        came_at[one.site].append(one.came_at)
    return min(later - earlier for times in came_at.values() for earlier, later in itertools.pairwise(sorted(times)))


@pytest.mark.s3
@pytest.mark.long
def test_two_workers_make_the_tables_of_one_process(deployed, presslake, press, tmp_path, postgres_url, moto_url):
    catalogue = press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=DELAY_S, max_per_host=1)
    presslake.ingest("--catalogue", catalogue)
    press.log.clear()
    lake = f"s3://{make_bucket(moto_url)}/lake"
    environment = _environment(deployed, catalogue, index=postgres_url, lake=lake, PRESSLAKE_S3_ENDPOINT_URL=moto_url)

    with api_client(deployed) as api:
        run_id = start_run(api, "ingest/sweep", {"shards": 2})
        with _two_workers(environment):
            run = await_end(api, run_id)

    one = Place(name="one", lake=str(presslake.lake), index=f"sqlite:///{tmp_path / 'index.db'}")
    two = Place(name="two", lake=lake, index=postgres_url, endpoint_url=moto_url)
    (shard,) = _shard_runs(postgres_url)
    assert (run["state"]["name"], shard["state"]) == ("Completed", "ended"), run["state"]
    assert run["state"]["message"].startswith("88 fetched")
    assert _tables(two) == _tables(one)
    assert len(_tables(two)["edges"]) == 8
    assert _least_gap_s(press) >= DELAY_S * 0.9
    assert most_in_flight([asked for asked in press.log if asked.site == 0]) == 1


@pytest.mark.long
def test_articles_belong_to_their_owners_in_every_shard(deployed, presslake, press, tmp_path, postgres_url):
    catalogue = press.catalogue(tmp_path / "sources.yaml")
    owners = "".join(f"  - id: site-{site}\n    home_url: {press.url(site, '/')}\n" for site in range(1, 8))
    catalogue.write_text(catalogue.read_text().partition("  - id: site-1\n")[0] + owners)
    for site in range(1, 8):  # only the first site has a feed, which lists all articles
        press.listed[0] += tuple(press.url(site, path) for path in press.stories[site])
    environment = _environment(deployed, catalogue, index=postgres_url, lake=str(presslake.lake))

    with api_client(deployed) as api:
        run_id = start_run(api, "ingest/sweep", {"shards": 2, "sources": ["site-0"]})
        with _two_workers(environment):
            run = await_end(api, run_id)

    rows = DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table().to_pylist()
    (shard,) = _shard_runs(postgres_url)
    assert (run["state"]["name"], shard["state"]) == ("Completed", "ended"), run["state"]
    assert {row["url"] for row in rows} == press.urls()
    assert all(row["url"].startswith(press.url(int(row["source_id"].removeprefix("site-")), "/")) for row in rows)


@pytest.mark.crash
@pytest.mark.long
def test_a_killed_shard_is_named_and_its_urls_become_due_again(deployed, presslake, press, tmp_path):
    catalogue = press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=0.6, max_per_host=1)
    index = f"sqlite:///{tmp_path / 'index.db'}"
    environment = _environment(deployed, catalogue, index=index, lake=str(presslake.lake))

    with api_client(deployed) as api:
        presslake.run("migrate")
        run_id = start_run(api, "ingest/sweep", {"shards": 2})
        with _two_workers(environment):
            os.kill(_await_shard(index)["pid"], signal.SIGKILL)
            run = await_end(api, run_id)
    summary = presslake.ingest("--catalogue", catalogue)

    assert run["state"]["name"] == "CompletedWithFailures"
    assert "shard 1 of 2: crashed" in run["state"]["message"]
    assert (summary["pending"], summary["failed"]) == (0, {})
    assert sorted(_stored(presslake)) == sorted(press.urls())


def test_a_shard_that_no_worker_begins_is_done_and_reported_by_the_sweep(deployed, presslake, press, tmp_path):
    catalogue = press.catalogue(tmp_path / "sources.yaml")

    ended = presslake.run("ingest", "--catalogue", catalogue, "--shards", "3", PRESSLAKE_SHARD_START_S="1")

    assert "shard 2 of 3: no worker of the pool shards started it within 1 s" in " ".join(ended.out.split())
    assert sorted(_stored(presslake)) == sorted(press.urls())
    with api_client(deployed) as api:
        found = api.post("/flow_runs/filter", json=THE_LAST_TWO).json()
    assert {run["state"]["type"] for run in found} == {"CANCELLED"}


def test_shards_without_a_configured_server_are_refused(tmp_path):
    (tmp_path / "sources.yaml").write_text('sources:\n  - id: a\n    feeds: ["https://a.example/feed.xml"]\n')

    ended = Presslake(tmp_path, {"PREFECT_HOME": str(tmp_path / "prefect")}).run("ingest", "--shards", "2", check=False)

    assert (ended.code, _mistakes(ended.err)) == (2, 1), ended
    assert "PREFECT_API_URL" in ended.err


@pytest.mark.long
def test_the_sweep_does_not_wait_for_a_lost_machines_shard(deployed, presslake, press, tmp_path):
    catalogue = press.catalogue(tmp_path / "sources.yaml")
    presslake.run("migrate")
    sweep = presslake.start("ingest", "--catalogue", catalogue, "--shards", "2", PRESSLAKE_LEASE_S="3")
    with api_client(deployed) as api, open_index(f"sqlite:///{tmp_path / 'index.db'}") as index:
        shard = _await_scheduled(api)
        with index.write() as tx:  # simulates a machine that begins the shard and disappears
            begin_run(tx, run_id=shard["id"], now=datetime.now(UTC), sweep_id=shard["parameters"]["config"]["sweep_id"])
    out, err = sweep.communicate(timeout=120)

    assert sweep.returncode == 0, err
    assert "shard 1 of 2: no heartbeat since" in out.decode()


def test_a_shard_with_another_index_is_refused(tmp_path):
    (tmp_path / "sources.yaml").write_text('sources:\n  - id: a\n    feeds: ["https://a.example/feed.xml"]\n')
    settings = Settings(
        catalogue=tmp_path / "sources.yaml", lake=str(tmp_path / "lake"), index=f"sqlite:///{tmp_path / 'index.db'}"
    )
    part = ShardConfig(sweep=IngestConfig(shards=2), sweep_id="elsewhere", number=1)

    with (
        pytest.raises(ConfigError, match="does not know the sweep elsewhere"),
        begun(settings, part.sweep, run_id="run", part=part),
    ):
        pass


def test_a_missing_work_pool_or_deployment_is_named(deployed, presslake, press, tmp_path):
    catalogue = press.catalogue(tmp_path / "sources.yaml")
    refusals = []

    with api_client(deployed) as api:  # the last of these tests, since it deletes the deployment
        deployment = api.get("/deployments/name/ingest-shard/sweep").json()
        for missing in (f"/work_pools/{POOL}", f"/deployments/{deployment['id']}"):
            api.delete(missing).raise_for_status()
            refusals.append(presslake.run("ingest", "--catalogue", catalogue, "--shards", "2", check=False))

    assert [(one.code, _mistakes(one.err)) for one in refusals] == [(2, 1)] * 2, refusals
    assert "has no work pool, or its pool was deleted" in refusals[0].err
    assert "shards need the deployment ingest-shard/sweep, and there is none" in refusals[1].err
    assert press.article_hits() == Counter()


def _mistakes(said: str) -> int:
    """Count the error lines; the others report progress."""
    return sum(line.startswith("presslake: ") for line in said.splitlines())


def _await_shard(index_url: str, timeout_s: float = 120) -> Any:
    """Wait until a shard's run is running."""
    deadline = time.monotonic() + timeout_s
    while not (rows := _shard_runs(index_url)):
        assert time.monotonic() < deadline, "no shard has begun"
        time.sleep(0.1)
    return rows[0]


def _await_scheduled(api: httpx.Client, timeout_s: float = 120) -> dict[str, Any]:
    """Wait until a sweep has created a shard's run."""
    wanted = {"flows": {"name": {"any_": ["ingest-shard"]}}, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    deadline = time.monotonic() + timeout_s
    while not (found := api.post("/flow_runs/filter", json=wanted).json()):
        assert time.monotonic() < deadline, "no shard was started"
        time.sleep(0.1)
    return found[0]


def _stored(presslake: Presslake) -> list[str]:
    return DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table(columns=["url"])["url"].to_pylist()
