"""Create a new Prefect database by copying a cached template: Prefect's migrations cost four seconds of CPU.

There is one template for each version of Prefect, made from an empty file. A server migrates its database when it starts,
so an older template costs time and does no harm.
"""

import os
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

SCHEME = "sqlite+aiosqlite:///"


def prepare_database(url: str, *, version: str, migrate: Callable[[], None]) -> None:
    """Copy the template to the place where Prefect would create its database; the first call makes the template.

    `url` is Prefect's setting of the database, and `migrate` creates that database. Does nothing if the database exists, or is
    not an SQLite file. Without a usable cache folder, the database is created without a template.
    """
    target = _file_of(url)
    if target is None or not target.parent.is_dir() or _is_there(target):
        return
    template = cache_folder() / f"prefect-{version}.db"
    if template.is_file():
        try:
            _copy(template, target)
        except sqlite3.DatabaseError:  # a damaged template: make another
            template.unlink(missing_ok=True)
        except OSError:
            return
        else:
            return
    migrate()
    with suppress(OSError, sqlite3.Error):
        template.parent.mkdir(parents=True, exist_ok=True)
        _copy(target, template)


def cache_folder() -> Path:
    """Return this user's cache folder of Presslake (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "presslake"


def _file_of(url: str) -> Path | None:
    path = url.removeprefix(SCHEME).partition("?")[0]
    return Path(path) if url.startswith(SCHEME) and path and ":memory:" not in url else None


def _is_there(database: Path) -> bool:
    """Whether there is a database, or the write-ahead log or journal that a killed server left."""
    return any(database.with_name(database.name + end).exists() for end in ("", "-wal", "-journal"))


def _copy(source: Path, target: Path) -> None:
    """Copy a database atomically; of concurrent copies the first wins, since it may be in use already."""
    half = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(half)) as made,
        ):
            read.backup(made)
            made.execute("PRAGMA journal_mode=DELETE")
        with suppress(FileExistsError):
            target.hardlink_to(half)
    finally:
        half.unlink(missing_ok=True)
