"""deploy/prefect.yaml on a real server: deploy to a work pool, start a run by hand, run it on a worker."""

import os
from pathlib import Path

import pytest

from tests.press import running_press
from tests.workers import api_client, await_end, await_scheduled, deploy_file, running_worker, start_run

pytestmark = pytest.mark.engine


@pytest.fixture
def environment(prefect_api_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PREFECT_API_URL": prefect_api_url,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PRESSLAKE_CATALOGUE": str(tmp_path / "sources.yaml"),
        "PRESSLAKE_LAKE": str(tmp_path / "lake"),
        "PRESSLAKE_INDEX": f"sqlite:///{tmp_path / 'index.db'}",
    }


def test_the_deployment_runs_on_a_worker_and_runs_do_not_overlap(environment, prefect_api_url, tmp_path):
    deploy_file(environment)

    for name in ("flows", "tasks"):  # a worker's folder may contain modules of these names
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    with running_press(sites=2, articles=3) as press, api_client(prefect_api_url) as api:
        press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=1.0)
        deployment = api.get("/deployments/name/ingest/sweep").json()
        scheduled = await_scheduled(api, deployment["id"])
        shard = api.get("/deployments/name/ingest-shard/sweep").json()
        runs = [start_run(api, "ingest/sweep", {"due_only": True, "limit": 4}) for _ in range(2)]
        with running_worker(environment, pool="presslake", name="one", limit=3, cwd=tmp_path):
            ended = [await_end(api, run_id) for run_id in runs]
            maintenance = api.get("/deployments/name/maintain/daily").json()
            tidied = await_end(api, start_run(api, "maintain/daily"))

    messages = sorted((run["state_type"], run["state"]["message"] or "") for run in ended)
    assert [kind for kind, _ in messages] == ["CANCELLED", "COMPLETED"]
    assert messages[1][1] == "4 fetched (4 new), 2 pending"
    assert deployment["schedules"][0]["active"]
    assert deployment["parameters"] == {}  # the form starts with the defaults
    assert {str(run["parameters"]) for run in scheduled} == {"{'config': {'due_only': True}}"}
    assert deployment["entrypoint"] == "flows.ingest.ingest"
    assert maintenance["entrypoint"] == "flows.maintain.maintain"
    assert maintenance["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert tidied["state"]["message"] == "Nothing to do."
    assert (shard["entrypoint"], shard["work_pool_name"]) == ("flows.ingest_shard.ingest_shard", "presslake")
    assert (shard["schedules"], shard["concurrency_options"]) == ([], None)
