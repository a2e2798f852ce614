"""Replace files of a table: the same rows packed into fewer files, or rows with new values.

A commit of removals and additions lands on the version of the table for which it was planned, or not at all. delta-rs
lets two writers remove one file, each with its own replacement: every row of that file would be there twice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from tasks.lake.keys import PARTITION, rewritten_path
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files
from tasks.lake.tables import delta_errors, parquet_of

PARQUET = "application/vnd.apache.parquet"
COMMIT_ATTEMPTS = 50
"""A sweep commits every few seconds; a commit takes a tenth of one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A Parquet file that is in the lake and replaces others; `size` in bytes."""

    path: str
    day: date
    size: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a commit says of itself, so that it is not made twice."""

    transactions: tuple[Transaction, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


NO_STAMP = Stamp()


def put_rows(store: ObjectStore, table: str, day: date, rows: pa.Table) -> NewFile:
    """Put rows of a table into the lake, not yet named by its log; raises LakeUnavailable."""
    body = parquet_of(rows)
    path = rewritten_path(day, hashlib.sha256(body).hexdigest()[:32])
    store.put(f"{table}/{path}", body, content_type=PARQUET)
    return NewFile(path=path, day=day, size=len(body), rows=rows.num_rows)


def replace_files(
    table: DeltaTable, old: Sequence[StoredFile], new: Sequence[NewFile], *, is_changed: bool, now: datetime
) -> bool:
    """Replace old files of one day by new ones, in one version; False where one of the old files is gone.

    `is_changed` says that values of rows have changed, and not only their place. Raises LakeUnavailable.
    """
    wanted = {file.key for file in old}
    for _ in range(COMMIT_ATTEMPTS):
        with delta_errors(table.table_uri):
            table.update_incremental()
        # Another maintenance may have replaced a file since: its rows would then be in the table twice.
        if not wanted <= {file.key for file in list_files(table, old[0].table)}:
            return False
        if commit_rewritten(table, old, new, is_changed=is_changed, now=now):
            return True
    return False  # next time: what is not replaced is still there


def add_file(table: DeltaTable, name: str, new: NewFile, *, now: datetime) -> bool:
    """Add a file that is in the lake to the table; False where the table has it already. Raises LakeUnavailable."""
    for _ in range(COMMIT_ATTEMPTS):
        with delta_errors(table.table_uri):
            table.update_incremental()
        if f"{name}/{new.path}" in {file.key for file in list_files(table, name)}:
            return False
        if commit_rewritten(table, (), [new], is_changed=True, now=now):
            return True
    return False


def commit_rewritten(
    table: DeltaTable,
    old: Sequence[StoredFile],
    new: Sequence[NewFile],
    *,
    is_changed: bool,
    now: datetime,
    stamp: Stamp = NO_STAMP,
) -> bool:
    """Remove and add files on the version of the table that was read; False where another commit was first."""
    at = (now - _EPOCH) // timedelta(milliseconds=1)
    gone = [
        RemoveAction(file.key.partition("/")[2], is_changed, at, file.size, {PARTITION: file.day.isoformat()})
        for file in old
    ]
    added = [
        AddAction(
            path=file.path,
            size=file.size,
            partition_values={PARTITION: file.day.isoformat()},
            modification_time=at,
            data_change=is_changed,
            stats=json.dumps({"numRecords": file.rows}),  # the number of rows and no other statistics: see tables.py
        )
        for file in new
    ]
    with delta_errors(table.table_uri):
        try:
            table.create_write_transaction(
                [*gone, *added],
                mode="append",
                schema=table.schema(),
                partition_by=[PARTITION],
                # with retries the commit would land on a version that was not read
                commit_properties=CommitProperties(
                    max_commit_retries=0,
                    app_transactions=list(stamp.transactions) or None,
                    custom_metadata=dict(stamp.metadata) or None,
                ),
            )
        except CommitFailedError:
            return False
    return True
