"""Read-only commands on a read-only file system, such as a mounted archive."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.engine import Presslake
from tests.read_only import read_only

GOOD = 'sources:\n  - id: daily\n    feeds: ["https://daily.example/feed.xml"]\n'
READING = ("status", "report", "stories", "changes --since 0", "sql select(1)")


@pytest.fixture(params=[False, True], ids=["at rest", "while another process writes"])
def fixed(offline_presslake, request) -> Iterator[Presslake]:
    """A place with an index and a lake on a read-only file system or, without root, in a read-only folder."""
    home = offline_presslake.home
    (home / "sources.yaml").write_text(GOOD)
    offline_presslake.run("ingest", check=False)  # fails without a server, after creating both
    with closing(sqlite3.connect(home / "index.db")) as other:
        if request.param:
            other.execute("INSERT INTO facts (name, value) VALUES ('written', 'last')")
            other.commit()
        with read_only(home):
            yield offline_presslake


@pytest.mark.parametrize("words", READING)
def test_read_only_commands_need_no_writable_place(fixed, words):
    ended = fixed.run(*words.split(), check=False)

    assert (ended.code, ended.err) == (0, "")


def test_a_url_can_be_traced_there(fixed):
    ended = fixed.run("trace", "https://daily.example/a", check=False)

    assert "https://daily.example/a is unknown" in ended.err


def test_an_unwritable_catalogue_is_named(fixed):
    ended = fixed.run("init", "--catalogue", "new.yaml", check=False)

    assert ended.err.startswith("presslake: new.yaml: cannot be written: ")
    assert ended.code == 2
