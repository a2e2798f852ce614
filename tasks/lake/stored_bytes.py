"""An object of the store as lazily read bytes: large ones are never held in memory whole."""

import io

from tasks.lake.objects.stores import ObjectStore

WINDOW_SIZE = 1024 * 1024
"""The least number of bytes per request: on S3, a request costs as much as reading a megabyte."""


class StoredBytes:
    """An object accessed by slices.

    A slice reads a window from its start, which the following slices share. A slice raises MissingObject and
    LakeUnavailable.
    """

    def __init__(self, store: ObjectStore, key: str, *, size: int = WINDOW_SIZE) -> None:
        self._store = store
        self._key = key
        self._size = size
        self._start, self._held = 0, b""

    def __getitem__(self, part: slice) -> bytes:
        start, stop = part.start, part.stop
        if not self._start <= start <= stop <= self._start + len(self._held):
            self._held = b""  # free the old window before reading the next
            self._held = self._store.get_range(self._key, start, max(stop - start, self._size))
            self._start = start
        return self._held[start - self._start : stop - self._start]


class Positioned(io.RawIOBase):
    """A seekable file of known size, as Parquet and ZIP libraries need it; `at` is its position."""

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
