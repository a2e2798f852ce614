"""The lake's tables as views of DuckDB, in a sandbox that reads nothing else.

DuckDB's extensions for Delta and S3 would have to be downloaded, so it reads Arrow datasets of the files that a table's
log names. A query has no access to files, network, settings or extensions, since a person may have copied it.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyarrow import fs

from tasks.errors import ConfigError, LakeUnavailable
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import DirectoryStore, ObjectStore
from tasks.lake.reading import list_files
from tasks.lake.schemas import KINDS, table_schema
from tasks.lake.tables import delta_errors, find_table

ALWAYS = (ARTICLES, CAPTURES)
_SANDBOX = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # otherwise a name in a query could read Python variables
}
# only identities are grouped: a window over whole rows would hold every text in memory
_LATEST = """
    create view latest as
    select a.* from articles a semi join (
        select article_id, newest.fetched_at, newest.revision
        from (
            select article_id, max({'fetched_at': fetched_at, 'revision': revision}) as newest
            from articles group by article_id
        )
    ) using (article_id, fetched_at, revision)
"""


@dataclass(frozen=True, slots=True)
class Views:
    """An open connection to the views, and the version of each table that they show (None: the table does not exist yet)."""

    connection: duckdb.DuckDBPyConnection
    versions: Mapping[str, int | None]


@contextmanager
def open_views(store: ObjectStore) -> Iterator[Views]:
    """Open the views `articles`, `latest`, `captures` and those of the lake's other tables; raises LakeUnavailable."""
    spill = Path(tempfile.gettempdir()) / f"presslake-sql-{os.getpid()}"
    with duckdb.connect(":memory:", config={**_SANDBOX, "temp_directory": str(spill)}) as connection:
        versions = {name: _add_view(connection, store, name) for name in KINDS}
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(_LATEST)
        connection.execute("set lock_configuration = true")
        try:
            yield Views(connection, versions)
        except ConfigError as error:
            if isinstance(
                error.__cause__, duckdb.InvalidInputException
            ):  # raised for an invalid value and for an unreadable file
                _check_files(store, error)
            raise


def _check_files(store: ObjectStore, error: ConfigError) -> None:
    """Raise LakeUnavailable if a file that a table names is missing or damaged."""
    for name in KINDS:
        table = find_table(store, name)
        sizes = {one.key: one.size for one in store.list(f"{name}/")} if table else {}
        for file in list_files(table, name) if table else ():
            if sizes.get(file.key) != file.size:
                raise LakeUnavailable(f"{file.key} is missing or damaged: see `presslake verify`") from error


def _add_view(connection: duckdb.DuckDBPyConnection, store: ObjectStore, name: str) -> int | None:
    table = find_table(store, name)
    if table is None:
        if name in ALWAYS:
            connection.register(name, table_schema(name).empty_table())
        return None
    connection.register(name, _dataset(table, store, name))
    return table.version()


def _dataset(table: DeltaTable, store: ObjectStore, name: str) -> ds.Dataset:
    """Return the table's files as a dataset; columns that the table lacks are null."""
    # Arrow's own file system if possible: threads that use a Python file system are slow, and outlive it (ADR 0019)
    own = fs.SubTreeFileSystem(str(Path(store.uri) / name), fs.LocalFileSystem()) if _is_local(store) else None
    with delta_errors(table.table_uri):
        found = table.to_pyarrow_dataset(filesystem=own)
    held = {field.name for field in found.schema}
    grown = [field for field in table_schema(name) if field.name not in held]
    return found.replace_schema(pa.schema([*found.schema, *grown])) if grown else found


def _is_local(store: ObjectStore) -> bool:
    return isinstance(store, DirectoryStore)
