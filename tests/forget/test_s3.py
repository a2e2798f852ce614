"""A takedown with the lake in S3: no byte is left in the bucket, and a versioned bucket is reported."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config

from tasks.forget.forgetting import forget
from tasks.forget.plan import Selection
from tasks.lake.objects.stores import ObjectStore
from tasks.values.takedown import Scope
from tasks.verify.verification import verify
from tests.forget.searching import find_bytes
from tests.forget.test_forgetting import lonely, url_of
from tests.servers import LakeAddress, S3Config, make_bucket

pytestmark = pytest.mark.s3


def copied(world, address) -> ObjectStore:
    """Return a copy of the world's lake in S3."""
    store = address.open()
    for found in world.store.list(""):
        store.put(found.key, world.store.get(found.key))
    return store


def downloaded(store, folder):
    for found in store.list(""):
        path = folder / found.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(found.key))
    return folder


def take(world, store, story):
    selection = Selection(scope=Scope.URL, names=(url_of(world, story),))
    return forget(selection, index=world.index, store=store, now=datetime.now(UTC))


def test_no_byte_is_left_in_the_bucket(world, s3_address, tmp_path):
    store, story = copied(world, s3_address), lonely(world, 0, 1)[0]
    needles = [story.path, *story.paragraphs]
    before = find_bytes(downloaded(store, tmp_path / "before"), needles)

    report = take(world, store, story)

    found = verify(
        index=world.index, store=store, now=datetime.now(UTC) + timedelta(hours=2), is_repairing=False, sample=None,
        revisit_after=(), on_step=lambda *_: None,
    ).found  # fmt: skip
    assert set(before) == set(needles)
    assert find_bytes(downloaded(store, tmp_path / "after"), needles) == {}
    assert (report.articles, report.notes, found) == (1, (), {})


def test_a_versioned_bucket_is_reported(world, moto_url):
    bucket = make_bucket(moto_url)
    options = Config(s3={"addressing_style": "path"})
    client = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1", config=options)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store = copied(world, LakeAddress(f"s3://{bucket}/lake", S3Config(endpoint_url=moto_url)))

    report = take(world, store, lonely(world, 0, 1)[0])

    (note,) = report.notes
    assert "versioning is or was enabled" in note
