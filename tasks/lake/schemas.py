"""The Arrow and Delta schemas of the tables, derived from the column definitions in tasks/values/rows.py. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import Schema
from deltalake.schema import ArrayType as DeltaArray
from deltalake.schema import Field
from deltalake.schema import StructType as DeltaStruct

from tasks.lake.keys import ARTICLES, CAPTURES, PARTITION, POLICIES, TAKEDOWNS
from tasks.values.columns import ArrayType, ColumnType, StructType, TableColumn, columns_of
from tasks.values.rows import Article, Capture, Policy
from tasks.values.takedown import Takedown

KINDS: dict[str, type[Capture | Article | Policy | Takedown]] = {
    CAPTURES: Capture,
    ARTICLES: Article,
    POLICIES: Policy,
    TAKEDOWNS: Takedown,
}

_INSTANTS = {CAPTURES: "fetched_at", ARTICLES: "fetched_at", POLICIES: "observed_at", TAKEDOWNS: "taken_at"}

_ARROW = {
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double": pa.float64(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_PARTITION = TableColumn(
    name=PARTITION,
    type="date",
    is_nullable=False,
    meaning="",
    revive=date.fromisoformat,
)


def arrow_schema(kind: type) -> pa.Schema:
    """Return the schema of a Parquet file of these rows."""
    return pa.schema(map(_arrow_field, columns_of(kind)))


def table_columns(name: str) -> tuple[TableColumn, ...]:
    """Return a table's columns as its readers see them: the partition first."""
    day = replace(_PARTITION, meaning=f"the UTC day of `{_INSTANTS[name]}`; the partition")
    return (day, *columns_of(KINDS[name]))


def table_schema(name: str) -> pa.Schema:
    """Return a table's schema as its readers see it: the partition first."""
    return pa.schema(map(_arrow_field, table_columns(name)))


def missing_columns(name: str, held: Schema) -> list[Field]:
    """Return the columns that a table does not have yet, in order."""
    names = {field.name for field in held.fields}
    return [field for field in _delta_fields(name) if field.name not in names]


def file_schema(name: str, held: Schema) -> pa.Schema:
    """Return the schema of a table's Parquet files, including columns that a newer version has added."""
    own, arrow = SCHEMAS[name], pa.schema(held.to_arrow())
    names = [field.name for field in held.fields if field.name != PARTITION]
    return pa.schema([own.field(column) if column in own.names else arrow.field(column) for column in names])


def find_misfits(name: str, held: Schema) -> Iterator[str]:
    """Yield the reasons why our rows cannot be written to a table, or read from it, one line each."""
    fields = {field.name: field for field in held.fields}
    for own in _delta_fields(name):
        there = fields.pop(own.name, None)
        if there is None and not own.nullable:
            yield f"no column {own.name}"
        elif there is not None and _shape(there.type) != _shape(own.type):
            yield f"column {own.name} is {_shape(there.type)}, not {_shape(own.type)}"
        elif there is not None and own.nullable and not there.nullable:
            yield f"column {own.name} may not be null"
    yield from (
        f"column {other.name} is unknown here and may not be null" for other in fields.values() if not other.nullable
    )


def fit_to_schema(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows of a file in this schema, with null in columns newer than the file.

    Raises ValueError or pyarrow.ArrowException if a non-null column is missing or a type differs.
    """
    return pa.Table.from_arrays([_fitted(rows, field) for field in schema], schema=schema)


def _fitted(rows: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    held = rows[field.name] if field.name in rows.schema.names else pa.nulls(rows.num_rows, field.type)
    if held.null_count and not field.nullable:
        raise ValueError(f"column {field.name} has rows without a value")
    # a cast imports pyarrow.compute, 40 ms of CPU, and almost no file needs one
    return held if held.type == field.type else held.cast(field.type)


def _delta_fields(name: str) -> list[Field]:
    fields: list[Field] = Schema.from_arrow(table_schema(name)).fields
    return fields


def _arrow_field(column: TableColumn) -> pa.Field:
    return pa.field(column.name, _arrow_type(column.type), nullable=column.is_nullable)


def _arrow_type(kind: ColumnType) -> pa.DataType:
    if isinstance(kind, ArrayType):
        return pa.list_(pa.field("element", _arrow_type(kind.element), nullable=False))
    return pa.struct(map(_arrow_field, kind.columns)) if isinstance(kind, StructType) else _ARROW[kind]


def _shape(kind: object) -> str:
    """Return a type's name without the nullability of its parts, about which other writers are not strict."""
    if isinstance(kind, DeltaArray):
        return f"array<{_shape(kind.element_type)}>"
    if isinstance(kind, DeltaStruct):
        return f"struct<{', '.join(f'{field.name}: {_shape(field.type)}' for field in kind.fields)}>"
    return str(getattr(kind, "type", kind))


SCHEMAS = {name: arrow_schema(kind) for name, kind in KINDS.items()}
"""The schema of each table's Parquet files: all columns but the partition."""


def open_parquet(body: bytes) -> pq.ParquetFile:
    """Open a Parquet file in memory, read by the calling thread only.

    An Arrow thread that holds a Python file at exit would abort the interpreter (ADR 0019).
    """
    return pq.ParquetFile(pa.BufferReader(body), pre_buffer=False)
