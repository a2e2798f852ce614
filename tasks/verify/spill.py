"""Sorted rows, and strings by key, in a database on disk, since what is compared may exceed memory."""

import pickle
import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar


class ScratchDatabase:
    """An SQLite file in a folder of its own, made by `_SCHEMA`, and deleted when the block ends."""

    _SCHEMA: ClassVar[str]

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="presslake-scratch-")
        self._database = sqlite3.connect(Path(self._folder.name) / "scratch.db")
        # durability is off: nothing reads the file after a crash
        self._database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + self._SCHEMA)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()


T = TypeVar("T")


class Spill(ScratchDatabase, Generic[T]):
    """Pickled values sorted by a two-part key, on disk until the block ends."""

    _SCHEMA = "CREATE TABLE spilled (first, second, value)"

    def add(self, rows: Iterable[tuple[Any, Any, T]]) -> None:
        """Add values, each with its key."""
        packed = ((first, second, zlib.compress(pickle.dumps(value), 1)) for first, second, value in rows)
        self._database.executemany("INSERT INTO spilled VALUES (?,?,?)", packed)

    def read(self) -> Iterator[T]:
        """Yield the values in the order of their keys."""
        for (packed,) in self._database.execute("SELECT value FROM spilled ORDER BY first, second, rowid"):
            # written by this process, into a folder that others cannot write to
            yield pickle.loads(zlib.decompress(packed))  # noqa: S301

    def clear(self) -> None:
        """Delete all values."""
        self._database.execute("DELETE FROM spilled")


class Lookup(ScratchDatabase):
    """Strings by key and number, on disk until the block ends."""

    _SCHEMA = "CREATE TABLE held (key, number, word, PRIMARY KEY (key, number)) WITHOUT ROWID"

    def add(self, rows: Iterable[tuple[str, int, str]]) -> None:
        """Add strings, each with its key and number."""
        self._database.executemany("INSERT OR REPLACE INTO held VALUES (?,?,?)", rows)

    def find(self, key: str, number: int) -> str | None:
        """Return the string for a key and a number, or None."""
        query = "SELECT word FROM held WHERE key = ? AND number = ?"
        row = self._database.execute(query, (key, number)).fetchone()
        return None if row is None else str(row[0])
