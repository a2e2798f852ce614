"""Read rows of the lake's tables, for `trace` and `maintain`: file by file, through the object port.

It does not use deltalake's Arrow datasets. Those read through a Python file system, and an Arrow reader thread that
still uses it at exit aborts the process (measured: one run of `trace` in ten; ADR 0019).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from tasks.errors import LakeUnavailable
from tasks.lake.delta_log import logged_paths
from tasks.lake.keys import ARTICLES, PARTITION, data_prefix
from tasks.lake.objects.stores import MissingObject, ObjectInfo, ObjectStore, one_line
from tasks.lake.schemas import SCHEMAS, fit_to_schema, open_parquet
from tasks.lake.tables import delta_errors, find_table


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A Parquet file that a table's log names: `key` of its object, `size` in bytes, `rows` as the log counts them, or None."""

    table: str
    key: str
    day: date
    size: int
    rows: int | None


def list_files(table: DeltaTable, name: str) -> list[StoredFile]:
    """Return the files of this version of the table, the oldest day first."""
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    files = [
        StoredFile(
            table=name,
            key=f"{name}/{unquote(action['path'])}",
            day=action[f"partition.{PARTITION}"],
            size=action["size_bytes"],
            rows=action.get("num_records"),
        )
        for action in actions
    ]
    return sorted(files, key=lambda file: (file.day, file.key))


def unneeded_files(store: ObjectStore, table: DeltaTable, name: str) -> tuple[list[ObjectInfo], list[ObjectInfo]]:
    """Return the files that the newest version does not need: those that the log names, and those that it does not name.

    Other processes commit meanwhile, so the version is read after the files and the log; it then includes every file
    that they show. Afterwards `table` is at that version.
    """
    files = list(store.list(data_prefix(name)))
    if not _without_needed(files, table, name):
        return [], []
    logged = logged_paths(store, name)
    others = _without_needed(files, table, name)
    return [one for one in others if one.key in logged], [one for one in others if one.key not in logged]


def _without_needed(files: Sequence[ObjectInfo], table: DeltaTable, name: str) -> list[ObjectInfo]:
    with delta_errors(table.table_uri):
        table.update_incremental()
    needed = {file.key for file in list_files(table, name)}
    return [one for one in files if one.key not in needed]


def read_columns(store: ObjectStore, file: StoredFile, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a file's rows, with only the named columns if there are names; raises LakeUnavailable."""
    own = SCHEMAS[file.table]
    return read_in_schema(store, file, pa.schema([own.field(name) for name in columns or own.names]))


def read_in_schema(store: ObjectStore, file: StoredFile, schema: pa.Schema) -> pa.Table:
    """Return a file's rows in this schema, with null in a column that the file lacks; raises LakeUnavailable."""
    with _lake_errors(file.key):
        return fit_to_schema(_open(store, file.key).read(columns=schema.names, use_threads=False), schema)


def read_rows(store: ObjectStore, table: str, *, url_key: str, since: date) -> Iterator[dict[str, Any]]:
    """Yield a URL's rows of `captures` or `articles` from a day on, the oldest first; raises LakeUnavailable."""
    found_table = find_table(store, table)
    files = list_files(found_table, table) if found_table else []
    found = [row for file in files if file.day >= since for row in _rows_of(store, file, url_key)]
    yield from sorted(found, key=lambda row: (row["fetched_at"], row["revision"] or 0))


def read_where(store: ObjectStore, table: str, column: str, values: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table with one of these values in a column, the oldest day first; raises LakeUnavailable."""
    found_table = find_table(store, table) if values else None
    for file in list_files(found_table, table) if found_table else ():
        with _lake_errors(file.key):
            yield from _rows_where(store, file, column, values)


def read_articles(store: ObjectStore, spans: Mapping[str, tuple[date, date]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of these articles (ids) that were fetched from the one day to the other; raises LakeUnavailable.

    A file that is missing or damaged is skipped: `verify` reports it, and a sweep goes on.
    """
    table = find_table(store, ARTICLES) if spans else None
    for file in list_files(table, ARTICLES) if table else ():
        ids = sorted(one for one, (first, last) in spans.items() if first <= file.day <= last)
        try:
            yield from _rows_where(store, file, "article_id", ids) if ids else ()
        except (MissingObject, pa.ArrowException, ValueError):
            continue


def _rows_of(store: ObjectStore, file: StoredFile, url_key: str) -> list[dict[str, Any]]:
    with _lake_errors(file.key):
        return _rows_where(store, file, "url_key", [url_key])


def _rows_where(store: ObjectStore, file: StoredFile, column: str, values: Sequence[str]) -> list[dict[str, Any]]:
    opened, wanted = _open(store, file.key), set(values)
    held = opened.read(columns=[column], use_threads=False)[column].to_pylist()
    return list(rows_at(opened, [place for place, value in enumerate(held) if value in wanted], file))


def rows_at(parquet: pq.ParquetFile, places: Sequence[int], file: StoredFile) -> Iterator[dict[str, Any]]:
    """Yield a file's rows at these positions, in order; only row groups with such a row are unpacked."""
    start = 0
    for group in range(parquet.num_row_groups):
        end = start + parquet.metadata.row_group(group).num_rows
        if here := [place - start for place in places if start <= place < end]:
            rows = fit_to_schema(parquet.read_row_group(group, use_threads=False), SCHEMAS[file.table])
            # slices, since take() and filter() import pyarrow.compute: 13 MB and 40 ms of CPU
            yield from pa.concat_tables([rows.slice(place, 1) for place in here]).to_pylist()
        start = end


def _open(store: ObjectStore, key: str) -> pq.ParquetFile:
    return open_parquet(store.get(key))


@contextmanager
def _lake_errors(key: str) -> Iterator[None]:
    try:
        yield
    except MissingObject as error:
        raise LakeUnavailable(f"the table names {key}, which is not in the lake") from error
    except (pa.ArrowException, ValueError) as error:
        raise LakeUnavailable(f"{key}: {one_line(error)}") from error
