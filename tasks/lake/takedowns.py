"""The table `takedowns`: one row per takedown. The first takedown creates it and raises the lake's format number.

An older version of Presslake would take a tombstone for damage and fetch removed articles again, so it must not open
such a lake.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from tasks.errors import LakeUnavailable
from tasks.lake.keys import MARKER_KEY, TAKEDOWN_FORMAT, TAKEDOWNS, commit_key
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_columns
from tasks.lake.rewriting import add_rows, pack_rows, replace_files
from tasks.lake.schemas import SCHEMAS
from tasks.lake.tables import arrow_rows, find_table, open_table
from tasks.values.columns import revive
from tasks.values.takedown import KeptOut, Takedown


def add_takedown(store: ObjectStore, takedown: Takedown, *, now: datetime) -> None:
    """Add a takedown; idempotent. Raises LakeUnavailable."""
    _raise_format(store)
    table = open_table(store, TAKEDOWNS)
    add_rows(store, table, TAKEDOWNS, pack_rows(takedown.dt, _rows([takedown])), now=now)


def replace_takedown(store: ObjectStore, takedown: Takedown, *, now: datetime) -> None:
    """Replace the takedown with this id; raises LakeUnavailable."""
    table = open_table(store, TAKEDOWNS)
    for file in list_files(table, TAKEDOWNS):
        held = list(_read(store, file))
        if any(one.takedown_id == takedown.takedown_id for one in held):
            rows = [takedown if one.takedown_id == takedown.takedown_id else one for one in held]
            new = pack_rows(file.day, _rows(rows))
            if not replace_files(store, table, [file], [new], is_changed=True, now=now):
                raise LakeUnavailable(f"{table.table_uri}: others committed first")


def read_takedowns(store: ObjectStore) -> list[Takedown]:
    """Return all takedowns, the oldest first; none if the lake has no such table. Raises LakeUnavailable."""
    if not store.exists(commit_key(TAKEDOWNS, 0)):  # cheap, since every run asks
        return []
    table = find_table(store, TAKEDOWNS)
    found = [one for file in list_files(table, TAKEDOWNS) for one in _read(store, file)] if table else []
    return sorted(found, key=lambda one: (one.taken_at, one.takedown_id))


def read_kept_out(store: ObjectStore) -> KeptOut:
    """Return the digests of everything that the lake's takedowns keep out; raises LakeUnavailable."""
    return kept_out_by(read_takedowns(store))


def kept_out_by(takedowns: Sequence[Takedown]) -> KeptOut:
    """Return the digests of what these takedowns keep out, except those undone."""
    return KeptOut.of(digest for one in takedowns if one.undone_at is None for digest in one.key_digests)


def _read(store: ObjectStore, file: StoredFile) -> Iterator[Takedown]:
    for row in read_columns(store, file).to_pylist():
        yield revive(Takedown, row)


def _rows(takedowns: Sequence[Takedown]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - pyarrow has no types
    return arrow_rows(takedowns, SCHEMAS[TAKEDOWNS])


def _raise_format(store: ObjectStore) -> None:
    marker = json.loads(store.get(MARKER_KEY))
    if int(marker["format"]) < TAKEDOWN_FORMAT:
        store.put(MARKER_KEY, json.dumps({**marker, "format": TAKEDOWN_FORMAT}).encode())
