"""Automations for failed runs and runs that no worker starts, and a webhook that does not answer."""

import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine import Presslake
from tests.flows.conftest import SECRET, Webhook
from tests.workers import await_end, deploy

pytestmark = [pytest.mark.engine, pytest.mark.long]

ACTION_S = 5
DEFINITIONS = Path(__file__).parents[2] / "deploy/automations"


def _events(api: httpx.Client, prefix: str, *, since: datetime) -> list[dict[str, Any]]:
    wanted = {"event": {"prefix": [prefix]}, "occurred": {"since": since.isoformat()}}
    answer = api.post("/events/filter", json={"filter": wanted, "limit": 50})
    answer.raise_for_status()
    return list(answer.json()["events"])


def _await_event(api: httpx.Client, prefix: str, *, since: datetime) -> None:
    deadline = time.monotonic() + 240
    while not _events(api, prefix, since=since):
        assert time.monotonic() < deadline, _events(api, "", since=since)
        time.sleep(0.5)


def _let_a_run_fail(api: httpx.Client) -> None:
    flow_id = api.post("/flows/", json={"name": "ingest"}).json()["id"]
    run_id = api.post("/flow_runs/", json={"flow_id": flow_id, "state": {"type": "PENDING"}}).json()["id"]
    for state in ("RUNNING", "FAILED"):
        api.post(f"/flow_runs/{run_id}/set_state", json={"state": {"type": state}, "force": True}).raise_for_status()


def _server_log() -> str:
    return "".join(path.read_text() for path in Path(os.environ["PREFECT_HOME"]).glob("presslake-server-*.log"))


@pytest.mark.parametrize("answer", [204, 500, None])
def test_a_failed_run_is_posted_and_the_webhooks_secret_appears_nowhere(
    presslake: Presslake, api: httpx.Client, webhook: Webhook, answer: int | None
):
    begun_at = datetime.now(UTC)
    webhook.status = answer or 204
    url = webhook.url if answer else f"http://127.0.0.1:9/{SECRET}"  # nothing listens there
    applied = presslake.run("automations", "apply", "--webhook", url, "--definitions", DEFINITIONS)

    _let_a_run_fail(api)

    _await_event(api, "prefect.automation.triggered", since=begun_at)
    time.sleep(ACTION_S)  # Prefect reports a failed notification only in its server's log
    subjects = {one["subject"] for one in webhook.posted}  # a set, since Prefect may retry
    assert subjects == ({"ingest: Failed"} if answer else set())
    blocks = api.post("/block_documents/filter", json={}).json()
    assert "custom-webhook" in str(blocks)  # the block that stores the secret was searched
    places = (applied.out + applied.err, str(_events(api, "", since=begun_at)), str(blocks), _server_log())
    assert not any(SECRET in place for place in places)


def test_runs_that_no_worker_starts_are_reported_and_then_cancelled(
    presslake: Presslake, prefect_api_url: str, api: httpx.Client, webhook: Webhook, tmp_path: Path
):
    definitions = shutil.copytree(DEFINITIONS, tmp_path / "automations")
    overdue = definitions / "overdue-runs.yaml"
    assert "within: 3600" in overdue.read_text()
    overdue.write_text(overdue.read_text().replace("within: 3600", "within: 20"))  # instead of an hour
    presslake.run("automations", "apply", "--webhook", webhook.url, "--definitions", definitions)
    deploy(prefect_api_url, pool="no-workers")
    deployment = api.get("/deployments/name/ingest/sweep").json()["id"]
    due = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due}}

    runs = [api.post(f"/deployments/{deployment}/create_flow_run", json={"state": state}).json() for _ in range(2)]

    (post, *_) = webhook.await_posts(1, timeout_s=120)
    assert post["subject"] == "ingest: runs are late"
    assert [await_end(api, run["id"])["state_type"] for run in runs] == ["CANCELLED"] * 2
