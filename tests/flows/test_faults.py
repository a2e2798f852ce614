"""A full disk, a read-only database and a deleted bucket during a run: one clear failure, and nothing is acknowledged
that is not stored.
"""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from deltalake import DeltaTable
from sqlalchemy.engine import make_url

from tasks.lake.objects.stores import S3Config, open_store
from tests.e2e.flaky_s3 import flaky_s3
from tests.engine import Ended, Presslake
from tests.postgres import connected
from tests.press import Press, running_press
from tests.servers import make_bucket

pytestmark = [pytest.mark.engine, pytest.mark.crash, pytest.mark.long]

SMALL_BATCHES = {"PRESSLAKE_BATCH_SIZE": "4", "PRESSLAKE_BATCHES_AHEAD": "1"}
FULL = ("No space left on device", "database or disk is full")
AFTER = 7  # of 12 articles: one batch is stored, the second is being fetched


@pytest.fixture
def press() -> Iterator[Press]:
    with running_press(sites=3, articles=4, network=46) as running:
        yield running


def _when_half_is_fetched(press: Press, fault: Callable[[], object]) -> None:
    """Cause the fault at the request after half of the articles, before answering it."""
    plain, asked = press.answer, []

    def answer(address: str, path: str):
        if path.startswith("/news/"):
            asked.append(path)
            if len(asked) == AFTER:
                fault()
        return plain(address, path)

    press.answer = answer


def _sweep(presslake: Presslake, press: Press, **environment: str) -> Ended:
    catalogue = press.catalogue(presslake.home / "sources.yaml", max_per_host=1)
    return presslake.run("ingest", "--catalogue", catalogue, check=False, **SMALL_BATCHES, **environment)


def _assert_one_failure(ended: Ended, *words: str) -> None:
    assert ended.code == 1, ended
    assert "Traceback" not in ended.err
    assert all(word in ended.err for word in words), ended.err


def _stored(lake: Path | str, endpoint_url: str | None = None) -> list[str]:
    store = open_store(str(lake), s3=S3Config(endpoint_url=endpoint_url))
    where = {"table_uri": store.delta_uri("articles"), "storage_options": store.storage_options()}
    if not DeltaTable.is_deltatable(**where):
        return []  # the fault happened before the first batch was stored
    return sorted(DeltaTable(**where).to_pyarrow_table(columns=["url"])["url"].to_pylist())


def _found(presslake: Presslake, **environment: str) -> set[str]:
    """Return the faults that verify finds, except unacknowledged segments."""
    return set(presslake.run("verify", "--json", check=False, **environment).json()["found"]) - {"orphan_segment"}


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of four megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("place", [("lake",), ("index",), ("lake", "index")], ids=" and ".join)
def test_a_full_disk_fails_the_run_and_loses_nothing(presslake, press, small_disk, place):
    ballast = small_disk / "ballast"
    lake = (small_disk if "lake" in place else presslake.home) / "lake"
    index = (small_disk if "index" in place else presslake.home) / "index.db"
    where = {"PRESSLAKE_LAKE": str(lake), "PRESSLAKE_INDEX": f"sqlite:///{index}"}
    _when_half_is_fetched(
        press,
        lambda: subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=4k"], capture_output=True, check=False),
    )

    ended = _sweep(presslake, press, **where)
    before = len(_stored(lake))
    ballast.unlink()
    again = _sweep(presslake, press, **where)

    _assert_one_failure(ended)
    assert any(words in ended.err for words in FULL), ended.err
    assert before < 12
    assert again.code == 0, again
    assert _stored(lake) == sorted(press.urls())
    assert _found(presslake, **where) == set()


def test_a_database_turned_read_only_fails_the_run_and_loses_nothing(presslake, press, postgres_server, postgres_url):
    name = make_url(postgres_url).database

    def say(*statements: str) -> None:
        with connected(postgres_server) as superuser:
            for statement in statements:
                superuser.execute(statement)

    send_away = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    read_only = f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'
    _when_half_is_fetched(press, lambda: say(read_only, send_away))

    ended = _sweep(presslake, press, PRESSLAKE_INDEX=postgres_url)
    at_once = _sweep(presslake, press, PRESSLAKE_INDEX=postgres_url)
    say(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    again = _sweep(presslake, press, PRESSLAKE_INDEX=postgres_url)

    _assert_one_failure(ended, "read-only transaction")
    assert at_once.code in {1, 2}
    assert "read-only transaction" in at_once.err
    assert again.code == 0, again
    assert _stored(presslake.lake) == sorted(press.urls())


@pytest.mark.s3
def test_a_deleted_bucket_fails_the_run_and_an_empty_replacement_is_refused(presslake, press, moto_url):
    bucket = make_bucket(moto_url)
    client = boto3.client(
        "s3", endpoint_url=moto_url, region_name="us-east-1", config=Config(s3={"addressing_style": "path"})
    )
    where = {"PRESSLAKE_LAKE": f"s3://{bucket}/lake", "PRESSLAKE_S3_ENDPOINT_URL": moto_url}

    def delete_bucket() -> None:
        for one in client.list_objects_v2(Bucket=bucket).get("Contents", ()):
            client.delete_object(Bucket=bucket, Key=one["Key"])
        client.delete_bucket(Bucket=bucket)

    _when_half_is_fetched(press, delete_bucket)

    ended = _sweep(presslake, press, **where)
    done = sum(counts.get("done", 0) for counts in presslake.run("status", "--json").json()["frontier"].values())
    client.create_bucket(Bucket=bucket)
    again = _sweep(presslake, press, **where)

    _assert_one_failure(ended, bucket)
    assert done <= AFTER - 1  # only what was stored before the bucket was deleted
    assert again.code == 2
    assert "belongs to the lake" in again.err


@pytest.mark.s3
@pytest.mark.parametrize(
    ("kinds", "share"),
    [(("busy",), 1.0), (("cut", "lost"), 1.0), (("busy",), 0.3), (("cut", "lost", "silent"), 0.3), (("slow",), 0.2)],
    ids=["503", "cut off", "503 at times", "cut off at times", "slow"],
)
def test_a_failing_store_costs_a_run_but_no_article(presslake, press, moto_url, kinds, share):
    lake = f"s3://{make_bucket(moto_url)}/lake"
    healthy = {"PRESSLAKE_LAKE": lake, "PRESSLAKE_S3_ENDPOINT_URL": moto_url}

    begun = threading.Event()

    _when_half_is_fetched(press, begun.set)
    with flaky_s3(moto_url, share=share, seed=7, kinds=kinds, begun=begun) as (url, troubles):
        ended = _sweep(presslake, press, **healthy | {"PRESSLAKE_S3_ENDPOINT_URL": url})
    again = _sweep(presslake, press, **healthy)

    assert sum(troubles[kind] for kind in kinds) > 0
    assert ended.code in {0, 1}
    assert "Traceback" not in ended.err
    assert again.code == 0, again
    assert _stored(lake, moto_url) == sorted(press.urls())
    assert _found(presslake, **healthy) == set()
