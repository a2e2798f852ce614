"""A private PostgreSQL server on a Unix socket, and fixtures of fresh indexes, in turn on SQLite and PostgreSQL.

`PRESSLAKE_TEST_POSTGRES` names another server instead, by the SQLAlchemy URL of a role that may create databases.
"""

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from tasks.index.database import Index, open_index

ROLE = "presslake"
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "deadlock_timeout": "200ms",
}


def find_binaries() -> Path | None:
    """Return the folder of `postgres` and `initdb`, which Debian does not put on the PATH."""
    folders = [path.parent for name in ("postgres",) if (path := Path(shutil.which(name) or "")).name]
    if pg_config := shutil.which("pg_config"):
        folder_of_binaries = subprocess.run(
            [pg_config, "--bindir"], capture_output=True, text=True, check=False
        ).stdout.strip()
        folders.append(Path(folder_of_binaries))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


@contextmanager
def started_server(binaries: Path, **options: str) -> Iterator[URL]:
    """Yield the URL of a server in its own folder, stopped and removed at the end; `options` are its settings."""
    # A short path: the socket is in it, and a socket's path has 108 bytes at most
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = _unprivileged_user()
    if user is not None:
        shutil.chown(folder, user)
    as_user = {"user": user, "cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}}
    try:
        subprocess.run(
            [binaries / "initdb", "-D", folder / "db", "-U", ROLE, "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            timeout=120,
            **as_user,
        )
        settings = [part for name, value in {**OPTIONS, **options}.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            command = [binaries / "postgres", "-D", folder / "db", "-k", folder, *settings]
            server = subprocess.Popen(command, stdout=log, stderr=log, **as_user)
        try:
            where = {"host": str(folder)} | {name: options[name] for name in ("port",) if name in options}
            url = URL.create("postgresql+psycopg", username=ROLE, database="postgres", query=where)
            _await(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown, which disconnects clients
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started_postgres() -> Iterator[str]:
    """Yield the URL of a server with the usual options, as text."""
    binaries = find_binaries()
    assert binaries is not None, "PostgreSQL is not installed here"
    with started_server(binaries) as url:
        yield url.render_as_string(hide_password=False)


@contextmanager
def fresh_database(server: URL, *, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a private database, empty or a copy, dropped at the end."""
    name = f"presslake_{uuid.uuid4().hex}"
    with connected(server) as connection:
        # since PostgreSQL 15 copies are logged, which doubles the cost for small databases
        strategy = "STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {strategy}')
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with connected(server) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def connected(url: URL) -> psycopg.Connection:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=10)


@dataclass(frozen=True, kw_only=True)
class Reusable:
    """A database that is reset for each test: restoring its rows takes a tenth of the time of copying it."""

    url: str
    restoring: str
    """Statements that restore every row and every sequence."""

    @classmethod
    def keep(cls, url: str) -> "Reusable":
        """Save the current content of a database in a second schema."""
        with connected(make_url(url)) as connection:
            tables = _names(connection, "r")
            filled = [name for name in tables if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()]
            connection.execute("CREATE SCHEMA kept")
            for name in filled:
                connection.execute(f'CREATE TABLE kept."{name}" AS TABLE public."{name}"')
            steps = [
                *(f'DELETE FROM public."{name}"' for name in tables),
                *(f'INSERT INTO public."{name}" SELECT * FROM kept."{name}"' for name in filled),
                *(_setting(connection, name) for name in _names(connection, "S")),
            ]
        return cls(url=url, restoring="; ".join(steps))

    def restore(self) -> None:
        """Restore everything, and disconnect clients."""
        with connected(make_url(self.url)) as connection, connection.transaction():
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            # deleted rows stay in the pages until a vacuum, and a test that counts pages would see them
            for name in _names(connection, "r", larger_than=128 * 1024):
                connection.execute(f'TRUNCATE public."{name}"')
            connection.execute(self.restoring)


def _names(connection: psycopg.Connection, kind: str, *, larger_than: int = -1) -> list[str]:
    """Return the names of the tables or sequences whose size in bytes is above a bound."""
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = %s AND pg_relation_size(oid) > %s"
    return [name for (name,) in connection.execute(query, (kind, larger_than))]


def _setting(connection: psycopg.Connection, sequence: str) -> str:
    last, is_called = connection.execute(f'SELECT last_value, is_called FROM public."{sequence}"').fetchone()
    return f"SELECT setval('public.\"{sequence}\"', {last}, {is_called})"


@pytest.fixture(scope="session")
def postgres_server(server_url: Callable[[str], str]) -> URL:
    if given := os.environ.get("PRESSLAKE_TEST_POSTGRES"):
        return make_url(given).set(drivername="postgresql+psycopg")
    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed here, and PRESSLAKE_TEST_POSTGRES names no server")
    _unprivileged_user()  # or skip
    return make_url(server_url("postgresql"))


@pytest.fixture
def postgres_url(postgres_server: URL) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield url


@cache
def _prepared_index() -> bytes:
    """The content of an index file at the newest schema."""
    with tempfile.TemporaryDirectory() as folder:
        open_index(f"sqlite:///{folder}/index.db").close()
        return Path(folder, "index.db").read_bytes()


def make_index_file(path: Path) -> str:
    """Make an index file at the newest schema by copying, since migrations take longer than most tests; returns its URL."""
    path.write_bytes(_prepared_index())
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index in a file at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("prepared") / "index.db"
    make_index_file(path)
    return path


@pytest.fixture
def file_index(tmp_path: Path) -> Iterator[Index]:
    """The test's own index in a file."""
    with open_index(make_index_file(tmp_path / "index.db")) as opened:
        yield opened


@pytest.fixture(scope="session")
def prepared_database(postgres_server: URL) -> Iterator[str]:
    """The name of a database at the newest schema, to be copied."""
    with fresh_database(postgres_server) as url:
        open_index(url).close()
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def reusable_database(postgres_server: URL, prepared_database: str) -> Iterator[Reusable]:
    """This worker's index in PostgreSQL, at the newest schema."""
    with fresh_database(postgres_server, template=prepared_database) as url:
        yield Reusable.keep(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_index_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an index that does not exist yet."""
    return (
        f"sqlite:///{tmp_path / 'index.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def index_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of the test's own index, at the newest schema; the test may change rows, but not the schema."""
    if request.param == "sqlite":
        return make_index_file(tmp_path / "index.db")
    reusable = request.getfixturevalue("reusable_database")
    reusable.restore()
    return reusable.url


@pytest.fixture
def index(index_url: str) -> Iterator[Index]:
    with open_index(index_url) as opened:
        yield opened


def _unprivileged_user() -> str | None:
    """Return the user to run PostgreSQL as, since it refuses root; None for the current user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in names), None)
    if user is None:
        pytest.skip(f"PostgreSQL does not run as {getpass.getuser()}, and there is neither postgres nor nobody")
    return user


def _await(url: URL, server: subprocess.Popen, log: Path, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connected(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.05)
        else:
            return
