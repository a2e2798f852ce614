"""Files that are whole and on disk, names included, before anything relies on them (fsync(2), rename(2))."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


@contextmanager
def written_beside(target: Path, body: bytes) -> Iterator[Path]:
    """Give a file with these bytes, on disk, in the target's directory; it is gone when the block ends.

    The directory is made if it is missing. Raises OSError.
    """
    _make_directory(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def is_temporary(path: Path) -> bool:
    """Whether the name is of a file of `written_beside`, which a killed process may leave."""
    return bool(_TEMPORARY.fullmatch(path.name))


def sync_directory(path: Path) -> None:
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
        sync_directory(path.parent)
