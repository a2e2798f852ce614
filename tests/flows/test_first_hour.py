"""A new user's output: no empty headings, no wrapping in files, and progress bars that follow the work."""

import io
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.cli.console import PIPED_WIDTH, lines_of, width_of
from flows.sweep.dry_run import tables
from tasks.discover.preview import Preview
from tests.engine import Presslake
from tests.press import running_press
from tests.workers import api_client

BOTH = re.compile(r"(feeds polled|articles fetched|pages extracted)\D+?(\d+)/(\d+)")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def preview(**more):
    found = {"run_id": "r", "polled": 1, "discovered": 0, "would_fetch": 0, "skipped": {}, "failed": {}, "urls": (), "seconds": 0.1}  # fmt: skip
    return Preview(**found | more)


def test_a_dry_run_that_would_fetch_nothing_has_no_empty_heading():
    said = "\n".join(line for line, _ in lines_of(tables(preview()), width=80))

    assert said.strip() == "Dry run: would fetch nothing; nothing was fetched or stored"


def test_output_to_a_file_is_not_wrapped_at_a_terminals_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    assert width_of(io.StringIO()) == PIPED_WIDTH > 200


@pytest.mark.engine
def test_the_progress_bars_follow_the_work_and_match_the_report(presslake: Presslake, tmp_path: Path):
    with running_press(sites=3, articles=6) as press:
        catalogue = press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=0.3, max_per_host=1)
        shown, out = on_a_terminal(presslake, "ingest", "--catalogue", str(catalogue))

    seen: dict[str, set[tuple[int, int]]] = {}
    for what, done, of in BOTH.findall(shown):
        seen.setdefault(what, set()).add((int(done), int(of)))
    assert max(seen["feeds polled"]) == (3, 3)
    assert max(seen["articles fetched"]) == (18, 18)
    assert len({done for done, _ in seen["articles fetched"]}) > 3  # several steps, not just one from 0 to all
    assert "18 fetched" in out
    assert not re.search(r"decided (\{|\[)", shown)


def on_a_terminal(presslake: Presslake, *words: str) -> tuple[str, str]:
    """Run the command with standard error on a terminal; return the terminal's output, and standard output."""
    ours, its = pty.openpty()
    command = [Path(sys.executable).with_name("presslake"), *words]
    environment = {**os.environ, **presslake.variables, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        command, cwd=presslake.home, env=environment, stdout=subprocess.PIPE, stderr=its, text=True
    ) as process:
        os.close(its)
        shown = b"".join(_read(ours))
        out = process.stdout.read() if process.stdout else ""
    os.close(ours)
    return ESCAPE.sub("", shown.decode("utf-8", "replace")), out


def _read(terminal: int, within_s: float = 240):
    """Yield the output until the other end is closed."""
    ends_at = time.monotonic() + within_s
    while time.monotonic() < ends_at:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # EIO: the other end is closed
            return
        if not piece:
            return
        yield piece


def test_a_batch_without_an_article_is_logged_as_such(presslake: Presslake, prefect_api_url: str):
    with running_press(sites=1, articles=1) as press:
        missing = press.url(0, "/news/missing.html")
        run_id = presslake.ingest("--url", missing, PRESSLAKE_ALLOW_NETWORKS="127.0.0.0/8")["run_id"]

    wanted = {"logs": {"flow_run_id": {"any_": [run_id]}}, "limit": 200}
    with api_client(prefect_api_url) as api:
        logs = api.post("/logs/filter", json=wanted).json()

    assert "decided no article" in [one["message"] for one in logs]
