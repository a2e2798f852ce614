"""What is over and goes: files that no version needs any more, logs of long ago, rows and shapes that nobody looks at."""

from datetime import datetime, timedelta

from deltalake import DeltaTable

from tasks.index import postings
from tasks.index.database import Index
from tasks.index.upkeep import prune_daily, put_in_order
from tasks.store.tables import delta_errors


def delete_old_files(table: DeltaTable, *, keep_days: int, is_dry_run: bool) -> int:
    """Delete files that no version of the last `keep_days` names, and that are as old; returns how many.

    A file that was put and never committed goes too. Raises LakeUnavailable.
    """
    with delta_errors(table.table_uri):
        table.update_incremental()
        old = table.vacuum(keep_days * 24, dry_run=True, full=True)
        if old and not is_dry_run:
            table.vacuum(keep_days * 24, dry_run=False, full=True)
    return len(set(old))


def tidy_log(table: DeltaTable) -> None:
    """Write a checkpoint, and delete commits and checkpoints older than the table's log is kept (30 days)."""
    with delta_errors(table.table_uri):
        table.update_incremental()
        table.create_checkpoint()
        table.cleanup_metadata()


def prune_index(index: Index, *, now: datetime, shapes_days: int, is_dry_run: bool) -> tuple[int, int]:
    """Forget rows that are over, and shapes of texts of long ago; returns how many of each."""
    with index.write() as tx:
        rows = prune_daily(tx, now=now) or 0
        shapes = postings.prune(tx, before=now - timedelta(days=shapes_days))
        if is_dry_run:
            tx.rollback()
    if not is_dry_run:
        put_in_order(index)
    return rows, shapes
