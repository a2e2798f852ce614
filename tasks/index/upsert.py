"""The insert that may meet a row that is there: SQLite and PostgreSQL spell it alike, SQLAlchemy by dialect."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Upsert = sqlite.Insert | postgresql.Insert


def insert_into(tx: Connection, table: Table) -> Upsert:
    """Return the insert of the transaction's own dialect, which knows `on_conflict_do_update` and `excluded`."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


def upsert(
    tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, by: Sequence[str], newest: Iterable[str]
) -> None:
    """Insert rows; of one that is there already by the columns `by`, the columns `newest` are replaced."""
    if rows:
        statement = insert_into(tx, table)
        replaced = {name: statement.excluded[name] for name in newest}
        tx.execute(statement.on_conflict_do_update(index_elements=list(by), set_=replaced), list(rows))
