"""The tables `captures` and `articles`: write rows to Parquet, and commit files to a Delta log exactly once.

The columns are those of tasks/values/rows.py, in order, after the partition `dt`. The application transaction of a
commit is the index's id with the outbox's sequence. The commit also names its batches: an index restored from a backup
reuses sequences, and its new batches must not be taken for old ones.
"""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction

from tasks.errors import LakeFormatError, LakeUnavailable
from tasks.lake.delta_log import is_new
from tasks.lake.keys import ARTICLES, CAPTURES, PARTITION, POLICIES, TAKEDOWNS, data_path
from tasks.lake.objects.stores import ObjectStore, one_line
from tasks.lake.schemas import SCHEMAS, find_misfits, table_schema
from tasks.values.rows import Article, Capture, Policy
from tasks.values.text.storable import storable_text

BATCHES = "presslake_batches"
COMMIT_ATTEMPTS = 10
# every reader lists and reads the log from the last checkpoint on; 20 commits keep that short and cost 2 ms CPU per
# commit
CHECKPOINT_INTERVAL = 20
GROUP_ROWS = 2_000
"""Rows per row group: to read one row, a reader unpacks this many."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = Capture | Article
"""A row that a later decision may change."""

StoredRow = Row | Policy

DESCRIPTIONS = {
    CAPTURES: "One row per fetch, whatever its outcome.",
    ARTICLES: "One row per revision of an article.",
    POLICIES: "One row per document in which a site says what may be done with its pages.",
    TAKEDOWNS: "One row per takedown.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A Parquet file in the lake, ready to be committed; `size` in bytes."""

    batch_id: str
    sequence: int
    day: date
    size: int
    rows: int
    last_at: datetime

    @property
    def path(self) -> str:
        """Its path inside its table."""
        return data_path(self.day, self.batch_id, self.sequence)


def parquet(name: str, rows: Sequence[StoredRow]) -> bytes:
    """Return a Parquet file of these rows of the table; the bytes are deterministic."""
    return parquet_of(arrow_rows(rows, SCHEMAS[name]))


