"""The changes in `articles` since an outbox sequence: rows added, superseded or removed.

Every row has the sequence that last wrote it, and `removals` has the keys of removed rows, so no old table version is
needed and vacuum does no harm. Batches are published in the order of their sequences, and removals before the rows of
their sequence. So a consumer that reads the rows of a sequence, and removals after the rows, has seen every change up
to there.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.lake.keys import ARTICLES
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_columns
from tasks.lake.removals import read_removals
from tasks.lake.tables import find_table
from tasks.values.changes import Removal
from tasks.values.columns import revive
from tasks.values.rows import Article

FOOTER_SIZE = 65_536
"""Bytes at a file's end that nearly always contain its statistics."""

_OF_A_BATCH = re.compile(r"-(?P<sequence>\d+)\.parquet$")
_IDENTITY = ("article_id", "revision", "change_seq", "added_seq")
_KEPT_FILES = 4


class Kind(StrEnum):
    """The kind of a change."""

    ADDED = "added"
    SUPERSEDED = "superseded"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one row of `articles`: `row` is its current state; None if it was removed."""

    kind: Kind
    change_seq: int
    article_id: str
    revision: int
    row: Article | None = None


@dataclass(frozen=True, slots=True)
class _Ref:
    change_seq: int
    article_id: str
    revision: int
    kind: Kind
    file: StoredFile | None = None
    place: int = 0


class Changes:
    """The changes after a sequence, in order; they can be iterated again.

    `upto` is the sequence to continue from: everything up to it is in these changes, or came before them.
    """

    def __init__(self, store: ObjectStore, refs: Sequence[_Ref], upto: int) -> None:
        self._store, self._refs, self.upto = store, refs, upto
        self._read = lru_cache(maxsize=_KEPT_FILES)(lambda file: read_columns(store, file))

    def __len__(self) -> int:
        return len(self._refs)

    def __iter__(self) -> Iterator[Change]:
        for file, several in groupby(self._refs, key=lambda ref: ref.file):
            refs = list(several)
            rows: Sequence[Article | None] = self._rows(file, refs) if file is not None else [None] * len(refs)
            for ref, row in zip(refs, rows, strict=True):
                yield Change(
                    kind=ref.kind,
                    change_seq=ref.change_seq,
                    article_id=ref.article_id,
                    revision=ref.revision,
                    row=row,
                )

    def _rows(self, file: StoredFile, refs: Sequence[_Ref]) -> list[Article]:
        rows = self._read(file).take(pa.array([ref.place for ref in refs])).to_pylist()
        return [revive(Article, row) for row in rows]


def read_changes(store: ObjectStore, *, since: int) -> Changes:
    """Return the changes after a sequence; 0 gives every existing row. Raises LakeUnavailable."""
    table = find_table(store, ARTICLES)
    files = list_files(table, ARTICLES) if table else []
    rows = [ref for file in files for ref in _refs_of(store, file, since)]
    newest = max((ref.change_seq for ref in rows), default=since)
    removals = list(read_removals(store, since=since))  # after the rows, so that removals before them are included
    upto = max([newest, *_applied(store, files, [one for one in removals if one.change_seq > newest])])
    gone = [
        _Ref(one.change_seq, one.article_id, one.revision, Kind.REMOVED) for one in removals if one.change_seq <= upto
    ]
    refs = sorted([*rows, *gone], key=lambda ref: (ref.change_seq, ref.article_id, ref.revision))
    return Changes(store, refs, upto)


def _refs_of(store: ObjectStore, file: StoredFile, since: int) -> Iterator[_Ref]:
    if not _may_have(store, file, since):
        return
    table = read_columns(store, file, _IDENTITY)
    columns = (table[name].to_pylist() for name in _IDENTITY)
    for place, (article_id, revision, change_seq, added_seq) in enumerate(zip(*columns, strict=True)):
        # rows from before there were sequences come first
        if (change_seq or 0) > since or (change_seq is None and since == 0):
            is_new = added_seq is None or added_seq > since or since == 0
            kind = Kind.ADDED if is_new else Kind.SUPERSEDED
            yield _Ref(change_seq or 0, article_id, revision, kind, file, place)


def _may_have(store: ObjectStore, file: StoredFile, since: int) -> bool:
    """Whether a file may have rows that were written after a sequence, by its name or by its statistics."""
    if since == 0:
        return True
    if of_a_batch := _OF_A_BATCH.search(file.key):
        return int(of_a_batch["sequence"]) > since
    newest = _newest_in(store, file)
    return newest is None or newest > since


def _newest_in(store: ObjectStore, file: StoredFile) -> int | None:
    """Return the greatest sequence in a file from its footer; None if the footer lacks it."""
    size = min(FOOTER_SIZE, file.size)
    try:
        end = pq.read_metadata(pa.BufferReader(store.get_range(file.key, file.size - size, size)))
    except (MissingObject, pa.ArrowException, OSError):
        return None
    if "change_seq" not in end.schema.names:
        return 0
    place = end.schema.names.index("change_seq")
    statistics = [end.row_group(number).column(place).statistics for number in range(end.num_row_groups)]
    if any(one is None or not (one.has_min_max or one.null_count == one.num_values) for one in statistics):
        return None
    return max((one.max for one in statistics if one.has_min_max), default=0)


def _applied(store: ObjectStore, files: Sequence[StoredFile], removals: Sequence[Removal]) -> Iterator[int]:
    """Yield the sequences of removals whose rows are already out of the table; the others are still in progress."""
    if not removals:
        return
    wanted = {one.article_id for one in removals}
    held = {
        (article_id, revision): change_seq or 0
        for file in files
        for article_id, revision, change_seq in _keys_of(store, file)
        if article_id in wanted
    }
    for sequence, several in groupby(sorted(removals, key=lambda one: one.change_seq), key=lambda one: one.change_seq):
        if any(held.get((one.article_id, one.revision), sequence + 1) <= sequence for one in several):
            return
        yield sequence


def _keys_of(store: ObjectStore, file: StoredFile) -> Iterator[tuple[str, int, int | None]]:
    table = read_columns(store, file, _IDENTITY[:3])
    yield from zip(*(table[name].to_pylist() for name in _IDENTITY[:3]), strict=True)
