"""Replace, add and remove rows of a table by their keys, in one commit on the version of the table that was read.

A change is applied once: its commit carries the application transaction of the outbox and the name of the change. If
another commit comes first, the files are read again, so maintenance and sweeps may run at the same time and no row is
lost or duplicated. A rewritten file is named by its version and a digest of its bytes, so writing it again is
idempotent.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa
from deltalake import DeltaTable, Transaction

from tasks.errors import LakeUnavailable
from tasks.lake.growing import open_for_writing
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_columns, read_in_schema
from tasks.lake.rewriting import FileChange, NewFile, PackedRows, Stamp, commit_rewritten, pack_rows, put_rows
from tasks.lake.schemas import SCHEMAS, file_schema, fit_to_schema
from tasks.lake.tables import BATCHES, Row, arrow_rows, delta_errors, is_committed
from tasks.values.changes import ArticleKey, CaptureKey, key_of

COMMIT_ATTEMPTS = 50
"""Attempts: a sweep commits every few seconds, and rewriting a file takes tenths of a second."""

KEYS = {ARTICLES: ("article_id", "revision"), CAPTURES: ("capture_id",)}
"""The columns that identify a row of each table."""

Key = ArticleKey | CaptureKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """Rows of one table to replace those with the same keys or to add, and keys of rows to remove.

    `name` is unique among the changes of the table; `sequence` is the outbox's.
    """

    name: str
    sequence: int
    rows: Sequence[Row] = ()
    gone: Collection[Key] = ()


def replace_rows(store: ObjectStore, table: str, changes: Sequence[TableChange], *, app_id: str, now: datetime) -> int:
    """Apply the changes that the table does not have yet, in order; returns how many rows were written or removed.

    All land in one commit, or none does; the call is idempotent. Rows of `articles` are written before those of
    `captures` and removed after them (`tasks.store.publishing` ensures it). Raises LakeUnavailable, DamagedTable,
    LakeFormatError.
    """
    changes = [one for one in changes if one.rows or one.gone]
    if not changes:
        return 0
    opened = open_for_writing(store, table)
    for _ in range(COMMIT_ATTEMPTS):
        fresh = [one for one in changes if not _is_applied(opened, one, app_id)]
        wanted = _last_of_each(changes, fresh)
        if not wanted:
            return 0
        rewritten = _rewrite(store, opened, table, wanted)
        if not rewritten.old and not rewritten.new:
            return 0
        stamp = _stamp(opened, fresh, app_id)
        change = FileChange(old=rewritten.old, new=rewritten.new, is_changed=True, now=now, stamp=stamp)
        if commit_rewritten(store, opened, table, change):
            return rewritten.count
        with delta_errors(opened.table_uri):
            opened.update_incremental()
    raise LakeUnavailable(f"{opened.table_uri}: other commits came first; gave up after {COMMIT_ATTEMPTS} attempts")


def _is_applied(opened: DeltaTable, change: TableChange, app_id: str) -> bool:
    return is_committed(opened, app_id=app_id, sequence=change.sequence, batch_id=change.name)


def _last_of_each(changes: Iterable[TableChange], fresh: Collection[TableChange]) -> dict[Key, Row | None]:
    """Return the final state of each row, None if it is removed; a later change that is already applied wins."""
    last: dict[Key, tuple[TableChange, Row | None]] = {}
    for one in changes:
        last.update(dict.fromkeys(one.gone, (one, None)))
        last.update({key_of(row): (one, row) for row in one.rows})
    names = {one.name for one in fresh}
    return {key: row for key, (one, row) in last.items() if one.name in names}


def _stamp(opened: DeltaTable, changes: Sequence[TableChange], app_id: str) -> Stamp:
    with delta_errors(opened.table_uri):
        version = max(opened.transaction_version(app_id) or 0, *(one.sequence for one in changes))
    return Stamp(transactions=(Transaction(app_id, version),), metadata={BATCHES: sorted(one.name for one in changes)})


@dataclass(slots=True, kw_only=True)
class _Rewrite:
    """The rewritten files of one version of a table: old files, new files, and how many rows differ."""

    store: ObjectStore
    opened: DeltaTable
    table: str
    schema: pa.Schema
    old: list[StoredFile] = field(default_factory=list)
    new: list[NewFile] = field(default_factory=list)
    count: int = 0

    def put(self, packed: PackedRows) -> None:
        """Write a new file, which the log does not name yet."""
        self.new.append(put_rows(self.store, self.opened, self.table, packed))


def _rewrite(store: ObjectStore, opened: DeltaTable, table: str, wanted: Mapping[Key, Row | None]) -> _Rewrite:
    """Write the new files; returns them with those that they replace."""
    schema = file_schema(table, opened.schema())  # keeps columns added by a newer version
    done = _Rewrite(store=store, opened=opened, table=table, schema=schema)
    files = list_files(opened, table)
    for day, of_day in _by_day(wanted).items():
        added = dict(of_day)
        for file in files:
            if file.day == day and (places := _find(store, file, of_day)):
                # a duplicated row is kept once
                _replace_in(done, file, {place: added.pop(key, None) for place, key in places.items()})
        if rows_added := [row for row in added.values() if row is not None]:
            done.put(pack_rows(day, _new_rows(table, rows_added, schema)))
            done.count += len(rows_added)
    return done


def _replace_in(done: _Rewrite, file: StoredFile, rows: Mapping[int, Row | None]) -> None:
    """Rewrite a file with these rows at these positions; None removes the row."""
    held = read_in_schema(done.store, file, done.schema)
    places = [place for place, row in rows.items() if row is not None]
    given = [row for row in rows.values() if row is not None]
    put = _new_rows(file.table, given, done.schema, held.take(pa.array(places, pa.int64())))
    order = {place: held.num_rows + number for number, place in enumerate(places)}
    kept = [order.get(place, place) for place in range(held.num_rows) if rows.get(place, ...) is not None]
    if kept:
        packed = pack_rows(file.day, pa.concat_tables([held, put]).take(pa.array(kept, pa.int64())))
        if file.key.endswith(f"-{packed.digest}.parquet"):  # nothing changed: the rows are already right
            return
        done.put(packed)
    done.old.append(file)
    done.count += len(rows)


def _new_rows(table: str, rows: Sequence[Row], schema: pa.Schema, before: pa.Table | None = None) -> pa.Table:
    """Return rows in a file's schema; columns unknown to this version keep their values from `before`."""
    made = arrow_rows(rows, SCHEMAS[table])
    if before is not None and rows:
        for name in (one for one in schema.names if one not in SCHEMAS[table].names):
            made = made.append_column(schema.field(name), before[name])
        if table == ARTICLES:
            made = _with_first_sequence(made, before)
    return fit_to_schema(made, schema)


