"""Run one SQL query, and return its result row by row."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb

from tasks.config.settings import Settings
from tasks.errors import ConfigError, LakeUnavailable
from tasks.query.views import open_views
from tasks.runtime.lakes import open_lake_without_index
from tasks.values.text.escape import as_plain
from tasks.values.text.storable import storable_text

T = TypeVar("T")

AT_ONCE = 1_000
SAID = 600
_READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a query: column names, and rows, which can be iterated once."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def ask(query: str, settings: Settings) -> Iterator[QueryResult]:
    """Run one read-only query on the lake that the settings name.

    Raises ConfigError, in one line, if the query is invalid or not read-only, and if there is no lake; and
    LakeUnavailable.
    """
    store, _ = open_lake_without_index(settings)
    with open_views(store) as views:
        check_reads(views.connection, query)
        done = computed(views.connection, lambda: views.connection.execute(query))
        yield QueryResult(tuple(column[0] for column in done.description or ()), _rows(done))


def check_reads(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise ConfigError unless this is one statement that only reads."""
    if storable_text(query) != query:
        raise ConfigError("the query: NUL, or bytes that are not UTF-8")
    with query_errors():
        statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise ConfigError(f"the query has {len(statements)} statements; only one is allowed")
    if statements[0].type not in _READS:
        raise ConfigError(
            f"the query is a {statements[0].type.name}; only SELECT, DESCRIBE, SUMMARIZE and EXPLAIN are allowed"
        )


def computed(connection: duckdb.DuckDBPyConnection, compute: Callable[[], T]) -> T:
    """Return what DuckDB computes, with its errors translated; Ctrl-C ends it.

    It runs in another thread: in the thread that gets the signal, DuckDB does not reliably react to it.
    """
    with query_errors(), ThreadPoolExecutor(1) as aside:
        try:
            return aside.submit(compute).result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise


@contextmanager
def query_errors() -> Iterator[None]:
    """Translate DuckDB's errors: a mistake in the query, or a lake that cannot be read."""
    try:
        yield
    except (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError, duckdb.PermissionException) as error:
        raise ConfigError(_one_line(error)) from error
    except duckdb.Error as error:
        raise LakeUnavailable(_one_line(error)) from error


def _one_line(error: BaseException) -> str:
    message = str(error).partition("\n\nLINE")[0]
    return as_plain(f"the query: {message}", length=SAID)


def _rows(done: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := computed(done, lambda: done.fetchmany(AT_ONCE)):
        yield from rows
