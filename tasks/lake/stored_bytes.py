"""An object of the store as bytes that are read when they are asked for: long ones are never held whole."""

import io

from tasks.lake.objects.stores import ObjectStore

WINDOW_SIZE = 1024 * 1024
"""Bytes that one request reads at least: from S3, one costs as much as a megabyte."""


class StoredBytes:
    """An object by its slices. It is read from one slice on, as far as the window goes; slices in order share their reads.

    A slice raises MissingObject and LakeUnavailable.
    """

    def __init__(self, store: ObjectStore, key: str, *, size: int = WINDOW_SIZE) -> None:
        self._store = store
        self._key = key
        self._size = size
        self._start, self._held = 0, b""

    def __getitem__(self, part: slice) -> bytes:
        start, stop = part.start, part.stop
        if not self._start <= start <= stop <= self._start + len(self._held):
            self._held = b""  # not two windows at once
            self._held = self._store.get_range(self._key, start, max(stop - start, self._size))
            self._start = start
        return self._held[start - self._start : stop - self._start]


class Positioned(io.RawIOBase):
    """A file of a known size that is read at a position, as libraries of Parquet and ZIP want it; `at` is where it is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = max(base + offset, 0)
        return self.at
