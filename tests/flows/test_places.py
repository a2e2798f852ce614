"""Names of files and folders that cannot be used: each command says which, and why, in one line."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.engine import Presslake
from tests.released.specimen import RELEASED

LEFT_BEHIND = RELEASED / "0.1.0"
LONG = "n" * 300
"""No file system takes a name of more than 255 bytes."""

LAKE, INDEX, CATALOGUE = ("--lake", "{}/lake"), ("--index", "sqlite:///{}/index.db"), ("--catalogue", "{}/sources.yaml")
COMMANDS = [
    ("status", *INDEX),
    ("report", *INDEX),
    ("stories", *INDEX),
    ("trace", "http://daily.example/", *LAKE),
    ("trace", "http://daily.example/", *INDEX),
    ("show", "http://daily.example/", *LAKE),
    ("search", "ferry", *LAKE),
    ("sql", "select 1", *LAKE),
    ("changes", "--since", "0", *LAKE),
    ("verify", *LAKE),
    ("verify", *INDEX),
    ("rights", "report", *LAKE),
    ("export", "--format", "jsonl", "--out", "{}/out"),
    ("maintain", "--dry-run", *CATALOGUE),
    ("maintain", "--dry-run", *LAKE),
    ("replay", "--dry-run", *CATALOGUE),
    ("ingest", *CATALOGUE),
    ("ingest", "--url", "http://daily.example/", *CATALOGUE),
    ("ingest", *INDEX),
    ("init", *CATALOGUE),
    ("sources", "list", *CATALOGUE),
    ("sources", "import", "{}/list.opml"),
    ("forget", "--list", "{}/list.txt"),
    ("backfill", "warc", "{}/pages.warc"),
    ("backfill", "warc", "{}/*.warc"),
    ("backfill", "warc", "@{}/list.txt"),
    ("backfill", "warc", "x.warc", *CATALOGUE),
    ("metrics", "--once", *CATALOGUE),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Presslake:
    """The command beside a lake and an index that can be read."""
    home = tmp_path_factory.mktemp("filled")
    shutil.copytree(LEFT_BEHIND / "lake", home / "lake")
    shutil.copy(LEFT_BEHIND / "index.sqlite", home / "index.db")
    shutil.copy(LEFT_BEHIND / "sources.yaml", home / "sources.yaml")
    presslake = Presslake(home, {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(home / "prefect")})
    presslake.run("migrate")
    return presslake


@pytest.fixture(scope="module")
def closed(filled) -> Iterator[str]:
    """A folder that this user may not look into; root may look into each."""
    if os.geteuid() == 0:
        pytest.skip("root may look into every folder")
    folder = filled.home / "closed"
    folder.mkdir(mode=0)
    yield folder.name
    folder.chmod(0o700)


def _complaint(presslake: Presslake, command: tuple[str, ...], place: str) -> str:
    """Run a command that is given that place; returns the last line that is said."""
    ended = presslake.run(*(word.replace("{}", place) for word in command), check=False)
    assert (ended.code, ended.out) == (2, ""), ended
    assert "Traceback" not in ended.err
    return ended.err.splitlines()[-1]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_name_that_is_too_long_is_named(filled, command):
    line = _complaint(filled, command, LONG)

    assert LONG in line
    assert line.lower().endswith("file name too long")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_folder_that_may_not_be_looked_into_is_named(filled, closed, command):
    line = _complaint(filled, command, closed)

    assert "closed/" in line
    assert line.lower().endswith("permission denied")


@pytest.mark.parametrize("option", ["--article", "--source", "--host", "--url"])
def test_octets_that_are_no_text_are_refused_before_anything_is_forgotten(filled, option):
    ended = filled.run("forget", option, os.fsdecode(b"\xff"), check=False)

    assert (ended.code, ended.out, ended.err.splitlines()[-1].partition(": ")[0]) == (2, "", "presslake")
    assert ended.err.endswith(f"{option}: NUL, or bytes that are not UTF-8\n")


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "--dry-run"),
        ("maintain", "--dry-run"),
        ("verify",),
        ("forget", "--url", "http://a.example/", "--dry-run"),
    ],
    ids=" ".join,
)
def test_an_empty_folder_does_not_become_a_lake(filled, words):
    folder = filled.home / "empty"
    folder.mkdir(exist_ok=True)

    ended = filled.run(*words, "--lake", "empty", check=False)

    assert (ended.code, ended.out) == (2, "")
    assert str(folder) in ended.err
    assert list(folder.iterdir()) == []
