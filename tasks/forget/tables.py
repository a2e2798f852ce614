"""Delete replaced files of the lake's tables at once, since they still hold the removed rows."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from tasks.forget.targets import TakedownTargets
from tasks.index import outbox
from tasks.index.database import Index
from tasks.lake.keys import TABLES
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import unneeded_files
from tasks.lake.rewriting import PARQUET
from tasks.lake.schemas import open_parquet
from tasks.lake.tables import open_table, parquet_of

_SEQUENCE = re.compile(r"-(?P<sequence>[0-9]+)\.parquet$")


def delete_replaced(index: Index, store: ObjectStore, taken: TakedownTargets) -> dict[str, int]:
    """Delete the files that this version of each table does not need; returns the first version that can be read.

    Removed rows are also stripped from files that were written but never committed, except those of batches in the
    outbox, which will be. Raises LakeUnavailable, IndexUnavailable.
    """
    with index.read() as tx:
        waiting = {one.sequence for one in outbox.waiting(tx)}
    versions = {}
    for name in TABLES:
        table = open_table(store, name)
        _delete_of(store, table, name, taken, waiting)
        versions[name] = table.version()
    return versions


def delete_replaced_of(store: ObjectStore, table: DeltaTable, name: str) -> None:
    """Delete the files of a table that only older versions need; raises LakeUnavailable."""
    for found in unneeded_files(store, table, name)[0]:
        store.delete(found.key)


def _delete_of(
    store: ObjectStore, table: DeltaTable, name: str, taken: TakedownTargets, waiting: Collection[int]
) -> None:
    replaced, unlogged = unneeded_files(store, table, name)
    for found in replaced:
        store.delete(found.key)
    for found in unlogged:
        if _sequence_of(found.key) not in waiting:
            strip_file(store, found.key, taken)


def strip_file(store: ObjectStore, key: str, taken: TakedownTargets) -> bool:
    """Remove the rows of what is taken down from a Parquet file that no table names; returns whether it had any.

    A file that would become empty is deleted, and so is one that cannot be read, since its rows are unknown.
    """
    try:
        rows = open_parquet(store.get(key)).read(use_threads=False)
    except MissingObject:
        return False
    except (pa.ArrowException, OSError):
        store.delete(key)
        return True
    kept = [number for number, row in enumerate(_light(rows)) if not _is_taken(row, taken)]
    if len(kept) == rows.num_rows:
        return False
    if kept:
        store.put(key, parquet_of(rows.take(pa.array(kept, pa.int64()))), content_type=PARQUET)
    else:
        store.delete(key)
    return True


def _light(rows: pa.Table) -> list[dict[str, Any]]:
    names = [name for name in ("url", "final_url", "url_key", "source_id") if name in rows.schema.names]
    light: list[dict[str, Any]] = rows.select(names).to_pylist()
    return light


def _is_taken(row: Mapping[str, Any], taken: TakedownTargets) -> bool:
    is_named = taken.has_key(row.get("url_key") or "") or taken.has_source(row.get("source_id") or "")
    return is_named or any(taken.has_url(row.get(name) or "") for name in ("url", "final_url"))


def _sequence_of(key: str) -> int | None:
    found = _SEQUENCE.search(key)
    return int(found["sequence"]) if found else None
