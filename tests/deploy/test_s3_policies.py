"""deploy/s3/*.json on a real server, Ceph RGW: each key has the rights it needs, and no more."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests import servers
from tests.deploy.parts import make_bucket
from tests.press import running_press

POLICIES = Path(__file__).parents[2] / "deploy/s3"
SECRETS = {"worker": "workers-secret", "reader": "readers-secret", "maintainer": "maintainers-secret"}
pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def clients(ceph_url) -> dict[str, Any]:
    make_bucket(ceph_url, SECRETS)
    keys = {who: (f"presslake-{who}", secret) for who, secret in SECRETS.items()} | {
        "root": (servers.KEY, servers.SECRET)
    }
    made = {
        who: boto3.Session(*key, region_name="us-east-1").client(
            "s3", endpoint_url=ceph_url, config=Config(s3={"addressing_style": "path"})
        )
        for who, key in keys.items()
    }
    for key in ("lake/warc/a", "other/a"):
        made["root"].put_object(Bucket="news", Key=key, Body=b"a")
    return made


def _is_allowed(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in {"AccessDenied", "NoSuchKey", "MethodNotAllowed"}:
            raise
        return code == "NoSuchKey"
    return True


ASKED: dict[str, Callable[[Any], object]] = {
    "list": lambda s3: s3.list_objects_v2(Bucket="news", Prefix="lake/"),
    "get": lambda s3: s3.get_object(Bucket="news", Key="lake/warc/a"),
    "get what is missing": lambda s3: s3.get_object(Bucket="news", Key="lake/warc/none"),
    "put": lambda s3: s3.put_object(Bucket="news", Key="lake/warc/b", Body=b"b"),
    "put what is new": lambda s3: s3.put_object(Bucket="news", Key="lake/warc/c", Body=b"c", IfNoneMatch="*"),
    "delete a probe": lambda s3: s3.delete_object(Bucket="news", Key="lake/probe-1"),
    "delete": lambda s3: s3.delete_object(Bucket="news", Key="lake/warc/d"),
    "put outside": lambda s3: s3.put_object(Bucket="news", Key="other/b", Body=b"b"),
    "get outside": lambda s3: s3.get_object(Bucket="news", Key="other/a"),
    "delete outside": lambda s3: s3.delete_object(Bucket="news", Key="other/a"),
    "delete the bucket": lambda s3: s3.delete_bucket(Bucket="news"),
    "set a policy": lambda s3: s3.put_bucket_policy(
        Bucket="news", Policy=json.dumps({"Version": "2012-10-17", "Statement": []})
    ),
    "open the bucket": lambda s3: s3.put_bucket_acl(Bucket="news", ACL="public-read"),
    "open an object": lambda s3: s3.put_object_acl(Bucket="news", Key="lake/warc/a", ACL="public-read"),
}
READS = {"list", "get", "get what is missing"}
WRITES = READS | {"put", "put what is new", "delete a probe"}
MAY = {"reader": READS, "worker": WRITES, "maintainer": WRITES | {"delete"}}


@pytest.mark.parametrize("who", MAY)
@pytest.mark.parametrize("what", ASKED)
def test_a_key_is_allowed_exactly_what_its_policy_says(clients, who, what):
    clients["root"].delete_object(Bucket="news", Key="lake/warc/c")

    assert _is_allowed(lambda: ASKED[what](clients[who])) == (what in MAY[who])


@pytest.mark.engine
def test_a_sweep_and_verify_work_with_the_workers_key(clients, ceph_url, presslake, tmp_path):
    key = {"AWS_ACCESS_KEY_ID": "presslake-worker", "AWS_SECRET_ACCESS_KEY": SECRETS["worker"]}
    for one in clients["root"].list_objects_v2(Bucket="news", Prefix="lake/").get("Contents", ()):
        clients["root"].delete_object(Bucket="news", Key=one["Key"])
    lake = {"PRESSLAKE_LAKE": "s3://news/lake", "PRESSLAKE_S3_ENDPOINT_URL": ceph_url}
    with running_press(sites=2, articles=3) as press:
        summary = presslake.ingest("--catalogue", press.catalogue(tmp_path / "sources.yaml"), **key, **lake)
    faults = presslake.run("verify", "--json", **key, **lake).json()["faults"]

    assert summary["articles"]["new"] == 6
    assert summary["failed"] == {}
    assert faults == [], faults


@pytest.mark.engine
def test_a_takedown_requires_the_maintainers_key_and_changes_nothing_without_it(clients, ceph_url, presslake, tmp_path):
    keys = {
        who: {"AWS_ACCESS_KEY_ID": f"presslake-{who}", "AWS_SECRET_ACCESS_KEY": SECRETS[who]}
        for who in ("worker", "maintainer")
    }
    for one in clients["root"].list_objects_v2(Bucket="news", Prefix="lake/").get("Contents", ()):
        clients["root"].delete_object(Bucket="news", Key=one["Key"])
    lake = {"PRESSLAKE_LAKE": "s3://news/lake", "PRESSLAKE_S3_ENDPOINT_URL": ceph_url}

    def objects():
        found = clients["root"].list_objects_v2(Bucket="news", Prefix="lake/").get("Contents", ())
        return {one["Key"]: one["ETag"] for one in found}

    with running_press(sites=2, articles=3) as press:
        presslake.ingest("--catalogue", press.catalogue(tmp_path / "sources.yaml"), **keys["worker"], **lake)
        url = next(iter(press.urls()))
    before = objects()
    refused = presslake.run("forget", "--url", url, "--quiet", check=False, **keys["worker"], **lake)
    between = objects()
    done = presslake.run("forget", "--url", url, "--json", **keys["maintainer"], **lake).json()

    assert (refused.code, len(refused.err.splitlines())) == (2, 1)
    assert "need the maintainer policy; nothing was changed" in refused.err
    assert between == before
    assert (done["articles"], done["notes"]) == (1, [])
