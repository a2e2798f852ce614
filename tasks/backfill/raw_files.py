"""The bytes of an archive, read by offset and length: a file, an object of a bucket, or an entry of a WACZ."""

import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from tasks.errors import LakeUnavailable
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.stored_bytes import Positioned

BLOCK_SIZE = 128 * 1024
REMOTE_BLOCK_SIZE = 8 * 1024 * 1024
"""Bytes per request to an object store: each costs some milliseconds, whatever its size."""

MAX_DIRECTORY_SIZE = 16 * 1024 * 1024
"""The largest ZIP directory of a WACZ, in bytes: it is read into memory, and a few MB can list a hundred thousand files."""

_END = b"PK\x05\x06"  # the end of central directory record, and its ZIP64 form (APPNOTE.TXT, 4.3)
_END_64 = b"PK\x06\x06"
_ZIP_ERRORS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError,
    RuntimeError,
)  # fmt: skip
_TAIL_SIZE = 66_000  # that record and the longest comment


class DamagedArchive(Exception):
    """An archive, or the rest of it, is unreadable; the message says why."""


class RawFile(Protocol):
    """A file read by offset, without copying it."""

    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset`, fewer only at the end; raises LakeUnavailable, DamagedArchive."""
        ...


class LocalFile:
    """A local file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _read_errors(path):
            self._file: IO[bytes] = path.open("rb", buffering=0)
            self.size = os.fstat(self._file.fileno()).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        with _read_errors(self._path):
            return os.pread(self._file.fileno(), size, offset)

    def close(self) -> None:
        self._file.close()


class StoredFile:
    """An object of a store, read in large blocks; the last one is cached."""

    def __init__(self, store: ObjectStore, key: str, size: int) -> None:
        self._store, self._key = store, key
        self.size = size
        self._start, self._block = 0, b""

    def read_at(self, offset: int, size: int) -> bytes:
        if offset >= self.size:
            return b""
        if not self._start <= offset < self._start + len(self._block):
            try:
                self._block = self._store.get_range(self._key, offset, max(size, REMOTE_BLOCK_SIZE))
            except MissingObject as error:
                raise LakeUnavailable(f"{self._store.uri}/{self._key} is gone") from error
            self._start = offset
        at = offset - self._start
        return self._block[at : at + size]

    def close(self) -> None:
        self._block = b""


class EntryFile:
    """A file inside a WACZ, read forward; seeking back reads it again from the beginning."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        self.size = entry.file_size
        with _zip_errors(entry.filename):
            self._file = archive.open(entry)
        self._name = entry.filename

    def read_at(self, offset: int, size: int) -> bytes:
        with _zip_errors(self._name):
            if self._file.tell() != offset:
                self._file.seek(offset)
            return self._file.read(size)

    def close(self) -> None:
        self._file.close()


def open_zip(raw: RawFile) -> zipfile.ZipFile:
    """Open a WACZ; raises DamagedArchive if it is not a ZIP file or lists too many files."""
    _check_directory(raw)
    with _zip_errors("the WACZ"):
        return zipfile.ZipFile(io.BufferedReader(_Seekable(raw), BLOCK_SIZE))


def archives_in(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Yield the WARC files of a WACZ (WACZ 1.1.1, 4.1).

    Nothing is unpacked to disk, so names cannot escape a folder.
    """
    for entry in archive.infolist():
        name = entry.filename.lower()
        if name.startswith("archive/") and name.endswith((".warc", ".warc.gz")) and not entry.flag_bits & 1:
            yield entry


class _Seekable(Positioned):
    """A raw file with the interface that `zipfile` needs."""

    def __init__(self, raw: RawFile) -> None:
        super().__init__(raw.size)
        self._raw = raw

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._raw.read_at(self.at, len(buffer))
        buffer[: len(block)] = block
        self.at += len(block)
        return len(block)


def _check_directory(raw: RawFile) -> None:
    tail = raw.read_at(max(raw.size - _TAIL_SIZE, 0), _TAIL_SIZE)
    at = tail.rfind(_END)
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if size == 0xFFFFFFFF:
        at = tail.rfind(_END_64)
        size = int.from_bytes(tail[at + 40 : at + 48], "little") if at >= 0 else size
    if size > MAX_DIRECTORY_SIZE:
        raise DamagedArchive(f"its list of files has {size:,} bytes; at most {MAX_DIRECTORY_SIZE:,} are read")


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DamagedArchive(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def _zip_errors(name: str) -> Iterator[None]:
    """Translate the errors of `zipfile`: damage, passwords, unknown methods."""
    try:
        yield
    except _ZIP_ERRORS as error:
        raise DamagedArchive(f"{name}: {error}"[:300]) from error
    except OSError as error:
        raise DamagedArchive(f"{name}: {error.strerror or error}"[:300]) from error
