"""Creating Prefect's database from a template."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from flows.server.template import cache_folder, prepare_database


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder()


class Migrations:
    """Creates a database at a path, and counts its calls."""

    def __init__(self, database: Path) -> None:
        self.database, self.runs = database, 0

    def __call__(self) -> None:
        self.runs += 1
        with closing(sqlite3.connect(self.database)) as made:
            made.execute("PRAGMA journal_mode=WAL")
            made.execute("CREATE TABLE alembic_version (version_num TEXT)")
            made.execute("INSERT INTO alembic_version VALUES ('newest')")
            made.commit()


def _prepare(database: Path, version: str = "3.8.8") -> int:
    database.parent.mkdir(exist_ok=True)
    migrations = Migrations(database)
    prepare_database(f"sqlite+aiosqlite:///{database}", version=version, migrate=migrations)
    return migrations.runs


def _version_in(database: Path) -> str:
    with closing(sqlite3.connect(database)) as known:
        return known.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def test_migrations_run_once_for_all_new_databases_of_a_version(tmp_path):
    runs = [_prepare(tmp_path / name / "prefect.db") for name in ("one", "two", "three")]

    assert runs == [1, 0, 0]
    assert {_version_in(tmp_path / name / "prefect.db") for name in ("one", "two", "three")} == {"newest"}


def test_each_version_of_prefect_has_its_own_template(tmp_path, cache):
    _prepare(tmp_path / "one.db")

    assert _prepare(tmp_path / "two.db", version="3.9.0") == 1
    assert sorted(path.name for path in cache.iterdir()) == ["prefect-3.8.8.db", "prefect-3.9.0.db"]


@pytest.mark.parametrize("left", ["prefect.db", "prefect.db-wal"])
def test_an_existing_database_is_not_changed(tmp_path, left):
    (tmp_path / left).write_bytes(b"somebody's")

    assert _prepare(tmp_path / "prefect.db") == 0
    assert (tmp_path / left).read_bytes() == b"somebody's"


def test_an_unwritable_cache_only_costs_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert [_prepare(tmp_path / name) for name in ("one.db", "two.db")] == [1, 1]


def test_a_damaged_template_is_replaced(tmp_path, cache):
    cache.mkdir(parents=True)
    (cache / "prefect-3.8.8.db").write_bytes(b"no database, but long enough to be read as one" * 100)

    assert _prepare(tmp_path / "prefect.db") == 1
    assert _version_in(cache / "prefect-3.8.8.db") == "newest"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://prefect@db/prefect",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:////nowhere/at/all.db",
    ],
)
def test_databases_that_are_not_files_are_left_to_prefect(url):
    prepare_database(url, version="3.8.8", migrate=lambda: pytest.fail("nothing to migrate here"))


def test_of_concurrent_servers_the_first_ones_database_is_kept(tmp_path):
    _prepare(tmp_path / "first.db")
    start = threading.Barrier(6)

    def begin() -> None:
        start.wait()
        _prepare(tmp_path / "shared.db")
        with closing(sqlite3.connect(tmp_path / "shared.db")) as own:
            own.execute("INSERT INTO alembic_version VALUES ('mine')")
            own.commit()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with closing(sqlite3.connect(tmp_path / "shared.db")) as shared:
        assert shared.execute("SELECT count(*) FROM alembic_version").fetchone()[0] == 7
    assert [path.name for path in tmp_path.glob("shared.db.*")] == []
