"""Add to tables the columns that this version defines and a table lacks, in a commit of their own (ADR 0003).

A commit lands on the version of the table that was read, or not at all. So of several processes that add a column, one
succeeds, and a sweep may commit rows meanwhile. Earlier rows have null in a new column.
"""

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError

from tasks.errors import LakeUnavailable
from tasks.lake.delta_log import check_tail
from tasks.lake.keys import LATER_TABLES, TABLES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.schemas import missing_columns
from tasks.lake.tables import delta_errors, find_table, open_table

ATTEMPTS = 50
"""Sweeps commit every few seconds; a commit takes a tenth of one."""


def add_missing_columns(store: ObjectStore) -> None:
    """Add the columns that the lake's tables lack, if there are tables; raises LakeUnavailable, LakeFormatError."""
    for name in (*TABLES, *LATER_TABLES):
        if table := find_table(store, name):
            _make_ready(table, store, name)


def open_for_writing(store: ObjectStore, name: str) -> DeltaTable:
    """Open a table to write to it: its log whole, with every column that this version defines.

    Raises DamagedTable, and as `open_table` does.
    """
    table = open_table(store, name)
    _make_ready(table, store, name)
    return table


def _make_ready(table: DeltaTable, store: ObjectStore, name: str) -> None:
    check_tail(store, name, version=table.version())  # a checkpoint over an empty commit would hide its rows for ever
    _grow(table, name)


def _grow(table: DeltaTable, name: str) -> None:
    for _ in range(ATTEMPTS):
        missing = missing_columns(name, table.schema())
        if not missing:
            return
        with delta_errors(table.table_uri):
            try:
                # a retry by delta-rs would add a column that another process has added meanwhile
                table.alter.add_columns(missing, commit_properties=CommitProperties(max_commit_retries=0))
            except CommitFailedError:
                table.update_incremental()
    if missing_columns(name, table.schema()):
        raise LakeUnavailable(f"{table.table_uri}: other commits came first; gave up after {ATTEMPTS} attempts")