def _with_first_sequence(rows: pa.Table, before: pa.Table) -> pa.Table:
    """Return rows of `articles` with the sequence that first wrote them, taken from the rows that they replace."""
    place = rows.schema.get_field_index("added_seq")
    import pyarrow.compute as pc  # noqa: PLC0415 - 13 MB, which sweeps do not need

    first = pc.coalesce(before["added_seq"], before["change_seq"], pa.scalar(0, pa.int64()))
    return rows.set_column(place, rows.schema.field(place), first)


def _find(store: ObjectStore, file: StoredFile, wanted: Mapping[Key, Row | None]) -> dict[int, Key]:
    """Return the positions of these rows in a file."""
    if not wanted:
        return {}
    names = KEYS[file.table]
    read = read_columns(store, file, names)
    kind: Callable[..., Key] = ArticleKey if file.table == ARTICLES else CaptureKey
    keys = (kind(*values, file.day) for values in zip(*(read[name].to_pylist() for name in names), strict=True))
    return {place: key for place, key in enumerate(keys) if key in wanted}


def _by_day(wanted: Mapping[Key, Row | None]) -> dict[date, dict[Key, Row | None]]:
    days: dict[date, dict[Key, Row | None]] = {}
    for key, row in wanted.items():
        days.setdefault(key.dt, {})[key] = row
    return dict(sorted(days.items()))
