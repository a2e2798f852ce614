"""Batches stuck in the outbox because no run will publish them, and their rows, which the lake lacks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from deltalake import DeltaTable

from tasks.index import outbox
from tasks.index.database import Index, Transaction
from tasks.index.outbox import OutboxItem
from tasks.lake.keys import ARTICLES, CAPTURES, LATER_TABLES, POLICIES, parquet_key
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.tables import find_table, is_committed, open_table
from tasks.store.publishing import publish
from tasks.verify.fault import Fault, FaultKind

PATIENCE = timedelta(minutes=10)
"""A live run publishes its batches within seconds; a batch of this age is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A batch in the outbox; `item` is None if it is unreadable, `in_lake` are the tables that have its rows."""

    sequence: int
    batch_id: str
    run_id: str | None
    created_at: datetime
    item: OutboxItem | None
    in_lake: frozenset[str]


def read_waiting(index: Index, store: ObjectStore) -> Iterator[Waiting]:
    """Yield the batches of the outbox in their order, one in memory at a time."""
    with index.read() as tx:
        rows = outbox.waiting(tx)
    tables = {name: open_table(store, name) for name in (ARTICLES, CAPTURES)} if rows else {}
    for row in rows:
        with index.read() as tx:
            item, is_there = _read_item(tx, row.sequence)
        if not is_there:
            continue  # published since
        held = frozenset(
            name
            for name, table in tables.items()
            if is_committed(table, app_id=index.index_id, sequence=row.sequence, batch_id=row.batch_id)
        )
        yield Waiting(
            sequence=row.sequence,
            batch_id=row.batch_id,
            run_id=row.run_id,
            created_at=row.created_at,
            item=item,
            in_lake=held,
        )


def check_waiting(one: Waiting, *, store: ObjectStore, live_runs: frozenset[str], now: datetime) -> Iterator[Fault]:
    """Yield the fault of a batch in the outbox; none while its run is about to publish it."""
    place = f"outbox, sequence {one.sequence}: batch {one.batch_id}"
    key = str(one.sequence)
    if one.item is None:
        yield Fault(kind=FaultKind.DAMAGED_BATCH, place=place, detail="its payload cannot be read", key=key)
        return
    if one.run_id in live_runs and now - one.created_at < PATIENCE:
        return
    if one.in_lake:
        names = " and ".join(sorted(one.in_lake))
        detail = f"its rows are in {names} and it is still in the outbox"
        yield Fault(kind=FaultKind.HALF_PUBLISHED_BATCH, place=place, detail=detail, key=key)
        return
    put = sum(store.exists(found) for found in parquet_keys(one.item))
    detail = f"decided at {one.created_at:%Y-%m-%d %H:%M:%S} but not in the lake's tables"
    if put:
        yield Fault(
            kind=FaultKind.HALF_PUBLISHED_BATCH, place=place, detail=f"{detail}, but {put} of its files are", key=key
        )
    else:
        yield Fault(kind=FaultKind.UNPUBLISHED_BATCH, place=place, detail=detail, key=key)


def parquet_keys(item: OutboxItem) -> set[str]:
    """Return the keys of the batch's files."""
    days = {
        (name, row.dt)
        for name, rows in ((ARTICLES, item.articles), (CAPTURES, item.captures), (POLICIES, item.policies))
        for row in rows
    }
    return {parquet_key(name, day, item.batch_id, item.sequence) for name, day in days}


def publish_waiting(index: Index, store: ObjectStore, sequences: Iterable[int]) -> None:
    """Publish these batches, the oldest first, and delete them from the outbox; raises LakeUnavailable."""
    for sequence in sorted(sequences):
        with index.read() as tx:
            item, is_there = _read_item(tx, sequence)
        if item is None or not is_there:
            continue
        publish([item], store=store, index_id=index.index_id)
        with index.write() as tx:
            outbox.clear(tx, [sequence])


def _read_item(tx: Transaction, sequence: int) -> tuple[OutboxItem | None, bool]:
    """Return the batch, and whether it exists: its payload may be damaged."""
    try:
        found = outbox.pending(tx, limit=1, after=sequence - 1)
    except (ValueError, LookupError, TypeError):
        return None, True
    if not found or found[0].sequence != sequence:
        return None, False
    return found[0], True


def tables_of(store: ObjectStore) -> dict[str, DeltaTable]:
    """Open the tables, captures first, since a policy is published before its article, and that before its capture."""
    later = {name: table for name in LATER_TABLES if (table := find_table(store, name))}
    return {name: open_table(store, name) for name in (CAPTURES, ARTICLES)} | later
