"""Prefect's database, made once: its migrations cost four seconds of CPU, so a fresh one is copied from a cache folder.

The copy is what the same version of Prefect made of an empty file, before anything was in it. A server brings its
database up to date when it starts, so that one which is older, for whatever reason, costs time and no more.
"""

import os
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

SCHEME = "sqlite+aiosqlite:///"


def prepare_database(url: str, *, version: str, migrate: Callable[[], None]) -> None:
    """Put a copy of the template where a fresh database would be made; the first one makes the template.

    `url` is Prefect's own setting, and `migrate` makes its database out of nothing. One that is there is left alone, as
    is what is no file of SQLite's; a cache that cannot be used is done without.
    """
    target = _file_of(url)
    if target is None or not target.parent.is_dir() or _is_there(target):
        return
    template = cache_folder() / f"prefect-{version}.db"
    if template.is_file():
        try:
            _copy(template, target)
        except sqlite3.DatabaseError:  # whatever it is, the next server makes another
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
    """Return where this person's caches of ours are (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "presslake"


def _file_of(url: str) -> Path | None:
    path = url.removeprefix(SCHEME).partition("?")[0]
    return Path(path) if url.startswith(SCHEME) and path and ":memory:" not in url else None


def _is_there(database: Path) -> bool:
    """Whether there is a database, or what a killed server left of one."""
    return any(database.with_name(database.name + end).exists() for end in ("", "-wal", "-journal"))


def _copy(source: Path, target: Path) -> None:
    """Copy a database as a whole; of several who do so at once the first one's stays, for it may be in use."""
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
