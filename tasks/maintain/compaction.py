"""Rewrite files of a table, a group of one day at a time: each group becomes one file, in one commit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

import pyarrow as pa
from deltalake import DeltaTable

from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_in_schema
from tasks.lake.rewriting import pack_rows, replace_files
from tasks.lake.schemas import file_schema
from tasks.runtime.progress import OnStep

SMALL = 0.5
"""Files below this share of the target size are packed together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """The context of packing: `size` in bytes is the target size of a file; a dry run changes nothing."""

    store: ObjectStore
    size: int
    now: datetime
    is_dry_run: bool
    on_step: OnStep


@dataclass(slots=True)
class Rewritten:
    """How many files became how many; `is_whole` is False if another writer came first and a part is left to do."""

    before: int = 0
    after: int = 0
    is_whole: bool = True


def rewrite(
    compaction: Compaction,
    table: DeltaTable,
    files: Iterable[StoredFile],
    *,
    what: str,
    change: Callable[[pa.Table], pa.Table] | None = None,
) -> Rewritten:
    """Rewrite these files of a table, packed, and with changed rows if `change` is given; raises LakeUnavailable."""
    done = Rewritten()
    groups = [group for _, day in groupby(files, key=lambda file: file.day) for group in _grouped(day, compaction.size)]
    for number, group in enumerate(groups):
        compaction.on_step(what, number, len(groups))
        if compaction.is_dry_run or _write_group(compaction, table, group, change):
            done.before += len(group)
            done.after += 1
        else:
            done.is_whole = False
    return done


def small_files(files: Sequence[StoredFile], *, today: date, size: int) -> Iterator[StoredFile]:
    """Yield the files of past days that can be packed with others of their day; today still gets new files."""
    for day, several in groupby(files, key=lambda file: file.day):
        small = [file for file in several if file.size < size * SMALL]
        if day < today and len(small) > 1:
            yield from small


def pack_small_files(compaction: Compaction, table: DeltaTable, name: str) -> Rewritten:
    """Pack the small files of a table's past days."""
    done = Rewritten()
    files = small_files(list_files(table, name), today=compaction.now.date(), size=compaction.size)
    for _, day in groupby(files, key=lambda file: file.day):
        several = list(day)
        if len(several) > 1:
            part = rewrite(compaction, table, several, what=f"packing {name}")
            done.before, done.after = done.before + part.before, done.after + part.after
    return done


def _write_group(
    compaction: Compaction,
    table: DeltaTable,
    group: Sequence[StoredFile],
    change: Callable[[pa.Table], pa.Table] | None,
) -> bool:
    schema = file_schema(group[0].table, table.schema())  # keep columns added by a newer version
    held = [read_in_schema(compaction.store, file, schema) for file in group]
    rows = pa.concat_tables(held if change is None else map(change, held))
    new = pack_rows(group[0].day, rows)
    return replace_files(compaction.store, table, group, [new], is_changed=change is not None, now=compaction.now)


def _grouped(files: Iterable[StoredFile], size: int) -> Iterator[list[StoredFile]]:
    group: list[StoredFile] = []
    for file in files:
        group.append(file)
        if sum(one.size for one in group) >= size:
            yield group
            group = []
    if group:
        yield group
