"""The modules that each command imports, in a separate process; times would depend on the machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NEVER = {
    "prefect",
    "httpx",
    "alembic",
    "boto3",
    "botocore",
    "tldextract",
    "requests",
    "lxml",
    "cssselect",
    "rich.console",
}
LAKE = {"pyarrow", "deltalake"}
INDEX = {"sqlalchemy"}
FRAMES = {"numpy", "pandas"}
"""Both are installed for the tests: Arrow imports them unless it is prevented (ADR 0033)."""
CATALOGUE = {"yaml", "pydantic", "can_ada"}
WATCHED = """
import atexit, json, os, sys
atexit.register(lambda: open(os.environ["MODULES"], "w").write(json.dumps(sorted(sys.modules))))
import presslake_command
presslake_command.main()
"""
GOOD = 'sources:\n  - id: daily\n    feeds: ["https://daily.example/feed.xml"]\n'


def _imported(home: Path, *words: str) -> set[str]:
    """Run a command; return the modules that its process imported."""
    places = {"PRESSLAKE_INDEX": f"sqlite:///{home / 'index.db'}", "PRESSLAKE_LAKE": str(home / "lake")}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *words],
        cwd=home,
        env={
            **os.environ,
            **places,
            "MODULES": str(home / "modules.json"),
            "PREFECT_API_URL": "http://127.0.0.1:9/api",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return set(json.loads((home / "modules.json").read_text()))


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with a catalogue, an index and a lake."""
    home = tmp_path_factory.mktemp("cheap")
    (home / "sources.yaml").write_text(GOOD)
    _imported(home, "ingest")  # fails without a server, after creating both
    assert (home / "index.db").exists()
    assert (home / "lake").exists()
    return home


@pytest.mark.parametrize(
    ("words", "dear"),
    [
        (("--help",), NEVER | LAKE | INDEX | CATALOGUE | {"asyncio"}),
        (("-h",), NEVER | LAKE | INDEX | CATALOGUE | {"asyncio"}),
        (("ingest", "--help"), NEVER | LAKE | INDEX | {"yaml", "can_ada"}),  # typer needs pydantic for options
        (("--version",), NEVER | LAKE | INDEX | CATALOGUE | {"asyncio"}),
        (("sources", "list"), NEVER | LAKE | INDEX),
        (("status",), NEVER | LAKE | {"yaml", "sqlalchemy.dialects.postgresql"}),
        (("show", "https://daily.example/a"), NEVER | FRAMES | {"yaml", "sqlalchemy.dialects.postgresql"}),
        (("search", "harbour"), NEVER | FRAMES | INDEX | {"yaml", "duckdb"}),
        (("sql", "select 1"), NEVER | FRAMES | INDEX | {"yaml", "tantivy"}),
        (("changes", "--since", "0"), NEVER | FRAMES | INDEX | {"yaml", "tantivy", "duckdb"}),
        (("trace", "https://daily.example/a"), NEVER | FRAMES | {"yaml", "sqlalchemy.dialects.postgresql"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_small_command_imports_no_expensive_modules(home, words, dear):
    assert _imported(home, *words) & dear == set()


def test_a_catalogue_mistake_is_reported_before_importing_prefect_and_the_index(tmp_path):
    (tmp_path / "sources.yaml").write_text(GOOD + "    crawl_dely_s: 3\n")

    assert _imported(tmp_path, "ingest") & (NEVER | LAKE | INDEX) == set()


def test_up_reports_a_catalogue_mistake_before_importing_prefect(tmp_path):
    assert _imported(tmp_path, "up") & (NEVER | LAKE | INDEX) == set()


def test_a_sweep_imports_no_modules_of_verify_replay_and_maintain():
    looks = "import sys, flows.cli.sweeping, flows.ingest; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", looks], capture_output=True, text=True, timeout=120, check=True)

    loaded = done.stdout.split()
    assert "tasks.deduplicate.deciding" in loaded
    assert [
        one for one in loaded if one.startswith(("tasks.verify.", "tasks.maintain.", "tasks.replay.replaying"))
    ] == []
