"""Open the index: an engine with the right transactions, at the newest schema, bound to one lake (ADR 0001).

SQLite: WAL, and `BEGIN IMMEDIATE` for every transaction that writes, because upgrading a read transaction fails by the
thousand beside other writers. Commits are durable unless the caller says otherwise. PostgreSQL: READ COMMITTED.
"""

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tasks.errors import ConfigError, IndexUnavailable, PresslakeError
from tasks.index.addresses import first_line, parse_address, without_secrets
from tasks.index.driver_errors import translated
from tasks.index.schema import facts
from tasks.runtime.places import is_there

HEAD = "0014"
"""The newest migration; a test compares it with migrations/versions."""

BUSY_TIMEOUT_S = 30
PROGRESS_STEPS = 100_000
"""Steps of SQLite's virtual machine between two checks of the clock: a few milliseconds."""
WRITES = "presslake_writes"
DURABLE = "presslake_durable"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_SHARED_LOCK = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
_migrating = threading.Lock()  # alembic keeps its context in a module, so a process runs one migration at a time


Transaction = Connection
"""A transaction of the index. Other packages pass it on and run no statements of their own in it."""


class Index:
    """The opened control plane. Decide inside `write()`; use `read()` for everything that only reads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.index_id = ""

    @property
    def is_sqlite(self) -> bool:
        """Whether the index is an SQLite file rather than PostgreSQL."""
        return self._engine.dialect.name == "sqlite"

    @property
    def uri(self) -> str:
        """The index's address for display, without the password."""
        return without_secrets(self._engine.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction. Raises IndexUnavailable."""
        with translated(self.uri), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, is_durable: bool = True) -> Iterator[Connection]:
        """Open a write transaction: committed at the end, rolled back on any error. Raises IndexUnavailable.

        A commit that is not durable survives the end of the process, but a power failure may undo the latest ones
        (SQLite only).
        """
        with translated(self.uri), self._engine.connect() as connection:
            writing = connection.execution_options(**{WRITES: True, DURABLE: is_durable})
            with writing.begin():
                yield writing

    @contextmanager
    def rehearse(self) -> Iterator[Connection]:
        """Open a write transaction that is always rolled back, for dry runs. Raises IndexUnavailable."""
        with translated(self.uri), self._engine.connect() as connection:
            writing = connection.execution_options(**{WRITES: True, DURABLE: False})
            transaction = writing.begin()
            try:
                yield writing
            finally:
                transaction.rollback()

    @contextmanager
    def alone(self) -> Iterator[Any]:
        """Open a driver connection in autocommit mode, for statements such as VACUUM. Raises IndexUnavailable."""
        with translated(self.uri):
            pooled = self._engine.raw_connection()
            try:
                if not self.is_sqlite:
                    pooled.driver_connection.autocommit = True  # type: ignore[union-attr]
                yield pooled.driver_connection
            finally:
                pooled.invalidate()  # its settings must not leak to other users

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_index(index_url: str) -> Index:
    """Open the index at an SQLAlchemy URL; create or migrate it if needed. Raises ConfigError."""
    engine = _make_engine(parse_address(index_url))
    index = Index(engine)
    try:
        _bring_up_to_date(index)
        index.index_id = _own_id(index)
    except IndexUnavailable as error:
        index.close()
        raise _cannot_be_opened(index, error) from error
    except ConfigError:
        index.close()
        raise
    return index


def open_reader(index_url: str, *, timeout_s: int) -> Index:
    """Open an index for reading only. Creates, migrates and writes nothing. Raises ConfigError.

    Raises IndexUnavailable if it is unreachable, missing or not yet migrated. `timeout_s` bounds the whole connection
    with SQLite, and each statement and connect with PostgreSQL.
    """
    url = parse_address(index_url)
    index = Index(_make_engine(url, is_read_only=_is_in_fixed_folder(url)))
    if index.is_sqlite and not is_there(Path(str(url.database))):
        raise IndexUnavailable(f"{index.uri}: does not exist yet: the first sweep creates it")
    _restrict(index, timeout_s)
    try:
        found = _schema_version(index)
        if found is None or found < HEAD:
            raise IndexUnavailable(
                f"{index.uri}: still at schema {found or 'none'}: the next sweep or `presslake migrate` upgrades it to {HEAD}"
            )
        if found > HEAD:
            raise _too_new(index, found)
    except PresslakeError:
        index.close()
        raise
    return index


def bind_lake(index: Index, *, lake_id: str, lake_uri: str, is_used: bool = False) -> None:
    """Bind the index to its lake at first use. Raises ConfigError if it is bound to another lake.

    An index describes one lake: with another, whole outlets would be skipped as known. A new index on a lake that
    `is_used` would fetch everything a second time.
    """
    with index.write() as tx:
        lock(tx, "lake")
        bound = _bound(tx)
        if "lake_id" not in bound:
            if is_used:
                raise ConfigError(
                    f"the index {index.uri} is new, but the lake {lake_uri} has articles: choose their index with "
                    "--index, or build a new one from the lake with `presslake reindex`"
                )
            tx.execute(facts.insert(), [{"name": "lake_id", "value": lake_id}, {"name": "lake_uri", "value": lake_uri}])
            return
    _check_bound(bound, index, lake_id=lake_id, lake_uri=lake_uri)


def check_bound_lake(index: Index, *, lake_id: str, lake_uri: str) -> None:
    """Check that an index and a lake belong together, without binding them. Raises ConfigError."""
    with index.read() as tx:
        bound = _bound(tx)
    if bound:
        _check_bound(bound, index, lake_id=lake_id, lake_uri=lake_uri)


def _bound(tx: Connection) -> dict[str, str]:
    rows = tx.execute(select(facts.c.name, facts.c.value).where(facts.c.name.in_(("lake_id", "lake_uri"))))
    return {row.name: row.value for row in rows}


def _check_bound(bound: dict[str, str], index: Index, *, lake_id: str, lake_uri: str) -> None:
    if bound["lake_id"] != lake_id:
        raise ConfigError(
            f"the index {index.uri} belongs to the lake {bound.get('lake_uri')}, not to {lake_uri}: use that lake, or another --index"
        )


@contextmanager
def savepoint(tx: Connection) -> Iterator[None]:
    """Run a part of a transaction that may fail. A failure rolls back only this part. Raises IndexUnavailable."""
    with translated(without_secrets(tx.engine.url)), tx.begin_nested():
        yield


def lock(tx: Connection, name: str) -> None:
    """Take an exclusive lock across all processes, held until the transaction ends."""
    if tx.dialect.name != "sqlite":  # BEGIN IMMEDIATE already is such a lock
        tx.execute(_LOCK, {"name": f"presslake.{name}"})


def share(tx: Connection, name: str) -> None:
    """Take `lock` in shared mode: wait for an exclusive holder, and keep others out until this transaction ends."""
    if tx.dialect.name != "sqlite":
        tx.execute(_SHARED_LOCK, {"name": f"presslake.{name}"})


def is_missing(index_url: str) -> bool:
    """Whether the SQLite file or the PostgreSQL tables do not exist yet. Raises ConfigError."""
    url = parse_address(index_url)
    if url.get_backend_name() == "sqlite":
        return not is_there(Path(str(url.database)))
    try:
        with Index(_make_engine(url)) as index:
            return _schema_version(index) is None
    except IndexUnavailable as error:
        raise _cannot_be_opened(index, error) from error


def _is_in_fixed_folder(url: URL) -> bool:
    """Whether it is an SQLite file in a read-only folder. Even to read, SQLite creates files beside the database."""
    return url.get_backend_name() == "sqlite" and not os.access(Path(str(url.database)).parent, os.W_OK)


def _make_engine(url: URL, *, is_read_only: bool = False) -> Engine:
    if url.get_backend_name() != "sqlite":
        try:
            return create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED")
        except (ArgumentError, ValueError) as error:
            raise ConfigError("the index's URL has an invalid option: its hosts or ports") from error
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"the index {without_secrets(url)} needs a driver: pip install 'presslake[postgresql]'"
            ) from error
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None},
        json_serializer=_as_json,
        json_deserializer=orjson.loads,
    )
    if is_read_only:
        event.listen(engine, "do_connect", _read_only)
    else:
        event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _as_json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _read_only(_dialect: object, _record: object, cargs: list[str], cparams: dict[str, Any]) -> None:
    """Open the file as immutable, unless another process has its WAL beside it (SQLite, "URI Filenames")."""
    (path,) = cargs
    how = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    cargs[:] = [f"file:{quote(path)}?{how}"]
    cparams["uri"] = True


def _set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection has no type of its own
    # no auto_vacuum: if several processes set it while they open a new file, the tables of one are lost
    _enter_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _enter_wal(connection: Any) -> None:  # noqa: ANN401
    """Switch the file to WAL mode. SQLite does not wait when several processes do this at once, so retry here."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(WRITES, False):
        connection.exec_driver_sql("BEGIN")
        return
    synchronous = "FULL" if options.get(DURABLE, True) else "NORMAL"
    if connection.info.get("synchronous", "FULL") != synchronous:
        connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
        connection.info["synchronous"] = synchronous
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _restrict(index: Index, timeout_s: int) -> None:
    """Make the connections read-only and limit their time."""

    def restrict_connection(connection: Any, _record: object) -> None:  # noqa: ANN401
        until = time.monotonic() + timeout_s
        connection.execute("PRAGMA query_only=ON")
        connection.set_progress_handler(lambda: time.monotonic() > until, PROGRESS_STEPS)

    def restrict_transaction(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {timeout_s * 1000}")

    def shorten_connect(_dialect: object, _record: object, _words: object, arguments: dict[str, Any]) -> None:
        arguments.setdefault("connect_timeout", timeout_s)
        arguments.setdefault("tcp_user_timeout", timeout_s * 1000)

    engine = index._engine
    if index.is_sqlite:
        event.listen(engine, "connect", restrict_connection)
    else:
        event.listen(engine, "do_connect", shorten_connect)
        event.listen(engine, "begin", restrict_transaction)


def _bring_up_to_date(index: Index) -> None:
    found = _schema_version(index)
    if found == HEAD:
        return
    if found is None or found < HEAD:
        _migrate(index)
        return
    raise _too_new(index, found)


def _too_new(index: Index, found: str) -> ConfigError:
    return ConfigError(
        f"the index {index.uri} is at schema {found}; this Presslake knows up to {HEAD}: upgrade Presslake"
    )


def _schema_version(index: Index) -> str | None:
    with index.read() as tx:
        if not inspect(tx).has_table("alembic_version"):
            return None
        version = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if version is None else str(version)


def _migrate(index: Index) -> None:
    from alembic import command  # noqa: PLC0415 - 0.2 s that only the first run and an upgrade need
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "tasks.index:migrations")
    try:
        with _migrating, index.write() as tx:
            lock(tx, "migrate")
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise ConfigError(f"the index {index.uri} cannot be upgraded: {first_line(error)}") from error


def _cannot_be_opened(index: Index, error: IndexUnavailable) -> ConfigError:
    reason = str(error).removeprefix(f"{index.uri}: ")
    return ConfigError(f"the index {index.uri} cannot be opened: {reason}")


def _own_id(index: Index) -> str:
    """Return the id under which this index commits to the lake; create it on the first call."""
    query = select(facts.c.value).where(facts.c.name == "index_id")
    with index.read() as tx:
        known: str | None = tx.execute(query).scalar()
    if known is not None:
        return known
    with index.write() as tx:
        lock(tx, "index_id")
        known = tx.execute(query).scalar()
        if known is None:
            known = uuid.uuid4().hex
            tx.execute(facts.insert().values(name="index_id", value=known))
    return known
