"""The command `metrics`."""

import os
import re
import signal
import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from tests.forking import Running
from tests.metrics.filling import fill
from tests.press import running_press
from tests.servers import free_port

GOOD = 'sources:\n  - id: daily\n    feeds: ["https://daily.example/feed.xml"]\n'


@pytest.fixture
def filled(offline_presslake, prepared_file):
    from tasks.index.database import open_index

    (offline_presslake.home / "index.db").write_bytes(prepared_file.read_bytes())
    with open_index(f"sqlite:///{offline_presslake.home / 'index.db'}") as index:
        fill(index)
    return offline_presslake


def test_once_prints_the_metrics(filled):
    out = filled.run("metrics", "--once").out

    assert "presslake_up 1.0" in out.splitlines()
    assert 'presslake_articles_total{novelty="new"} 1.0' in out.splitlines()
    assert 'source="b"' in out


def test_only_the_catalogues_sources_have_series(filled):
    (filled.home / "sources.yaml").write_text(GOOD)

    out = filled.run("metrics", "--once").out

    assert set(re.findall(r'source="([^"]+)"', out)) == {"daily"}


def test_once_fails_if_the_index_is_unavailable(offline_presslake):
    ended = offline_presslake.run("metrics", "--once", check=False)

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "presslake_up 0.0" in ended.out.splitlines()
    assert not (offline_presslake.home / "index.db").exists()


def test_it_serves_until_it_is_interrupted(filled):
    port = free_port()
    process = filled.start("metrics", "--listen", f"127.0.0.1:{port}")
    try:
        said = _first_line(process)
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30, trust_env=False)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()

    assert f"http://127.0.0.1:{port}/metrics" in said
    assert "presslake_up 1.0" in answer.text.splitlines()
    assert (process.returncode, err.decode()) == (0, f"{said}Stopped.\n")


def _first_line(process: Running) -> str:
    """Wait, at most a minute, for the first output line, and return it."""
    deadline = time.monotonic() + 60
    while not process.err.endswith(b"\n"):
        assert time.monotonic() < deadline, process.err
        time.sleep(0.05)
    return process.err.decode()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--listen", "nowhere"), "--listen 'nowhere'"),
        (("--listen", "192.0.2.1:9464"), "--listen 192.0.2.1:9464"),
        (("--catalogue", "no.yaml"), "no.yaml"),
        (("--index", "index.db"), "--index"),
    ],
)
def test_a_mistake_is_one_clear_line(offline_presslake, words, named):
    ended = offline_presslake.run("metrics", *words, check=False)

    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert named in ended.err


def test_an_index_of_a_newer_schema_is_reported(filled):
    with sqlite3.connect(filled.home / "index.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    ended = filled.run("metrics", "--once", check=False)

    assert (ended.code, ended.out) == (2, "")
    assert "upgrade Presslake" in ended.err


def test_a_catalogue_is_read_again_when_it_changes(tmp_path: Path):
    from tasks.metrics.serving import ListedSources

    path = tmp_path / "sources.yaml"
    listed = ListedSources(path, say=print)
    assert listed() is None
    path.write_text(GOOD)
    os.utime(path, (1, 1))
    assert listed() == {"daily"}
    path.write_text("nonsense")
    os.utime(path, (2, 2))
    assert listed() == {"daily"}
    path.write_text(GOOD.replace("daily", "other"))
    os.utime(path, (3, 3))
    assert listed() == {"other"}


@pytest.mark.engine
def test_metrics_count_what_sweeps_reported(presslake, tmp_path):
    with running_press(sites=2, articles=3) as press:
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        summary = presslake.ingest("--catalogue", catalogue)
    lines = presslake.run("metrics", "--once", "--catalogue", catalogue).out.splitlines()

    assert summary["articles"]["new"] == 6
    assert 'presslake_articles_total{novelty="new"} 6.0' in lines
    assert 'presslake_source_articles_total{novelty="new",source="site-1"} 3.0' in lines
    assert "presslake_last_run_fetched 6.0" in lines
    assert "presslake_outbox_batches 0.0" in lines
