"""Find single rows of a table fast, for a long-running program: it caches which file has which ids.

Files of a table never change, so their ids are read once; after that, a row costs one row group of one file. Large
files are read by byte ranges. Nothing is written. Threads may share a reader.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from tasks.errors import LakeUnavailable
from tasks.lake.objects.stores import MissingObject, ObjectStore, one_line
from tasks.lake.reading import StoredFile, list_files, rows_at
from tasks.lake.schemas import open_parquet
from tasks.lake.stored_bytes import Positioned
from tasks.lake.tables import delta_errors, find_table

FRESH_S = 1.0
"""After this time the table is checked for a newer version."""

WHOLE_SIZE = 512 * 1024
"""A file up to this size is read in one piece."""

REMEMBERED_SIZE = 128 * 1024 * 1024
"""Size of the cache of ids, in bytes; the least recently used files are dropped first."""

Row = dict[str, Any]


class TableReader:
    """Finds rows of the table `name` by the values of one of its text columns."""

    def __init__(self, store: ObjectStore, name: str, *, column: str) -> None:
        self._store, self._name, self._column = store, name, column
        self._lock = threading.Lock()
        self._table: DeltaTable | None = None
        self._files: Sequence[StoredFile] = ()
        self._looked_at = float("-inf")
        self._ids: OrderedDict[str, pa.ChunkedArray] = OrderedDict()
        self._size = 0

    def find(self, values: Collection[str], *, first: date, last: date) -> list[Row]:
        """Return the rows with these values that were fetched on these days, in any order; raises LakeUnavailable.

        A file that is missing or damaged is skipped, as in a sweep; `verify` reports it.
        """
        wanted = pa.array(sorted(values), pa.string())
        found: list[Row] = []
        for file in self.files():
            if first <= file.day <= last:
                found += self._rows_in(file, wanted)
        return found

    def files(self) -> Sequence[StoredFile]:
        """Return the files of the table, at most a second out of date; raises LakeUnavailable."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at > FRESH_S:
                self._look()
                self._looked_at = now
            return self._files

    def _look(self) -> None:
        if self._table is None:
            self._table = find_table(self._store, self._name)
            self._files = list_files(self._table, self._name) if self._table else ()
            return
        before = self._table.version()
        try:
            with delta_errors(self._table.table_uri):
                self._table.update_incremental()
        except LakeUnavailable:
            self._table = None  # open it from scratch next time: the log may have been recreated or truncated
            raise
        if self._table.version() != before:
            self._files = list_files(self._table, self._name)

    def _rows_in(self, file: StoredFile, wanted: pa.Array) -> Iterator[Row]:
        import pyarrow.compute as pc  # noqa: PLC0415 - 13 MB, which sweeps do not need

        try:
            ids = self._ids_of(file)
            places = pc.indices_nonzero(pc.is_in(ids, wanted)).to_pylist()
            if not places:
                return
            with _opened(self._store, file) as parquet:
                yield from rows_at(parquet, places, file)
        except (MissingObject, pa.ArrowException, ValueError):
            return

    def _ids_of(self, file: StoredFile) -> pa.ChunkedArray:
        with self._lock:
            if file.key in self._ids:
                self._ids.move_to_end(file.key)
                return self._ids[file.key]
        with _opened(self._store, file) as parquet:
            ids = parquet.read(columns=[self._column], use_threads=False)[self._column]
        with self._lock:
            if file.key not in self._ids:
                self._ids[file.key] = ids
                self._size += ids.nbytes
            while self._size > REMEMBERED_SIZE and len(self._ids) > 1:
                self._size -= self._ids.popitem(last=False)[1].nbytes
        return ids


@contextmanager
def _opened(store: ObjectStore, file: StoredFile) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file so that only the calling thread reads it (ADR 0019)."""
    if file.size <= WHOLE_SIZE:
        yield open_parquet(store.get(file.key))
        return
    with pa.PythonFile(_Ranges(store, file.key, file.size), mode="r") as source:
        yield pq.ParquetFile(source, pre_buffer=False)


class _Ranges(Positioned):
    """An object of the lake as a file whose reads are byte-range requests."""

    def __init__(self, store: ObjectStore, key: str, size: int) -> None:
        super().__init__(size)
        self._store, self._key = store, key

    def read(self, size: int = -1) -> bytes:
        length = self.size - self.at if size < 0 else min(size, self.size - self.at)
        if length < 1:
            return b""
        try:
            body = self._store.get_range(self._key, self.at, length)
        except LakeUnavailable as error:
            raise OSError(one_line(error)) from error
        self.at += len(body)
        return body
