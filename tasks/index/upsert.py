"""The insert that may meet a row that is there: SQLite and PostgreSQL spell it alike, SQLAlchemy by dialect."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Upsert = sqlite.Insert | postgresql.Insert


def insert_into(tx: Connection, table: Table) -> Upsert:
    """Return the insert of the transaction's own dialect, which knows `on_conflict_do_update` and `excluded`."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)
