"""An insert that may meet an existing row: the same in SQLite and PostgreSQL, but different in SQLAlchemy's dialects."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from sqlalchemy.dialects import postgresql, sqlite

Upsert: TypeAlias = "sqlite.Insert | postgresql.Insert"


def row_of(one: "DataclassInstance") -> dict[str, Any]:
    """Return a value's fields as a row: `dataclasses.asdict` copies each of them, which costs more than the insert."""
    return {field.name: getattr(one, field.name) for field in fields(one)}


def insert_into(tx: Connection, table: Table) -> Upsert:
    """Return the insert of the transaction's own dialect, which knows `on_conflict_do_update` and `excluded`."""
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - PostgreSQL's own costs as much as a small command

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


def upsert_into(tx: Connection, table: Table, *, by: Sequence[str], newest: Iterable[str]) -> Upsert:
    """Return the insert that replaces the columns `newest` of a row that is there already by the columns `by`."""
    statement = insert_into(tx, table)
    replaced = {name: statement.excluded[name] for name in newest}
    return statement.on_conflict_do_update(index_elements=list(by), set_=replaced)
