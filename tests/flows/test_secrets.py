"""Secrets planted in the environment do not appear in anything that a run leaves."""

import traceback

import boto3
import pytest
from botocore.config import Config
from sqlalchemy.engine import make_url

from tasks.errors import ConfigError
from tasks.index.database import open_index
from tests.postgres import connected
from tests.press import running_press
from tests.servers import make_bucket
from tests.workers import api_client

pytestmark = pytest.mark.engine

DATABASE, S3, UI = "planted-database-secret", "planted-s3-secret", "planted-ui-secret"
PLANTED = (DATABASE, S3, UI, "cGxhbnRlZC", "cHJlc3NsYWtlOnBsYW50ZWQ")  # in base64 too: alone, and after presslake:
WITH_SECRETS = {
    "AWS_ACCESS_KEY_ID": "presslake",
    "AWS_SECRET_ACCESS_KEY": S3,
    "PREFECT_API_AUTH_STRING": f"presslake:{UI}",
}


def _planted_in(text: str) -> list[str]:
    return [secret for secret in PLANTED if secret in text]


def _everything_at(api_url: str, run_id: str) -> str:
    """Return all of Prefect's records of a run: parameters, states, tasks, logs, artifacts, events."""
    of_run = {"any_": [run_id]}
    asked = {
        "/flow_runs/filter": {"flow_runs": {"id": of_run}},
        "/task_runs/filter": {"flow_runs": {"id": of_run}},
        "/logs/filter": {"logs": {"flow_run_id": of_run}},
        "/artifacts/filter": {"artifacts": {"flow_run_id": of_run}},
        "/events/filter": {"filter": {"any_resource": {"id": [f"prefect.flow-run.{run_id}"]}}},
    }
    with api_client(api_url) as api:
        answers = [api.post(path, json=body) for path, body in asked.items()]
        answers += [api.get(f"/flow_run_states/?flow_run_id={run_id}")]
    assert all(answer.is_success for answer in answers), [answer.text for answer in answers if not answer.is_success]
    return "\n".join(answer.text for answer in answers)


@pytest.mark.s3
def test_a_run_leaves_no_secret(presslake, prefect_api_url, postgres_url, moto_url, tmp_path):
    index = make_url(postgres_url).set(password=DATABASE).render_as_string(hide_password=False)
    bucket = make_bucket(moto_url)
    where = {"PRESSLAKE_INDEX": index, "PRESSLAKE_LAKE": f"s3://{bucket}/lake", "PRESSLAKE_S3_ENDPOINT_URL": moto_url}
    with running_press(sites=2, articles=3) as press:
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        catalogue.write_text(catalogue.read_text() + f'    urls: ["{press.url(1, "/news/missing.html")}"]\n')
        ended = presslake.run("ingest", "--catalogue", catalogue, "--json", **where, **WITH_SECRETS)
    others = [presslake.run(*words, **where, **WITH_SECRETS) for words in (["status"], ["verify"])]
    client = boto3.client(
        "s3", endpoint_url=moto_url, region_name="us-east-1", config=Config(s3={"addressing_style": "path"})
    )
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]]
    lake = b"".join(client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys).decode("latin-1")
    records = _everything_at(prefect_api_url, ended.json()["run_id"])

    assert ended.json()["failed"] == {"http_404": 1}
    assert "http_404" in records  # the run's records were searched
    assert len(keys) > 4
    assert _planted_in(records) == []
    assert _planted_in("".join(keys) + lake) == []
    assert _planted_in("".join(one.out + one.err for one in (ended, *others))) == []


@pytest.mark.parametrize(
    "index",
    [
        f"postgresql+psycopg://presslake:{DATABASE}@127.0.0.1:1/presslake",
        f"postgresql+psycopg://presslake:{DATABASE}@no-such-host.invalid/presslake",
        f"postgresql+psycopg://presslake:{DATABASE}@127.0.0.1:x/presslake",
        f"postgres+nothing://presslake:{DATABASE}@127.0.0.1/presslake",
        f"mysql+nothing://presslake:{DATABASE}@127.0.0.1/presslake",
        f"presslake:{DATABASE}@127.0.0.1/presslake",
        f"postgresql+psycopg:/presslake:{DATABASE}@127.0.0.1/presslake",
        f"postgresql+psycopg://127.0.0.1/presslake?user=presslake&password={DATABASE}&port=1",
    ],
)
def test_an_error_opening_the_index_does_not_show_its_password(index):
    with pytest.raises(ConfigError) as refused:
        open_index(index)

    assert _planted_in("".join(traceback.format_exception(refused.value))) == []


def test_an_error_for_a_wrong_password_does_not_show_it(offline_presslake, postgres_server):
    with connected(postgres_server) as superuser:
        superuser.execute("DROP ROLE IF EXISTS planted")
        superuser.execute("CREATE ROLE planted LOGIN PASSWORD 'another'")
    index = postgres_server.set(username="planted", password=DATABASE, database="nowhere")

    ended = offline_presslake.run("status", check=False, PRESSLAKE_INDEX=index.render_as_string(hide_password=False))

    assert ended.code == 2
    assert "nowhere" in ended.err
    assert _planted_in(ended.out + ended.err) == []


def test_an_error_opening_the_lake_does_not_show_its_key(presslake, tmp_path):
    where = {"PRESSLAKE_LAKE": "s3://news/lake", "PRESSLAKE_S3_ENDPOINT_URL": "http://127.0.0.1:1"}
    with running_press(sites=1, articles=1) as press:
        ended = presslake.run(
            "ingest", "--catalogue", press.catalogue(tmp_path / "sources.yaml"), check=False, **where, **WITH_SECRETS
        )

    assert ended.code != 0
    assert _planted_in(ended.out + ended.err) == []
