"""The table `removals`: rows that were removed from `articles`, so that consumers can remove what they derived from them.

It has no partitions. The application transaction of a commit is the outbox's, as in the other tables.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction

from tasks.errors import LakeUnavailable
from tasks.lake.keys import REMOVALS, removals_path
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.schemas import arrow_schema, open_parquet
from tasks.lake.tables import (
    BATCHES,
    CHECKPOINT_INTERVAL,
    COMMIT_ATTEMPTS,
    arrow_rows,
    delta_errors,
    is_committed,
    parquet_of,
)
from tasks.values.changes import Removal
from tasks.values.columns import revive

SCHEMA = arrow_schema(Removal)
PARQUET = "application/vnd.apache.parquet"


def add_removals(
    store: ObjectStore, rows: Sequence[Removal], *, batch_id: str, sequence: int, app_id: str, now: datetime
) -> None:
    """Add the rows that one change removed; idempotent. Raises LakeUnavailable."""
    if not rows:
        return
    table = _open(store)
    stamp = CommitProperties(
        app_transactions=[Transaction(app_id, sequence)], custom_metadata={BATCHES: [batch_id]}, max_commit_retries=0
    )
    body, path = parquet_of(arrow_rows(rows, SCHEMA)), removals_path(batch_id, sequence)
    for _ in range(COMMIT_ATTEMPTS):
        if is_committed(table, app_id=app_id, sequence=sequence, batch_id=batch_id):
            return
        store.put(f"{REMOVALS}/{path}", body, content_type=PARQUET)
        if _commit(table, path, size=len(body), rows=len(rows), stamp=stamp, now=now):
            return
        with delta_errors(table.table_uri):
            table.update_incremental()
    raise LakeUnavailable(f"{table.table_uri}: other commits came first; gave up after {COMMIT_ATTEMPTS} attempts")


def read_removals(store: ObjectStore, *, since: int = 0) -> Iterator[Removal]:
    """Yield the rows removed after an outbox sequence; raises LakeUnavailable."""
    table = _find(store)
    if table is None:
        return
    with delta_errors(table.table_uri):
        paths = pa.table(table.get_add_actions(flatten=True))["path"].to_pylist()
    for path in sorted(paths):
        for row in open_parquet(store.get(f"{REMOVALS}/{path}")).read(use_threads=False).to_pylist():
            if row["change_seq"] > since:
                yield revive(Removal, row)


def _find(store: ObjectStore) -> DeltaTable | None:
    uri = store.delta_uri(REMOVALS)
    with delta_errors(uri):
        try:
            return DeltaTable(uri, storage_options=store.storage_options())
        except TableNotFoundError:
            return None


def _open(store: ObjectStore) -> DeltaTable:
    """Open the table, and create it if it is missing; several processes may do so at once."""
    if table := _find(store):
        return table
    uri = store.delta_uri(REMOVALS)
    with delta_errors(uri), suppress(CommitFailedError):  # another process may create it first
        DeltaTable.create(
            uri,
            SCHEMA,
            mode="ignore",
            name=REMOVALS,
            description="Rows removed from articles.",
            configuration={"delta.checkpointInterval": str(CHECKPOINT_INTERVAL)},
            storage_options=store.storage_options(),
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    if table := _find(store):
        return table
    raise LakeUnavailable(f"{uri}: cannot be created")


def _commit(table: DeltaTable, path: str, *, size: int, rows: int, stamp: CommitProperties, now: datetime) -> bool:
    add = AddAction(
        path=path,
        size=size,
        partition_values={},
        modification_time=int(now.timestamp() * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": rows}),
    )
    with delta_errors(table.table_uri):
        try:
            table.create_write_transaction([add], mode="append", schema=table.schema(), commit_properties=stamp)
        except CommitFailedError:
            return False
    return True
