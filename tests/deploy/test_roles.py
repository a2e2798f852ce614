"""deploy/postgresql/roles.sql on a real server: each role has the rights it needs, and no more."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from deploy.fill_env import filled
from tasks.errors import ConfigError
from tasks.index.database import open_index
from tests.deploy.parts import clean, parsed, run
from tests.postgres import connected, find_binaries, started_server
from tests.press import running_press

ROLES = Path(__file__).parents[2] / "deploy/postgresql/roles.sql"


@pytest.fixture(scope="module")
def server() -> Iterator[URL]:
    """A server for this module, since roles are global to a server; the owner role creates the tables."""
    binaries = find_binaries()
    if binaries is None or shutil.which("psql") is None:
        pytest.skip("PostgreSQL and its psql are not installed here")
    with started_server(binaries) as url:
        passwords = parsed(filled()["postgresql.env"])
        folder = url.query["host"]
        run(f"psql -v ON_ERROR_STOP=1 -h {folder} -U presslake -f {shlex.quote(str(ROLES))} postgres", clean(passwords))
        index_url = _as(url, "presslake_owner")
        open_index(index_url.render_as_string(hide_password=False)).close()
        yield url


def _as(server: URL, role: str, database: str = "presslake") -> URL:
    return server.set(username=role, database=database)


def _refusal(url: URL, *statements: str) -> str:
    with connected(url) as connection, pytest.raises(psycopg.Error) as refused:
        for statement in statements:
            connection.execute(statement)
    return str(refused.value)


@pytest.mark.engine
def test_a_sweep_runs_as_the_worker_and_status_as_the_reader(server, presslake, tmp_path):
    worker, reader = (
        _as(server, f"presslake_{who}").render_as_string(hide_password=False) for who in ("worker", "reader")
    )
    with running_press(sites=2, articles=3) as press:
        summary = presslake.ingest("--catalogue", press.catalogue(tmp_path / "sources.yaml"), PRESSLAKE_INDEX=worker)
    found = presslake.run("verify", "--mend", "--json", PRESSLAKE_INDEX=worker)
    status = presslake.run("status", "--json", PRESSLAKE_INDEX=reader).json()

    assert summary["articles"]["new"] == 6
    assert found.json()["faults"] == []
    assert sum(counts.get("done", 0) for counts in status["frontier"].values()) == 6


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE frontier",
        "ALTER TABLE frontier ADD COLUMN more text",
        "TRUNCATE frontier",
        "CREATE TABLE mine (n int)",
        "CREATE INDEX mine ON frontier (url)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (n int)",
        "ALTER ROLE presslake_worker SUPERUSER",
        "COPY frontier TO PROGRAM 'cat'",
    ],
)
def test_a_worker_cannot_change_the_schema(server, statement):
    refusal = _refusal(_as(server, "presslake_worker"), statement)

    assert re.search("permission denied|must be (owner|superuser)", refusal), refusal


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM frontier",
        "UPDATE frontier SET attempts = 0",
        "INSERT INTO facts VALUES ('a', 'b')",
        "TRUNCATE facts",
    ],
)
def test_a_reader_cannot_write_even_in_a_read_write_transaction(server, statement):
    refusal = _refusal(_as(server, "presslake_reader"), "SET default_transaction_read_only = off", statement)

    assert "permission denied" in refusal


@pytest.mark.parametrize(
    ("role", "database"),
    [
        ("prefect", "presslake"),
        ("presslake_worker", "prefect"),
        ("presslake_reader", "prefect"),
        ("presslake_owner", "prefect"),
    ],
)
def test_prefects_role_and_ours_cannot_connect_to_each_others_database(server, role, database):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connected(_as(server, role, database))


def test_a_table_created_by_an_upgrade_is_writable_for_workers_and_readable_for_readers(server):
    with connected(_as(server, "presslake_owner")) as owner:
        owner.execute("CREATE TABLE later (n int)")
    try:
        with connected(_as(server, "presslake_worker")) as worker:
            worker.execute("INSERT INTO later VALUES (1)")
        with connected(_as(server, "presslake_reader")) as reader:
            read = reader.execute("SELECT n FROM later").fetchall()
    finally:
        with connected(_as(server, "presslake_owner")) as owner:
            owner.execute("DROP TABLE later")

    assert read == [(1,)]


def test_a_worker_without_tables_is_asked_to_migrate_as_the_owner(server):
    with connected(server) as superuser:
        superuser.execute("CREATE DATABASE empty OWNER presslake_owner")
    worker = make_url(_as(server, "presslake_worker", "empty").render_as_string(hide_password=False))

    with pytest.raises(ConfigError, match="cannot be upgraded: .*permission denied for schema public"):
        open_index(worker.render_as_string(hide_password=False))
