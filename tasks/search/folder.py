"""The folder of the search index: location, content, and lock.

    <search folder>/<lake id>/lock              locked by the process that writes
    <search folder>/<lake id>/state.json        the indexed files of the table, and the generation
    <search folder>/<lake id>/<generation>/     tantivy's files

All of it is derived from the lake. An index that is damaged, of another format, or of another lake is rebuilt.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
import tantivy
from tantivy import Schema, SchemaBuilder

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.search.words import analyzer

FORMAT = 1
"""Increased by every change of fields or tokenizer; an index of another format is rebuilt."""

WORDS = "presslake"
"""The name of the tokenizer."""

FOLDER = "presslake-search"
SQLITE = "sqlite:///"
STATE, LOCK = "state.json", "lock"


@cache
def fields() -> Schema:
    """Return the schema.

    `title` and `text` are indexed, folded and not stored. `shown` and `body` are stored as in the lake. `key`
    identifies the article, `stamp` the row's content, `seen` and `revision` order rows by recency, `dt` is the row's
    partition, `at` the article's time in seconds.
    """
    builder = SchemaBuilder()
    for name in ("title", "text"):
        builder.add_text_field(name, tokenizer_name=WORDS)
    for name in ("source", "tag", "language"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("key", "dt"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("at", "seen", "revision", "stamp"):
        builder.add_integer_field(name, fast=True)
    for name in ("shown", "body"):
        builder.add_bytes_field(name, stored=True)
    return builder.build()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The keys of the indexed Parquet files of `articles`, and the folder of the generation."""

    generation: str
    files: frozenset[str] = frozenset()


def search_root(settings: Settings) -> Path:
    """Return the folder of search indexes that the settings name: by default next to the SQLite file."""
    if settings.search_index is not None:
        return settings.search_index.expanduser()
    file = settings.index.removeprefix(SQLITE).partition("?")[0] if settings.index.startswith(SQLITE) else ""
    return Path(file).parent / FOLDER


def has_search_index(settings: Settings) -> bool:
    """Whether a search index exists; `maintain` builds none if nobody searches."""
    return any(search_root(settings).glob(f"*/{STATE}"))


def throw_away(settings: Settings) -> None:
    """Delete all search indexes of these settings, with every text in them; the next search rebuilds one."""
    with _folder_errors(search_root(settings)):
        shutil.rmtree(search_root(settings), ignore_errors=True)
        if search_root(settings).exists():
            shutil.rmtree(search_root(settings))


def read_state(home: Path) -> State | None:
    """Return the state of a lake's search index; None if there is no usable one."""
    try:
        saved = orjson.loads((home / STATE).read_bytes())
        state = State(generation=str(saved["generation"]), files=frozenset(map(str, saved["files"])))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    is_usable = saved.get("format") == FORMAT and (home / state.generation).is_dir() and "/" not in state.generation
    return state if is_usable else None


def write_state(home: Path, state: State) -> None:
    """Write the state of the index, after its commit; if a process dies before, some files are read again."""
    body = orjson.dumps({"format": FORMAT, "generation": state.generation, "files": sorted(state.files)})
    with _folder_errors(home):
        temporary = home / f"{STATE}.{secrets.token_hex(4)}.tmp"
        temporary.write_bytes(body)
        temporary.replace(home / STATE)


def drop_state(home: Path) -> None:
    """Delete the state, so that the next update rebuilds the index."""
    with _folder_errors(home):
        (home / STATE).unlink(missing_ok=True)


@contextmanager
def only_writer(home: Path, *, is_awaited: bool) -> Iterator[bool]:
    """Hold the lock of a lake's search index; False if another process holds it and waiting is not wanted."""
    with _folder_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _is_locked(lock, is_awaited=is_awaited)
    finally:
        os.close(lock)


def open_generation(home: Path) -> tantivy.Index | None:
    """Open the index; None if there is none, or its files are damaged or gone."""
    state = read_state(home)
    if state is None:
        return None
    try:
        index = tantivy.Index.open(str(home / state.generation))
    except (ValueError, OSError):
        return None
    index.register_tokenizer(WORDS, analyzer())
    return index


def make_generation(home: Path) -> tuple[tantivy.Index, State]:
    """Create an empty index next to existing ones."""
    state = State(generation=secrets.token_hex(8))
    with _folder_errors(home):
        (home / state.generation).mkdir(parents=True)
    index = tantivy.Index(fields(), path=str(home / state.generation))
    index.register_tokenizer(WORDS, analyzer())
    return index, state


def remove_others(home: Path, state: State) -> None:
    """Delete every generation but the current one."""
    for path in home.iterdir():
        if path.is_dir() and path.name != state.generation:
            shutil.rmtree(path, ignore_errors=True)


def _is_locked(lock: int, *, is_awaited: bool) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if is_awaited else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextmanager
def _folder_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(
            f"{home}: the search index cannot be written: {reason}; see PRESSLAKE_SEARCH_INDEX"
        ) from error