def arrow_rows(rows: Sequence[object], schema: pa.Schema) -> pa.Table:
    """Return rows as an Arrow table; characters that Arrow cannot hold are replaced."""
    columns = [pa.array([_plain(getattr(row, field.name)) for row in rows], type=field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def parquet_of(table: pa.Table) -> bytes:
    """Return a Parquet file of rows that have a table's schema."""
    out = io.BytesIO()
    small = [column for column in table.schema.names if column not in {"text", "markdown"}]
    pq.write_table(
        table,
        out,
        compression="zstd",
        store_schema=False,  # Parquet's own types suffice
        write_statistics=small,
        use_dictionary=small,
        row_group_size=GROUP_ROWS,
    )
    return out.getvalue()


def open_table(store: ObjectStore, name: str) -> DeltaTable:
    """Open a table at its newest version, and create it if there is none; several processes may do so at once.

    The table may lack nullable columns: readers get null, and `open_for_writing` adds them. Raises LakeUnavailable, and
    LakeFormatError if another column is missing or differs from ours.
    """
    if table := find_table(store, name):
        return table
    uri = store.delta_uri(name)
    with delta_errors(uri):
        _create_table(uri, name, store.storage_options())
    if table := find_table(store, name):
        return table
    raise LakeUnavailable(f"{uri}: cannot be created")


def find_table(store: ObjectStore, name: str) -> DeltaTable | None:
    """Open a table as `open_table` does, or return None if it does not exist; a table that has lost its log does exist."""
    uri = store.delta_uri(name)
    with delta_errors(uri):
        table = _found(uri, store)
        if table is None and is_new(store, name):
            return None
        table = table or _found(uri, store)  # another process may have created it meanwhile
        if table is None:
            raise LakeUnavailable(f"{uri}: its log is missing: see `presslake verify`")
        held = table.schema()
    for misfit in find_misfits(name, held):
        raise LakeFormatError(f"{uri}: {misfit}: written by another version of Presslake")
    return table


def _found(uri: str, store: ObjectStore) -> DeltaTable | None:
    try:
        return DeltaTable(uri, storage_options=store.storage_options())
    except TableNotFoundError:
        return None


def is_committed(table: DeltaTable, *, app_id: str, sequence: int, batch_id: str) -> bool:
    """Whether this version of the table has the batch's rows."""
    with delta_errors(table.table_uri):
        # A table keeps only the greatest version per application (Delta protocol, "Transaction Identifiers").
        if sequence > (table.transaction_version(app_id) or 0):
            return False
        # the transaction version is not enough: an index restored from a backup reuses numbers for new batches
        named = (batch for commit in table.history() for batch in commit.get(BATCHES, ()))
        files = (path.rpartition("/")[2] for path in table.file_uris())
        return batch_id in set(named) or f"{batch_id}-{sequence}.parquet" in set(files)


def commit_files(table: DeltaTable, files: Iterable[DataFile], *, app_id: str) -> Sequence[DataFile]:
    """Commit the files that are not committed yet, in one version, and return them.

    `table` itself stays at its version. If another process commits first under the same application id, delta-rs
    refuses the commit; the files still missing are then determined again and committed. Raises LakeUnavailable.
    """
    wanted = tuple(files)
    for _ in range(COMMIT_ATTEMPTS):
        wanted = tuple(
            file
            for file in wanted
            if not is_committed(table, app_id=app_id, sequence=file.sequence, batch_id=file.batch_id)
        )
        if not wanted or _commit(table, wanted, app_id):
            return wanted
        with delta_errors(table.table_uri):
            table.update_incremental()
    raise LakeUnavailable(f"{table.table_uri}: other commits came first; gave up after {COMMIT_ATTEMPTS} attempts")


def _commit(table: DeltaTable, files: Sequence[DataFile], app_id: str) -> bool:
    """Commit; returns False if another commit came first."""
    batches = sorted({file.batch_id for file in files})
    with delta_errors(table.table_uri):
        version = max(table.transaction_version(app_id) or 0, *(file.sequence for file in files))
        properties = CommitProperties(
            app_transactions=[Transaction(app_id, version)], custom_metadata={BATCHES: batches}
        )
        try:
            table.create_write_transaction(
                [_add_action(file) for file in files],
                mode="append",
                schema=table.schema(),
                partition_by=[PARTITION],
                commit_properties=properties,
            )
        except CommitFailedError:  # another commit has written this application's transaction
            return False
    return True


def _create_table(uri: str, name: str, options: dict[str, str] | None) -> None:
    try:
        DeltaTable.create(
            uri,
            table_schema(name),
            mode="ignore",
            partition_by=[PARTITION],
            name=name,
            description=DESCRIPTIONS[name],
            configuration={"delta.checkpointInterval": str(CHECKPOINT_INTERVAL)},
            storage_options=options,
            # with retries, the loser of a race would write the table's metadata again, as version 1
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except CommitFailedError:
        return  # another process has created it


def _add_action(file: DataFile) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values={PARTITION: file.day.isoformat()},
        modification_time=(file.last_at - _EPOCH) // timedelta(milliseconds=1),
        data_change=True,
        # deltalake 1.6.6 reads statistics of some columns as "between null and null" for all other columns:
        # its Arrow datasets, and DuckDB over them, then find nothing by a filter on any of those
        stats=json.dumps({"numRecords": file.rows}),
    )


def _plain(value: object) -> object:
    if type(value) is str and value.isascii() and "\0" not in value:
        return value  # plain values, the usual case
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


@contextmanager
def delta_errors(uri: str) -> Iterator[None]:
    """Translate delta-rs's errors to ours."""
    try:
        yield
    except (DeltaError, OSError) as error:
        raise LakeUnavailable(f"{uri}: {one_line(error)}") from error
