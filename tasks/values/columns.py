"""Derive columns from the annotated fields of a row's class, their single definition. Pure.

A field `status: Annotated[int | None, Column("the HTTP status", type="integer")]` makes the column `status`, a nullable
integer. The tables' schemas, the outbox's JSON, the readers and the tables of docs/lake.md follow from it. Types have
Delta's names.
"""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_PLAIN = {bool: "boolean", int: "long", float: "double", str: "string", datetime: "timestamp"}


@dataclass(frozen=True, slots=True)
class Column:
    """The annotation of a field: its meaning and, if not implied by the Python type, its type in the lake."""

    meaning: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class ArrayType:
    """A list type with non-null elements."""

    element: "ColumnType"

    def __str__(self) -> str:
        return f"array<{self.element}>"


@dataclass(frozen=True, slots=True)
class StructType:
    """A struct type."""

    columns: "tuple[TableColumn, ...]"

    def __str__(self) -> str:
        return f"struct<{', '.join(f'{one.name}: {one.type}' for one in self.columns)}>"


ColumnType = str | ArrayType | StructType


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column of a table. `revive` converts a non-null value from JSON or Arrow to the field's type."""

    name: str
    type: ColumnType
    is_nullable: bool
    meaning: str
    revive: Callable[[Any], Any]


def columns_of(kind: type) -> tuple[TableColumn, ...]:
    """Return the columns that a row's class defines, in the order of its fields."""
    return _columns_of(kind)


def revive(kind: type[T], row: Mapping[str, Any]) -> T:
    """Return a row from JSON or Arrow as a value of `kind`, by column name; missing columns are null.

    Unknown columns are ignored. Raises LookupError if a non-null column is missing.
    """
    return kind(**{column.name: _value(column, row) for column in columns_of(kind)})


@cache
def _columns_of(kind: type) -> tuple[TableColumn, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(_column(field.name, hints[field.name]) for field in fields(kind))


def _value(column: TableColumn, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a column is of any type
    value = row.get(column.name) if column.is_nullable else row[column.name]
    return None if value is None else column.revive(value)


def _column(name: str, hint: Any) -> TableColumn:  # noqa: ANN401 - a type hint is of any type
    hint, *extras = typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
    column = next((extra for extra in extras if isinstance(extra, Column)), Column(""))
    options = typing.get_args(hint) if typing.get_origin(hint) in {types.UnionType, typing.Union} else (hint,)
    plain = next(option for option in options if option is not types.NoneType)
    return TableColumn(
        name=name,
        type=column.type or _type(plain),
        is_nullable=types.NoneType in options,
        meaning=column.meaning,
        revive=_reviver(plain),
    )


def _type(plain: Any) -> ColumnType:  # noqa: ANN401
    if typing.get_origin(plain) is tuple:
        return ArrayType(_type(typing.get_args(plain)[0]))
    if is_dataclass(plain):
        return StructType(columns_of(typing.cast("type", plain)))
    return _PLAIN[str if issubclass(plain, StrEnum) else plain]


def _reviver(plain: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    if typing.get_origin(plain) is tuple:
        revive_one = _reviver(typing.get_args(plain)[0])
        return lambda values: tuple(map(revive_one, values))
    if is_dataclass(plain):
        return lambda row: revive(typing.cast("type", plain), row)
    if plain is datetime:
        return _instant
    return plain if issubclass(plain, StrEnum) else _as_it_is


def _instant(value: str | datetime) -> datetime:
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


def _as_it_is(value: T) -> T:
    return value
