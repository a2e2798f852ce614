"""The decompressed bytes of an archive, read forward in bounded memory, with the position of each record.

An archive is plain, or one gzip stream, or (mostly) gzip with one member per record, so that records have offsets in
the file. After damage, the next record is searched for.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from isal import isal_zlib

from tasks.backfill.raw_files import BLOCK_SIZE, DamagedArchive, RawFile

GZIP_MAGIC = b"\x1f\x8b\x08"
_GZIP = 31  # zlib's window bits for a gzip member
_CHUNK_SIZE = 64 * 1024
_RECORD = b"WARC/"
_BEGINS = b"\nWARC/1."

MAX_RATIO, RATIO_FROM_SIZE = 400, 512 * 1024 * 1024
"""An archive that expands by this factor, after at least this number of bytes, is a decompression bomb."""


class ArchiveBomb(DamagedArchive):
    """A few bytes expand to too many: the rest of the archive is not read."""


class ArchiveStream:
    """Decoded bytes, read forward."""

    def __init__(self, raw: RawFile) -> None:
        self._raw = raw
        self.is_gzip = raw.read_at(0, 3) == GZIP_MAGIC
        self._begin_at(0)

    @property
    def place(self) -> int:
        """The position of the next byte: the offset of the gzip member that begins there, else the offset in the decoded stream."""
        while self._members and self._members[0][0] < self._taken:
            self._members.popleft()
        is_first = self._members and self._members[0][0] == self._taken
        return self._members[0][1] if is_first else self._taken

    def read(self, size: int) -> bytes:
        """Return this number of bytes, fewer only at the end of the file; raises DamagedArchive, LakeUnavailable."""
        while len(self._buffer) - self._at < size and self._fill():
            pass
        found = bytes(memoryview(self._buffer)[self._at : self._at + size])
        self._take(len(found))
        return found

    def skip(self, size: int) -> int:
        """Skip this number of bytes; returns how many there were."""
        left = size
        while left:
            here = min(left, len(self._buffer) - self._at)
            self._take(here)
            left -= here
            if left and not self.is_gzip:
                left -= self._jump(left)
            if left and not self._fill():
                break
        return size - left

    def line(self, limit: int) -> bytes:
        """Return the bytes up to the end of the line, at most `limit`; empty at the end of the file."""
        while (end := self._buffer.find(b"\n", self._at)) < 0 and len(self._buffer) - self._at < limit:
            if not self._fill():
                break
        size = (end + 1 if end >= 0 else len(self._buffer)) - self._at
        return self.read(min(size, limit))

    def begin_record(self) -> None:
        """Skip the empty lines between two records, and remember where the next begins, since `find_next` searches after it."""
        try:
            while self._at < len(self._buffer) or self._fill():
                if self._buffer[self._at] not in b"\r\n":
                    return
                self._take(1)
        finally:
            self.record_at = self._last_member if self.is_gzip else self._taken

    def find_next(self) -> bool:
        """Continue at the next readable record after a damaged one; False if there is none."""
        found = self._find_member() if self.is_gzip else self._find_line()
        if found is None:
            return False
        self._begin_at(found)
        return True

    def _begin_at(self, at: int) -> None:
        self._buffer, self._at = bytearray(), 0
        self._taken = self._given = self.record_at = self._read_to = self._last_member = at
        self._begun_at = at
        self._members: deque[tuple[int, int]] = deque()
        self._pending = b""
        self._inflater: Any = None
        self._may_have_more = False

    def _take(self, size: int) -> None:
        self._at += size
        self._taken += size
        if self._at == len(self._buffer) or self._at > 4 * _CHUNK_SIZE:
            del self._buffer[: self._at]
            self._at = 0

    def _jump(self, size: int) -> int:
        """Skip bytes of a plain file that are not read yet."""
        size = max(min(size, self._raw.size - self._read_to), 0)
        self._read_to += size
        self._taken += size
        return size

    def _fill(self) -> bool:
        before = len(self._buffer)
        while len(self._buffer) == before:
            if not (self._inflate() if self.is_gzip else self._copy()):
                return False
        return True

    def _copy(self) -> bool:
        block = self._raw.read_at(self._read_to, BLOCK_SIZE)
        self._read_to += len(block)
        self._buffer += block
        return bool(block)

    def _inflate(self) -> bool:
        """Read a little more; False at the end of the file."""
        if not self._pending and not self._may_have_more:
            self._pending = self._raw.read_at(self._read_to, BLOCK_SIZE)
            self._read_to += len(self._pending)
            if not self._pending:
                if self._inflater is not None:
                    raise DamagedArchive("it ends in the middle of a record")
                return False
        if self._inflater is None and not self._begin_member():
            return False
        try:
            chunk = self._inflater.decompress(self._pending, _CHUNK_SIZE)
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
            raise DamagedArchive(f"a damaged gzip member: {error}") from error
        self._pending = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        self._may_have_more = not self._inflater.eof and len(chunk) == _CHUNK_SIZE
        if self._inflater.eof:
            self._inflater = None
        self._buffer += chunk
        self._given += len(chunk)
        self._check_ratio()
        return True

    def _begin_member(self) -> bool:
        if len(self._pending) < len(GZIP_MAGIC):
            more = self._raw.read_at(self._read_to, BLOCK_SIZE)
            self._pending += more
            self._read_to += len(more)
        if not self._pending.startswith(GZIP_MAGIC):
            if not self._pending.strip(b"\0") and self._read_to >= self._raw.size:
                return False  # padding
            raise DamagedArchive("no gzip member where one should start")
        self._last_member = self._read_to - len(self._pending)
        self._members.append((self._given, self._last_member))
        self._inflater = isal_zlib.decompressobj(_GZIP)
        return True

    def _check_ratio(self) -> None:
        given, read = self._given - self._begun_at, self._read_to - len(self._pending) - self._begun_at
        if given > RATIO_FROM_SIZE and given > MAX_RATIO * max(read, 1):
            raise ArchiveBomb(f"{read:,} bytes became {given:,}")

    def _find_line(self) -> int | None:
        at = self.record_at
        while block := self._raw.read_at(at, BLOCK_SIZE):
            found = block.find(_BEGINS)
            if found >= 0:
                return at + found + 1
            if len(block) <= len(_BEGINS):
                return None
            at += len(block) - len(_BEGINS)
        return None

    def _find_member(self) -> int | None:
        return next((at for at in self._magics(self.record_at + 1) if self._is_record(at)), None)

    def _magics(self, at: int) -> Iterator[int]:
        while block := self._raw.read_at(at, BLOCK_SIZE):
            found = block.find(GZIP_MAGIC)
            while found >= 0:
                yield at + found
                found = block.find(GZIP_MAGIC, found + 1)
            if len(block) <= len(GZIP_MAGIC):
                return
            at += len(block) - len(GZIP_MAGIC) + 1

    def _is_record(self, at: int) -> bool:
        try:
            begin = isal_zlib.decompressobj(_GZIP).decompress(self._raw.read_at(at, _CHUNK_SIZE), len(_RECORD))
        except isal_zlib.error:  # type: ignore[misc]
            return False
        return begin == _RECORD
