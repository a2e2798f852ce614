"""The folder of the search index: where it is, what it holds, who may write to it.

    <search folder>/<lake id>/lock              held by the process that writes
    <search folder>/<lake id>/state.json        which files of the table are in it, and in which generation
    <search folder>/<lake id>/<generation>/     tantivy's files

All of it follows from the lake. Whatever is damaged, of another format, or of another lake is made again.
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
"""Raised by every change of the fields or of the words: an index of another format is made again."""

WORDS = "presslake"
"""The name of what parts texts into words."""

FOLDER = "presslake-search"
SQLITE = "sqlite:///"
STATE, LOCK = "state.json", "lock"


@cache
def fields() -> Schema:
    """Return the fields.

    `title` and `text` are looked into and not kept: they are folded. `shown` and `body` are kept as they are in the
    lake. `key` stands for the article, `stamp` for what its row says, `seen` and `revision` for which row is later, `dt`
    for the row's partition, `at` for the article's time in seconds.
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
    """Which Parquet files of `articles` (keys) the index knows, and the folder of its generation."""

    generation: str
    files: frozenset[str] = frozenset()


def search_root(settings: Settings) -> Path:
    """Return the folder of search indexes that the settings name: by default beside the SQLite file."""
    if settings.search_index is not None:
        return settings.search_index.expanduser()
    file = settings.index.removeprefix(SQLITE).partition("?")[0] if settings.index.startswith(SQLITE) else ""
    return Path(file).parent / FOLDER


def has_search_index(settings: Settings) -> bool:
    """Whether anybody has searched here: `maintain` makes no index that nobody uses."""
    return any(search_root(settings).glob(f"*/{STATE}"))


def throw_away(settings: Settings) -> None:
    """Remove all search indexes of these settings, with every text in them; the next search makes one again."""
    with _folder_errors(search_root(settings)):
        shutil.rmtree(search_root(settings), ignore_errors=True)
        if search_root(settings).exists():
            shutil.rmtree(search_root(settings))


def read_state(home: Path) -> State | None:
    """Return what the index of a lake knows; None if there is none that can be used."""
    try:
        saved = orjson.loads((home / STATE).read_bytes())
        state = State(generation=str(saved["generation"]), files=frozenset(map(str, saved["files"])))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    is_usable = saved.get("format") == FORMAT and (home / state.generation).is_dir() and "/" not in state.generation
    return state if is_usable else None


def write_state(home: Path, state: State) -> None:
    """Keep what the index knows, after its commit: a process that dies before this reads some files once more."""
    body = orjson.dumps({"format": FORMAT, "generation": state.generation, "files": sorted(state.files)})
    with _folder_errors(home):
        temporary = home / f"{STATE}.{secrets.token_hex(4)}.tmp"
        temporary.write_bytes(body)
        temporary.replace(home / STATE)


def drop_state(home: Path) -> None:
    """Let the next catch-up make the index from its beginning."""
    with _folder_errors(home):
        (home / STATE).unlink(missing_ok=True)


@contextmanager
def only_writer(home: Path, *, is_awaited: bool) -> Iterator[bool]:
    """Hold the lock of a lake's search index; False if another process writes and that is not awaited."""
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
    """Make an empty index beside those that are there."""
    state = State(generation=secrets.token_hex(8))
    with _folder_errors(home):
        (home / state.generation).mkdir(parents=True)
    index = tantivy.Index(fields(), path=str(home / state.generation))
    index.register_tokenizer(WORDS, analyzer())
    return index, state


def remove_others(home: Path, state: State) -> None:
    """Remove every generation but this one."""
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
