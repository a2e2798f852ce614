"""The object store in a directory: one file per object, durable when `put` returns.

Files are whole and on disk, names included, before anything relies on them (fsync(2), rename(2)).
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tasks.errors import ConfigError, LakeUnavailable
from tasks.lake.objects.port import OCTETS, Body, MissingObject, ObjectInfo, check_range, checked_key
from tasks.runtime.places import is_folder

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


def open_directory(path: Path) -> "DirectoryStore":
    """Open the directory, and make it if it is missing; raises ConfigError if it cannot be written."""
    probe = path / ".presslake"
    try:
        with _written_beside(probe, b""):
            pass
    except OSError as error:
        raise ConfigError(f"{path}: the lake cannot be written: {error.strerror or error}") from error
    return DirectoryStore(path)


def find_directory(path: Path) -> "DirectoryStore":
    """Open an existing directory for reading; raises ConfigError if there is none."""
    if not is_folder(path):
        raise ConfigError(
            f"{path}: no lake here; the first `presslake ingest` creates it, or choose another with --lake"
        )
    return DirectoryStore(path)


class DirectoryStore:
    """Objects as files below one directory; durable when `put` returns."""

    def __init__(self, path: Path) -> None:
        self._root = path.absolute()

    @property
    def uri(self) -> str:
        return str(self._root)

    def put(self, key: str, body: Body, *, content_type: str = OCTETS) -> None:  # noqa: ARG002 - files have no type
        target = self._path(key)
        with _directory_errors("write", target), _written_beside(target, body) as temporary:
            temporary.replace(target)
            _sync_directory(target.parent)

    def put_new(self, key: str, body: bytes) -> bool:
        target = self._path(key)
        with _directory_errors("write", target), _written_beside(target, body) as temporary:
            try:
                target.hardlink_to(temporary)  # the only way to create a file that is both atomic and exclusive
            except FileExistsError:
                return False
            _sync_directory(target.parent)
            return True

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with _directory_errors("read", path, key=key):
            return path.read_bytes()

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        check_range(offset, length)
        path = self._path(key)
        with _directory_errors("read", path, key=key), path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with _directory_errors("look at", path):
            return path.is_file()

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with _directory_errors("list", self._root):
            for key in sorted(path.relative_to(self._root).as_posix() for path in self._files(prefix)):
                with suppress(FileNotFoundError):  # deleted since
                    stat = self._path(key).stat()
                    modified_at = datetime.fromtimestamp(stat.st_mtime, tz=UTC)
                    yield ObjectInfo(key=key, size=stat.st_size, modified_at=modified_at)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _directory_errors("delete", path):
            path.unlink(missing_ok=True)

    def keeps_versions(self) -> bool | None:
        return False

    def delta_uri(self, table: str) -> str:
        return str(self._path(table))

    def storage_options(self) -> dict[str, str] | None:
        return None

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _files(self, prefix: str) -> Iterator[Path]:
        folder, _, beginning = prefix.rpartition("/")
        directory = self._path(folder) if folder else self._root
        for entry in directory.iterdir() if directory.is_dir() else ():
            if entry.name.startswith(beginning):  # a log has thousands of files, of which a prefix selects a few
                for path in (entry, *entry.rglob("*")):
                    if path.is_file() and not _is_temporary(path):  # a killed put leaves its temporary file
                        yield path


@contextmanager
def _directory_errors(verb: str, path: Path, *, key: str | None = None) -> Iterator[None]:
    """Translate OSError to LakeUnavailable; with a `key`, a missing file raises MissingObject."""
    try:
        yield
    except OSError as error:
        if key and error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}:
            raise MissingObject(key) from error
        raise LakeUnavailable(f"cannot {verb} {path}: {error.strerror or error}") from error


@contextmanager
def _written_beside(target: Path, body: Body) -> Iterator[Path]:
    """Write a temporary file with these bytes, durably, in the target's directory; it is deleted when the block ends.

    The directory is made if it is missing. Raises OSError.
    """
    _make_directory(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            _write(file, body)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _write(file: BinaryIO, body: Body) -> None:
    if isinstance(body, bytes):
        file.write(body)
    else:
        body.seek(0)
        shutil.copyfileobj(body, file)


def _is_temporary(path: Path) -> bool:
    """Whether the name is of a temporary file of `_written_beside`, which a killed process may leave."""
    return bool(_TEMPORARY.fullmatch(path.name))


def _sync_directory(path: Path) -> None:
    """Make new names in a directory durable: a file's own fsync does not. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_directory(path: Path) -> None:
    if not path.is_dir():
        _make_directory(path.parent)
        path.mkdir(exist_ok=True)
        _sync_directory(path.parent)
