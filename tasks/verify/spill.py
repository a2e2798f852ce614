"""Rows in order, and words by place, however many: they are written to a file and read from it."""

import pickle
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from tasks.verify.scratch import ScratchDatabase

T = TypeVar("T")


class Spill(ScratchDatabase, Generic[T]):
    """Values of our own under a key of two parts, on disk until the block ends."""

    _SCHEMA = "CREATE TABLE spilled (first, second, value)"

    def add(self, rows: Iterable[tuple[Any, Any, T]]) -> None:
        """Add values, each with its key."""
        packed = ((first, second, zlib.compress(pickle.dumps(value), 1)) for first, second, value in rows)
        self._database.executemany("INSERT INTO spilled VALUES (?,?,?)", packed)

    def read(self) -> Iterator[T]:
        """Yield the values in the order of their keys."""
        for (packed,) in self._database.execute("SELECT value FROM spilled ORDER BY first, second, rowid"):
            # this process wrote it a moment ago, into a folder that nobody else may write
            yield pickle.loads(zlib.decompress(packed))  # noqa: S301

    def clear(self) -> None:
        """Delete all values."""
        self._database.execute("DELETE FROM spilled")


class Lookup(ScratchDatabase):
    """Words by a place (a key and a number), on disk until the block ends."""

    _SCHEMA = "CREATE TABLE held (key, number, word, PRIMARY KEY (key, number)) WITHOUT ROWID"

    def add(self, rows: Iterable[tuple[str, int, str]]) -> None:
        """Add words, each with its place."""
        self._database.executemany("INSERT OR REPLACE INTO held VALUES (?,?,?)", rows)

    def find(self, key: str, number: int) -> str | None:
        """Return the word at a place, or None."""
        query = "SELECT word FROM held WHERE key = ? AND number = ?"
        row = self._database.execute(query, (key, number)).fetchone()
        return None if row is None else str(row[0])
