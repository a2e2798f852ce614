"""An insert that may meet an existing row: the same in SQLite and PostgreSQL, but different in SQLAlchemy's dialects."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Upsert: TypeAlias = "sqlite.Insert | postgresql.Insert"


def insert_into(tx: Connection, table: Table) -> Upsert:
    """Return the insert of the transaction's own dialect, which knows `on_conflict_do_update` and `excluded`."""
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - PostgreSQL's own costs as much as a small command

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


def upsert(
    tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, by: Sequence[str], newest: Iterable[str]
) -> None:
    """Insert rows; of one that is there already by the columns `by`, the columns `newest` are replaced."""
    if rows:
        statement = insert_into(tx, table)
        replaced = {name: statement.excluded[name] for name in newest}
        tx.execute(statement.on_conflict_do_update(index_elements=list(by), set_=replaced), list(rows))
