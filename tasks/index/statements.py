"""Statements for many rows: chunks that fit into one statement, and upserts.

Upserts are the same SQL in SQLite and PostgreSQL, but separate classes in SQLAlchemy's dialects.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from sqlalchemy.dialects import postgresql, sqlite

Upsert: TypeAlias = "sqlite.Insert | postgresql.Insert"
T = TypeVar("T")


def in_chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the values in order, in lists of `size`; the last may be shorter."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def row_of(value: "DataclassInstance") -> dict[str, Any]:
    """Return a dataclass's fields as a row. `dataclasses.asdict` copies values, which costs more than the insert."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def insert_into(tx: Connection, table: Table) -> Upsert:
    """Return an insert of the transaction's dialect, which supports `on_conflict_do_update` and `excluded`."""
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - PostgreSQL's own costs as much as a small command

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


def upsert(
    tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, by: Sequence[str], newest: Iterable[str]
) -> None:
    """Insert rows. On a conflict in columns `by`, update columns `newest`; if there are none, keep the old row."""
    if not rows:
        return  # SQLAlchemy would insert one row of defaults
    statement = insert_into(tx, table)
    if replaced := {name: statement.excluded[name] for name in newest}:
        statement = statement.on_conflict_do_update(index_elements=list(by), set_=replaced)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(by))
    tx.execute(statement, rows)
