"""What automations do about runs that nobody takes, and what is told of a webhook that does not answer."""

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

pytestmark = pytest.mark.engine

DEFINITIONS = Path(__file__).parents[2] / "deploy/automations"


def _events(api: httpx.Client, prefix: str) -> list[dict[str, Any]]:
    answer = api.post("/events/filter", json={"filter": {"event": {"prefix": [prefix]}}, "limit": 50})
    answer.raise_for_status()
    return list(answer.json()["events"])


def _await_event(api: httpx.Client, name: str) -> None:
    deadline = time.monotonic() + 60
    while not _events(api, name):
        assert time.monotonic() < deadline, _events(api, "prefect.automation")
        time.sleep(0.5)


def _server_log() -> str:
    return "".join(path.read_text() for path in Path(os.environ["PREFECT_HOME"]).glob("presslake-server-*.log"))


@pytest.mark.parametrize(("status", "told"), [(204, "executed"), (500, "failed")])
def test_a_run_that_failed_is_posted_and_the_webhook_s_secret_is_told_nowhere(
    presslake: Presslake, api: httpx.Client, webhook: Webhook, status: int, told: str
):
    webhook.status = status
    applied = presslake.run("automations", "apply", "--webhook", webhook.url, "--definitions", DEFINITIONS)
    lake = {"PRESSLAKE_LAKE": "s3://nobody/lake", "PRESSLAKE_S3_ENDPOINT_URL": "http://127.0.0.1:9"}
    (presslake.home / "sources.yaml").write_text("sources: [{id: a, feeds: [http://127.0.0.1:9/feed.xml]}]\n")

    failed = presslake.run("ingest", check=False, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", **lake)

    assert failed.code == 1, failed
    (post, *_) = webhook.await_posts(1)
    assert post["subject"] == "ingest: Failed"
    _await_event(api, f"prefect.automation.action.{told}")
    blocks = api.post("/block_documents/filter", json={}).json()
    assert "custom-webhook" in str(blocks)  # we looked where it is kept
    for place in (
        applied.out + applied.err,
        failed.out + failed.err,
        str(_events(api, "")),
        str(blocks),
        _server_log(),
    ):
        assert SECRET not in place


@pytest.mark.long
def test_runs_that_nobody_takes_are_told_and_then_cancelled(
    presslake: Presslake, prefect_api_url: str, api: httpx.Client, webhook: Webhook, tmp_path: Path
):
    definitions = shutil.copytree(DEFINITIONS, tmp_path / "automations")
    overdue = definitions / "overdue-runs.yaml"
    assert "within: 3600" in overdue.read_text()
    overdue.write_text(overdue.read_text().replace("within: 3600", "within: 20"))  # an hour of waiting, shortened
    presslake.run("automations", "apply", "--webhook", webhook.url, "--definitions", definitions)
    deploy(prefect_api_url, pool="no-workers")
    deployment = api.get("/deployments/name/ingest/sweep").json()["id"]
    due = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due}}

    runs = [api.post(f"/deployments/{deployment}/create_flow_run", json={"state": state}).json() for _ in range(2)]

    (post, *_) = webhook.await_posts(1, timeout_s=120)
    assert post["subject"] == "ingest: runs are late"
    assert [await_end(api, run["id"])["state_type"] for run in runs] == ["CANCELLED"] * 2
