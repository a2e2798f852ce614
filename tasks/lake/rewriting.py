"""Replace files of a table: the same rows packed into fewer files, or rows with new values.

A commit of removals and additions lands on the version of the table for which it was planned, or not at all. delta-rs
would let two writers remove the same file, each with its own replacement, and every row of it would be duplicated.

The name of a new file includes the version that may add it. Once that version exists without it, the file is garbage
and is deleted: at once by the process that wrote it, or by `maintain` if that process was killed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from tasks.errors import LakeUnavailable
from tasks.lake.delta_log import logged_paths, paths_in_commit
from tasks.lake.keys import PARTITION, commit_key, data_prefix, planned_version, rewritten_path
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import StoredFile, list_files
from tasks.lake.tables import delta_errors, parquet_of

PARQUET = "application/vnd.apache.parquet"
COMMIT_ATTEMPTS = 50
"""Attempts: a sweep commits every few seconds, and a commit takes a tenth of a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedRows:
    """Rows of one day as the bytes of a Parquet file, not yet in the lake."""

    day: date
    body: bytes
    rows: int

    @property
    def digest(self) -> str:
        """The digest of its bytes, a part of the file's name."""
        return hashlib.sha256(self.body).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A Parquet file in the lake that is not in its table yet; `size` in bytes."""

    path: str
    day: date
    size: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a commit records about itself, so that it is not made twice."""

    transactions: tuple[Transaction, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


NO_STAMP = Stamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """Files of a table that one commit removes, `old`, and adds, `new`, which are in the lake.

    `is_changed` says that values of rows have changed, and not only their place.
    """

    old: Sequence[StoredFile] = ()
    new: Sequence[NewFile]
    is_changed: bool
    now: datetime
    stamp: Stamp = NO_STAMP


def pack_rows(day: date, rows: pa.Table) -> PackedRows:
    """Return rows of one day as a file."""
    return PackedRows(day=day, body=parquet_of(rows), rows=rows.num_rows)


def put_rows(store: ObjectStore, table: DeltaTable, name: str, packed: PackedRows) -> NewFile:
    """Write rows into the lake as a file for the next version of the table; raises LakeUnavailable.

    No other version may add the file, so that it can be recognised as garbage later. See `commit_rewritten`.
    """
    return _put(store, name, packed, rewritten_path(packed.day, packed.digest, version=table.version() + 1))


def _put(store: ObjectStore, name: str, packed: PackedRows, path: str) -> NewFile:
    store.put(f"{name}/{path}", packed.body, content_type=PARQUET)
    return NewFile(path=path, day=packed.day, size=len(packed.body), rows=packed.rows)


def replace_files(
    store: ObjectStore,
    table: DeltaTable,
    old: Sequence[StoredFile],
    new: Sequence[PackedRows],
    *,
    is_changed: bool,
    now: datetime,
) -> bool:
    """Replace old files of one day by new ones, in one version; False if one of the old files is gone.

    `is_changed` says that values of rows have changed, and not only their place. Raises LakeUnavailable.
    """
    wanted, name = {file.key for file in old}, old[0].table
    for _ in range(COMMIT_ATTEMPTS):
        with delta_errors(table.table_uri):
            table.update_incremental()
        # If another maintenance has replaced a file since, its rows would be duplicated.
        if not wanted <= {file.key for file in list_files(table, name)}:
            return False
        files = [put_rows(store, table, name, one) for one in new]
        if commit_rewritten(store, table, name, FileChange(old=old, new=files, is_changed=is_changed, now=now)):
            return True
    return False  # left for the next time: nothing is lost


def add_rows(store: ObjectStore, table: DeltaTable, name: str, packed: PackedRows, *, now: datetime) -> bool:
    """Add rows to the table unless it has them already (False); idempotent. Raises LakeUnavailable."""
    return add_file(table, name, _put(store, name, packed, rewritten_path(packed.day, packed.digest)), now=now)


def add_file(table: DeltaTable, name: str, new: NewFile, *, now: datetime) -> bool:
    """Add a file that is in the lake to the table; False if the table has it already. Raises LakeUnavailable."""
    for _ in range(COMMIT_ATTEMPTS):
        with delta_errors(table.table_uri):
            table.update_incremental()
        if f"{name}/{new.path}" in {file.key for file in list_files(table, name)}:
            return False
        if _commit(table, FileChange(new=[new], is_changed=True, now=now)):
            return True
    return False


def commit_rewritten(store: ObjectStore, table: DeltaTable, name: str, change: FileChange) -> bool:
    """Commit a change of files on the version of the table that was read.

    Returns False, and deletes the new files, if another commit came first. Raises LakeUnavailable.
    """
    if _commit(table, change):
        return True
    _discard(store, table, name, change.new)
    return False


def find_dead_files(store: ObjectStore, table: DeltaTable, name: str) -> set[str]:
    """Return the keys of files written for a version that another commit took: no commit will ever add them.

    Killed processes leave such files. Updates the table to its newest version. Raises LakeUnavailable.
    """
    planned = {found.key: planned_version(found.key) for found in store.list(data_prefix(name))}
    with delta_errors(table.table_uri):
        table.update_incremental()  # after the listing, since a file is written before its version exists
    dead = {key for key, version in planned.items() if version is not None and version <= table.version()}
    dead -= {file.key for file in list_files(table, name)}
    return dead - logged_paths(store, name) if dead else dead


def _discard(store: ObjectStore, table: DeltaTable, name: str, new: Sequence[NewFile]) -> None:
    """Delete files whose version another commit took; `maintain` deletes what cannot be deleted here."""
    with suppress(LakeUnavailable, MissingObject, ValueError):
        # another process may have written and committed the same file
        named = set(paths_in_commit(store.get(commit_key(name, table.version() + 1))))
        for file in new:
            if file.path not in named:
                store.delete(f"{name}/{file.path}")


def _commit(table: DeltaTable, change: FileChange) -> bool:
    at = (change.now - _EPOCH) // timedelta(milliseconds=1)
    gone = [
        RemoveAction(file.key.partition("/")[2], change.is_changed, at, file.size, {PARTITION: file.day.isoformat()})
        for file in change.old
    ]
    added = [
        AddAction(
            path=file.path,
            size=file.size,
            partition_values={PARTITION: file.day.isoformat()},
            modification_time=at,
            data_change=change.is_changed,
            stats=json.dumps({"numRecords": file.rows}),  # the row count and no other statistics: see tables.py
        )
        for file in change.new
    ]
    with delta_errors(table.table_uri):
        try:
            table.create_write_transaction(
                [*gone, *added],
                mode="append",
                schema=table.schema(),
                partition_by=[PARTITION],
                # a retry would commit on a version that was not read
                commit_properties=CommitProperties(
                    max_commit_retries=0,
                    app_transactions=list(change.stamp.transactions) or None,
                    custom_metadata=dict(change.stamp.metadata) or None,
                ),
            )
        except CommitFailedError:
            return False
    return True
