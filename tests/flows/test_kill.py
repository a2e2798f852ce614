"""Kill -9 at any time, and Ctrl-C: stored batches are complete, and the next sweep does the rest."""

import io
import random
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable
from fastwarc.warc import ArchiveIterator as FastArchiveIterator
from warcio.archiveiterator import ArchiveIterator

from tasks.lake.records import payload_digest
from tests.engine import Presslake
from tests.press import Press, running_press
from tests.workers import api_client

pytestmark = [pytest.mark.engine, pytest.mark.crash]

PATIENCE_S = 240
SMALL_BATCHES = {"PRESSLAKE_BATCH_SIZE": "10", "PRESSLAKE_LEASE_S": "300"}


@pytest.fixture
def press():
    with running_press(sites=6, articles=15) as running:
        yield running


@pytest.fixture
def catalogue(press: Press, tmp_path: Path) -> Path:
    return press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=0.1)


def _rows(presslake: Presslake, table: str) -> list[dict]:
    return DeltaTable(str(presslake.lake / table)).to_pyarrow_table().to_pylist()


def _await_hits(press: Press, number: int) -> None:
    """Wait until the press has received `number` requests."""
    deadline = time.monotonic() + PATIENCE_S
    while sum(press.hits.values()) < number:
        assert time.monotonic() < deadline, press.hits
        time.sleep(0.02)


def _await_asked(press: Press, site: int, path: str) -> None:
    """Wait until a page has been requested."""
    deadline = time.monotonic() + PATIENCE_S
    while not press.hits[press.addresses[site], path]:
        assert time.monotonic() < deadline, press.hits
        time.sleep(0.02)


def _assert_whole(presslake: Presslake, press: Press) -> None:
    """Check that each article is stored once with its text, and each row's record with its digest, by two WARC readers."""
    articles = _rows(presslake, "articles")
    assert sorted(row["url"] for row in articles) == sorted(press.urls())
    assert {row["url"]: row["text"] for row in articles} == {url: story.text for url, story in press.by_url().items()}
    for row in [*articles, *(row for row in _rows(presslake, "captures") if row["status"] == 200)]:
        with (presslake.lake / row["warc_key"]).open("rb") as segment:
            segment.seek(row["warc_offset"])
            member = segment.read(row["warc_length"])
        (by_fastwarc,) = [record.reader.read() for record in FastArchiveIterator(io.BytesIO(member))]
        (by_warcio,) = [record.content_stream().read() for record in ArchiveIterator(io.BytesIO(member))]
        assert payload_digest(by_fastwarc) == row["payload_digest"]
        assert payload_digest(by_warcio) == row["payload_digest"]


@pytest.mark.long
def test_five_kills_lose_and_duplicate_nothing(presslake, press, catalogue):
    chance = random.Random(20260301)
    for _ in range(5):
        sweep = presslake.start("ingest", "--catalogue", catalogue, **SMALL_BATCHES)
        _await_hits(press, sum(press.hits.values()) + 1)
        time.sleep(chance.uniform(0, 2.5))
        sweep.kill()
        sweep.communicate()

    summary = presslake.ingest("--catalogue", catalogue, **SMALL_BATCHES)

    assert (summary["pending"], summary["failed"]) == (0, {})
    _assert_whole(presslake, press)


def test_ctrl_c_is_reported_and_the_next_sweep_does_the_rest(presslake, press, catalogue, prefect_api_url):
    path = list(press.stories[0])[-1]
    answering = press.held[0, path] = threading.Event()  # keeps the run from ending before the interrupt
    sweep = presslake.start("ingest", "--catalogue", catalogue, **SMALL_BATCHES)
    _await_asked(press, 0, path)

    sweep.send_signal(signal.SIGINT)
    out, err = sweep.communicate(timeout=PATIENCE_S)
    answering.set()

    assert sweep.returncode == 130, (out, err)
    assert err.decode().strip().splitlines()[-1].startswith("Interrupted")
    with sqlite3.connect(presslake.home / "index.db") as index:
        (run_id,) = index.execute("SELECT run_id FROM runs").fetchone()
    index.close()
    with api_client(prefect_api_url) as api:
        run = api.get(f"/flow_runs/{run_id}").json()
    assert (run["state_type"], run["name"]) == ("CANCELLED", "all sources")
    assert presslake.ingest("--catalogue", catalogue, **SMALL_BATCHES)["pending"] == 0
    _assert_whole(presslake, press)
