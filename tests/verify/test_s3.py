"""Verification of a lake in S3, on real servers."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.lake.objects.stores import ObjectStore
from tasks.verify.verification import verify


@pytest.fixture
def store(world, s3_address) -> ObjectStore:
    """The world's lake, in S3."""
    store = s3_address.open()
    for found in world.store.list(""):
        store.put(found.key, world.store.get(found.key))
    return store


def _verify(world, store, *, mend=False):
    return verify(
        index=world.index, store=store, now=datetime.now(UTC) + timedelta(hours=2), is_repairing=mend, sample=None,
        revisit_after=(), on_step=lambda *_: None,
    )  # fmt: skip


def test_a_lake_in_s3_is_verified_and_mended(world, store):
    assert _verify(world, store).found == {}

    segment = max(world.store.list("warc/"), key=lambda found: found.size).key
    orphan = next(world.store.list("articles/dt=")).key.replace(".parquet", "9.parquet")
    body = bytearray(store.get(segment))
    body[len(body) // 2] ^= 0xFF
    store.put(segment, bytes(body))
    store.put(orphan, b"of a batch that was killed")
    document = next(store.list("quarantine/")).key
    store.delete(document)

    report = _verify(world, store, mend=True)

    damage = {kind for kind in report.found if kind.startswith("damaged_")}
    assert set(report.found) - damage == {"orphan_file", "missing_document"}
    assert len(damage) == 1
    assert store.exists(document)
    assert not store.exists(orphan)
    assert set(_verify(world, store).found) == damage
