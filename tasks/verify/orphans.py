"""Objects that nothing names: files of no table, segments of no row."""

from collections.abc import Iterator, Mapping

from deltalake import DeltaTable

from tasks.lake.delta_log import logged_paths
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import list_files
from tasks.lake.tombstones import is_empty
from tasks.verify.fault import Fault, FaultKind
from tasks.verify.segments import find_unclaimed
from tasks.verify.snapshot import Snapshot
from tasks.verify.unlisted import missed_rows

_LISTED = "SELECT key FROM object WHERE key LIKE ? ORDER BY key"
_AGE = "SELECT modified_at FROM object WHERE key = ?"


def find_orphans(
    store: ObjectStore, snapshot: Snapshot, tables: Mapping[str, DeltaTable], *, awaited: set[str], settled_before: int
) -> Iterator[Fault]:
    """Yield objects that nothing names; `awaited` are files of batches in the outbox, `settled_before` as in compare."""
    for name, table in tables.items():
        strays = {key for (key,) in snapshot.ask(_LISTED, f"{name}/dt=%")} - awaited
        strays -= {file.key for file in list_files(table, name)}
        if strays:  # rare, and needs the whole log: replaced files stay until they are deleted
            strays -= logged_paths(store, name)
        for key in sorted(strays):
            if _modified_at(snapshot, key) < settled_before:
                yield _stray(store, snapshot, name, key)
    for key in find_unclaimed(snapshot):
        if _modified_at(snapshot, key) < settled_before and not _is_empty(store, key):
            yield Fault(kind=FaultKind.ORPHAN_SEGMENT, place=key, detail="no row names it", key=key)


def _stray(store: ObjectStore, snapshot: Snapshot, name: str, key: str) -> Fault:
    missed, rows = missed_rows(store, snapshot, key)
    detail = f"the log of {name} does not name it"
    if not missed:
        return Fault(kind=FaultKind.ORPHAN_FILE, place=key, detail=detail, key=key)
    detail = f"{detail}; {missed} of its {rows} rows are known but nowhere else in {name}"
    return Fault(kind=FaultKind.UNLISTED_FILE, place=key, detail=detail, key=key)


def _is_empty(store: ObjectStore, key: str) -> bool:
    """Whether a segment consists of tombstones: a takedown has removed the rows of all its records."""
    try:
        return is_empty(store.get(key))
    except MissingObject:
        return True


def _modified_at(snapshot: Snapshot, key: str) -> int:
    return snapshot.count(_AGE, key)
