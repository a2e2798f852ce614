"""A database on disk for as long as a block runs: what is compared or put in order may be larger than memory."""

import sqlite3
import tempfile
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self


class ScratchDatabase:
    """An SQLite file in a folder of its own, made by `_SCHEMA`, and deleted when the block ends."""

    _SCHEMA: ClassVar[str]

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="presslake-scratch-")
        self._database = sqlite3.connect(Path(self._folder.name) / "scratch.db")
        # nobody reads it after a crash
        self._database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + self._SCHEMA)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()
