"""Translate driver errors that a retry may overcome into IndexUnavailable, by error code (ADR 0017)."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from tasks.errors import IndexUnavailable
from tasks.index.addresses import first_line

_SQLITE_TROUBLE = frozenset({
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip
_SQL_CLASSES = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58", "F0", "XX"})
"""SQLSTATE classes: connection, login, database, rollback, resources, object in use, operator, system, internal error.
"""
_SQL_STATES = frozenset({"25006", "25P03", "25P04"})
"""A read-only database, and a transaction that was idle or open for too long."""


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Raise IndexUnavailable for errors that a retry may overcome. Others, such as invalid SQL, pass through."""
    try:
        yield
    except sqlite3.Error as error:  # a connection's first pragmas: SQLAlchemy does not wrap their errors
        if not _is_operational(error):
            raise
        raise IndexUnavailable(f"{uri}: {first_line(error)}") from error
    except DBAPIError as error:
        if not (error.connection_invalidated or _is_operational(error.orig)):
            raise
        raise IndexUnavailable(f"{uri}: {first_line(error.orig or error)}") from error


def _is_operational(error: BaseException | None) -> bool:
    """Whether a driver error is operational. The code decides, not the class.

    psycopg raises OperationalError also for a row too long for an index, SQLite for an unknown column (ADR 0017).
    """
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)  # None if the module itself raised it
        return code is not None and code & 0xFF in _SQLITE_TROUBLE
    state = getattr(error, "sqlstate", None)
    if state is None:  # no answer from the server
        return type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
    return state in _SQL_STATES or state[:2] in _SQL_CLASSES
