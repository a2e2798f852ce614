"""The documented examples run with the built wheel alone, without the checkout."""

import json
import re
from pathlib import Path

import pytest

from tasks.lake.warc import SegmentWriter
from tests.lakes import Lake
from tests.rows import FETCHED_AT

ROOT = Path(__file__).parents[1]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.DOTALL)
NOTEBOOK = json.loads((ROOT / "examples/lake.ipynb").read_text(encoding="utf-8"))
KEY = "warc/dt=2026-03-01/b1.warc.gz"
PAGE = b"""<html><head><title>Harbour reopens</title></head><body><article><h1>Harbour reopens</h1>
<p>The harbour reopened on Monday, four months after the storm that had shut it.</p></article></body></html>"""
# all of our imported modules came from the wheel
FROM_THE_WHEEL = """
import sys
ours = [m for n, m in sys.modules.items() if n.partition(".")[0] in {"presslake", "flows", "tasks"} and m.__file__]
assert all(m.__file__.startswith(sys.argv[1]) for m in ours), ours
"""


@pytest.fixture
def home(tmp_path):
    """A folder with a lake that has one article and its page."""
    lake = Lake(tmp_path)
    segment = SegmentWriter(KEY, software="test", created_at=FETCHED_AT)
    place = segment.add_exchange(
        url="https://daily.example/a",
        request_head=b"GET /a HTTP/1.1\r\n\r\n",
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        body=PAGE,
        fetched_at=FETCHED_AT,
    )
    lake.store.put(KEY, segment.to_bytes())
    lake.publish({"warc_offset": place.offset, "warc_length": place.length})
    return tmp_path


def ran(wheel, home, *parts):
    program = home / "program.py"
    program.write_text("\n".join([*parts, FROM_THE_WHEEL]), encoding="utf-8")
    done = wheel.run(program, wheel.folder, cwd=home)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_on_python_runs(wheel, home):
    said = ran(wheel, home, *(one for one in EXAMPLES if "import IngestConfig" not in one))

    assert said.splitlines()[-2:] == [f"Harbour reopens {len(PAGE)}", "1 added a1 Harbour reopens"]


def test_the_notebook_runs(wheel, home):
    cells = ["".join(one["source"]) for one in NOTEBOOK["cells"] if one["cell_type"] == "code"]

    said = ran(wheel, home, *cells)

    assert said.splitlines() == [
        "2026-03-01 06:00:00+00:00 daily Harbour reopens",
        "[{'source_id': 'daily', 'articles': 1, 'longest': 8}]",
        f"{len(PAGE)} bytes; Harbour reopens",
        "1 added a1 Harbour reopens",
        "0 changes since 1",
    ]


def test_the_notebook_is_stored_without_output():
    assert [one.get("outputs", []) for one in NOTEBOOK["cells"]] == [[]] * len(NOTEBOOK["cells"])


def test_the_command_runs(wheel, home):
    done = wheel.run("-m", "presslake", "sql", "select title from latest", "--format", "csv", cwd=home)

    assert (done.returncode, done.stdout) == (0, "title\nHarbour reopens\n"), done.stderr


def test_the_public_imports_need_neither_prefect_nor_an_index(wheel, home):
    said = ran(
        wheel,
        home,
        "import presslake, sys; list(presslake.open_lake('lake').latest())",
        "print('prefect' in sys.modules)",
    )

    assert said == "False\n"
    assert not list(home.glob("*.db"))
