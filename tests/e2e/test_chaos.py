"""Kills at named steps and random times, a failing store, and duplicated work: nothing is lost, duplicated or dangling."""

import random
import time
from collections import Counter

import pytest

from tasks.values.rows import Novelty
from tests.e2e.chaos import BY_CLOCK, Place, local_place, read_tables, run_chaos, verified
from tests.e2e.chaos_worker import STEPS, wrong_clock
from tests.e2e.flaky_s3 import flaky_s3
from tests.e2e.prefect_chaos import gate_to, sweep_without_server
from tests.press import Press, running_press
from tests.servers import make_bucket

pytestmark = pytest.mark.crash


@pytest.fixture
def reference(tmp_path):
    with local_place(tmp_path, "undisturbed") as place:
        yield place


@pytest.fixture
def rough(tmp_path):
    with local_place(tmp_path, "rough") as place:
        yield place


def _novelties(place: Place) -> Counter:
    return Counter(row[3] for row in read_tables(place).articles.elements())


@pytest.mark.long
def test_fifteen_kills_give_the_results_of_an_undisturbed_run(reference, rough, tmp_path):
    with running_press(sites=5, articles=20, network=31) as press:
        toll = run_chaos(press, rough, reference, tmp_path, kills=15, batch_size=8, seed=1, longest_s=0.8)

    assert toll.is_none, toll
    assert toll.kills.total() == 15
    assert len(toll.kills) > len(STEPS) // 2
    assert toll.kills[BY_CLOCK] >= 4
    assert toll.steps > 1 or wrong_clock(0) is None
    # 100 stories; then, of each site's 20 stories, two each are corrected, copied, nearly copied, and added
    assert _novelties(rough) == Counter(
        {Novelty.NEW: 110, Novelty.REVISION: 10, Novelty.DUPLICATE: 10, Novelty.NEAR_DUPLICATE: 10}
    )


@pytest.mark.s3
@pytest.mark.long
def test_kills_on_postgresql_and_ceph_lose_and_duplicate_nothing(reference, ceph_url, postgres_url, tmp_path):
    lake = f"s3://{make_bucket(ceph_url)}/lake"

    with (
        flaky_s3(ceph_url, share=0.03, seed=2) as (url, troubles),
        running_press(sites=3, articles=10, network=32) as press,
    ):
        place = Place(name="", lake=lake, index=postgres_url, endpoint_url=url, plain_url=ceph_url)
        toll = run_chaos(
            press, place, reference, tmp_path, kills=4, batch_size=4, seed=2, longest_s=2.0, clock_step_s=600
        )

    assert toll.is_none, toll
    assert toll.kills.total() == 4
    assert troubles.total() > troubles["none"] > 0
    assert verified(place).checked["articles"] == 30 + 3 * 3


@pytest.mark.engine
def test_after_kills_of_the_real_flow_verify_finds_nothing_and_reindex_works(presslake, tmp_path):
    chance, small = random.Random(3), {"PRESSLAKE_BATCH_SIZE": "8"}
    with running_press(sites=4, articles=10, network=34) as press:
        catalogue = press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=0.1)
        for _ in range(3):
            hits = sum(press.hits.values())
            sweep = presslake.start("ingest", "--catalogue", catalogue, **small)
            _await_hits(press, hits + 1)
            time.sleep(chance.uniform(0, 2))
            sweep.kill()
            sweep.communicate()
        summary = presslake.ingest("--catalogue", catalogue, **small)

    assert (summary["pending"], summary["failed"]) == (0, {})
    told = presslake.run("verify", "--json").json()
    assert set(told["found"]) <= {"orphan_segment"}
    assert told["checked"]["articles"] == told["checked"]["revisions"] == 40
    new = f"sqlite:///{tmp_path / 'new.db'}"
    assert presslake.run("reindex", "--index", new, "--json").json()["articles"] == 40
    assert presslake.run("verify", "--index", new, "--json").json()["found"] == told["found"]


@pytest.mark.engine
@pytest.mark.long
def test_an_interruption_of_the_prefect_server_during_a_run_loses_nothing(presslake, prefect_api_url, tmp_path):
    with running_press(sites=4, articles=10, network=35) as press, gate_to(prefect_api_url) as gate:
        catalogue = press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=0.3)
        code = sweep_without_server(presslake, gate, press, catalogue, away_s=2.0, chance=random.Random(4))
        summary = presslake.ingest("--catalogue", catalogue, PREFECT_API_URL=gate.url)

    assert code in {0, 1}
    assert (summary["pending"], summary["failed"]) == (0, {})
    told = presslake.run("verify", "--json").json()
    assert set(told["found"]) <= {"orphan_segment"}
    assert told["checked"]["articles"] == told["checked"]["revisions"] == 40


def _await_hits(press: Press, number: int) -> None:
    """Wait, at most a minute, until the press got `number` requests."""
    deadline = time.monotonic() + 60
    while sum(press.hits.values()) < number and time.monotonic() < deadline:
        time.sleep(0.02)
