"""Delete what has expired: files that no version needs, old logs, rows and shapes that nothing reads."""

from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import unquote

from deltalake import DeltaTable

from tasks.errors import DamagedTable
from tasks.index import postings
from tasks.index.database import Index
from tasks.index.upkeep import prune_daily, update_statistics
from tasks.lake.delta_log import check_log, logged_paths
from tasks.lake.keys import SCRATCH, data_prefix
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import list_files
from tasks.lake.rewriting import find_dead_files
from tasks.lake.tables import delta_errors, open_table
from tasks.verify.set_aside import prune_set_asides
from tasks.verify.unlisted import has_all_rows

SET_ASIDE_KEPT = timedelta(days=30)
SCRATCH_KEPT = timedelta(days=7)


def check_table(store: ObjectStore, name: str) -> DeltaTable:
    """Open a table; raises DamagedTable if its log, or a file that it names, is not whole.

    In that case a replaced file may be the only copy of its rows. Raises LakeUnavailable.
    """
    check_log(store, name)
    table = open_table(store, name)
    files = list_files(table, name)
    sizes = {found.key: found.size for found in store.list(data_prefix(name))}
    for file in files:
        if sizes.get(file.key) != file.size:
            lies = f"{sizes[file.key]:,} bytes are there" if file.key in sizes else "it is missing"
            raise DamagedTable(
                f"{file.key}: the log of {name} says {file.size:,} bytes, and {lies}: see `presslake verify`"
            )
    return table


def delete_old_files(store: ObjectStore, table: DeltaTable, name: str, *, keep_days: int, is_dry_run: bool) -> int:
    """Delete files older than `keep_days` that no version of that period names; returns how many.

    It also deletes files that were written but never committed: if the table has all their rows or, at any age, if no
    commit can add them any more. A file whose commit is lost stays for `verify`. Raises LakeUnavailable.
    """
    dead = find_dead_files(store, table, name)  # also updates the table to its newest version
    with delta_errors(table.table_uri):
        old = dead | {f"{name}/{unquote(path)}" for path in table.vacuum(keep_days * 24, dry_run=True, full=True)}
    never_named = old - logged_paths(store, name) if old else set()
    gone = sorted(key for key in old if key not in never_named or has_all_rows(store, table, key))
    for key in () if is_dry_run else gone:
        store.delete(key)
    return len(gone)


def prune_set_aside(store: ObjectStore, *, now: datetime, is_dry_run: bool) -> int:
    """Delete what repairs set aside 30 days ago; returns how many objects."""
    return prune_set_asides(store, before=now - SET_ASIDE_KEPT, is_dry_run=is_dry_run)


def prune_scratch(store: ObjectStore, *, now: datetime) -> None:
    """Delete what killed jobs have left in scratch/."""
    for one in list(store.list(SCRATCH)):
        if one.modified_at < now - SCRATCH_KEPT:
            store.delete(one.key)


def tidy_log(table: DeltaTable) -> None:
    """Write a checkpoint, and delete commits and checkpoints that are older than 30 days."""
    with delta_errors(table.table_uri):
        table.update_incremental()
        table.create_checkpoint()
        with suppress(FileNotFoundError):  # another maintenance deletes them at the same time
            table.cleanup_metadata()


def prune_index(index: Index, *, now: datetime, shapes_days: int, is_dry_run: bool) -> tuple[int, int]:
    """Delete expired rows, and shapes of old texts; returns how many of each."""
    with index.write() as tx:
        rows = prune_daily(tx, now=now) or 0
        shapes = postings.prune(tx, before=now - timedelta(days=shapes_days))
        if is_dry_run:
            tx.rollback()
    if not is_dry_run:
        update_statistics(index)
    return rows, shapes
