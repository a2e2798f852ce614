"""The commands of browsing: `browse` as a process, `stories`, `show --markdown`."""

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from tests.browse.press import PRINTS
from tests.servers import free_port

FERRY = next(one for one in PRINTS if one.slug == "night-ferry")


@pytest.fixture
def run(settings, monkeypatch):
    def run(*words: str):
        monkeypatch.setenv("PRESSLAKE_LAKE", settings.lake)
        monkeypatch.setenv("PRESSLAKE_INDEX", settings.index)
        return CliRunner().invoke(app, list(words), catch_exceptions=False)

    return run


def test_stories_name_their_first_source(run):
    printed = run("stories", "--json")
    (story,) = json.loads(printed.stdout)["stories"]

    assert (story["articles"], story["sources"], story["source_id"]) == (4, 4, "wire")
    assert story["article_id"] == FERRY.article_id
    assert story["first_at"] == FERRY.published_at.isoformat()


def test_stories_are_printed_as_a_table(run):
    printed = run("stories")

    assert "1 story, 2026-11-23 to 2026-11-29" in printed.stdout
    assert "Night ferry to the outer isles sails again from Friday" in printed.stdout


def test_stories_are_selected_by_day(run):
    assert json.loads(run("stories", "--day", "2026-11-20", "--json").stdout)["stories"] == []


@pytest.mark.parametrize("day", ["yesterday", "0001-01-01", "9999-12-31"])
def test_an_invalid_day_is_one_clear_error(run, day):
    done = run("stories", "--day", day)

    assert (done.exit_code, done.stdout) == (2, "")


def test_an_article_can_be_shown_as_markdown(run):
    printed = run("show", FERRY.article_id, "--markdown")

    assert printed.stdout.startswith(f"# {FERRY.title}\n\n{FERRY.text.partition(chr(10))[0]}\n\n")


def test_output_forms_exclude_one_another(run):
    assert run("show", FERRY.article_id, "--markdown", "--text").exit_code == 2


@pytest.mark.parametrize(
    "words", [["--host", "0.0.0.0"], ["--host", "example.org"], ["--lake", "nowhere"], ["--index", "sqlite:///no.db"]]
)
def test_a_server_that_cannot_start_is_one_clear_error(run, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = run("browse", "--port", "0", *words)

    assert done.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_it_serves_until_a_signal(settings):
    port = free_port()
    words = [
        sys.executable,
        "-m",
        "presslake",
        "browse",
        "--port",
        str(port),
        "--lake",
        settings.lake,
        "--index",
        settings.index,
    ]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONSAFEPATH": ""}
    )
    try:
        answer = _answered(f"http://127.0.0.1:{port}/", process)
        foreign = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "evil.example"}, trust_env=False, timeout=60)
        written = httpx.post(f"http://127.0.0.1:{port}/", trust_env=False, timeout=60)
        frame = httpx.get(
            f"http://127.0.0.1:{port}/articles/{FERRY.article_id}/revisions/1/page", trust_env=False, timeout=60
        )
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()

    assert "Night ferry to the outer isles" in answer.text
    assert "server" not in answer.headers
    assert (foreign.status_code, written.status_code, frame.status_code) == (403, 405, 200)
    assert (process.returncode, out) == (0, "")
    assert said.splitlines() == [f"Presslake is at http://127.0.0.1:{port}/ (Ctrl-C stops it)", "Stopped."]


def _answered(url: str, process: subprocess.Popen) -> httpx.Response:
    until = time.monotonic() + 120
    while True:
        try:
            return httpx.get(url, trust_env=False)
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
