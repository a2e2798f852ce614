"""The tables of the lake read back, file by file, so that one bad file does not hide the others and memory is bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import unquote

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import StageError
from tasks.layout import PARTITION
from tasks.models import Article, Capture, Novelty, Outcome, PageType
from tasks.objects import MissingObject, ObjectStore, one_line
from tasks.store.reading import StoredFile
from tasks.store.tables import table_schema

ROWS_AT_ONCE = 500
_KINDS = {"novelty": Novelty, "page_type": PageType, "outcome": Outcome, "authors": tuple, "tags": tuple}


class DamagedFile(StageError):
    """A Parquet file cannot be read."""


def read_file(store: ObjectStore, file: StoredFile) -> Iterator[dict[str, Any]]:
    """Yield a file's rows, every column of the table by its name; raises MissingObject, DamagedFile, LakeUnavailable."""
    body = store.get(file.key)
    absent = dict.fromkeys(table_schema(file.table).names)
    absent[PARTITION] = file.day
    try:
        for batch in _opened(body).iter_batches(ROWS_AT_ONCE, use_threads=False):
            for row in batch.to_pylist():
                yield {**absent, **row}
    except (pa.ArrowException, OSError) as error:
        raise DamagedFile(f"{file.key}: {one_line(error)}") from error


def as_article(row: Mapping[str, Any]) -> Article:
    """Return a row of `articles` as the value it was made from."""
    return Article(**{field.name: _value(field.name, row[field.name]) for field in fields(Article)})


def as_capture(row: Mapping[str, Any]) -> Capture:
    """Return a row of `captures` as the value it was made from."""
    return Capture(**{field.name: _value(field.name, row[field.name]) for field in fields(Capture)})


def logged_paths(store: ObjectStore, name: str) -> set[str]:
    """Return the keys of all files that the table's log still names, those that were replaced since among them."""
    named: set[str] = set()
    for found in store.list(f"{name}/_delta_log/"):
        try:
            if found.key.endswith(".json"):
                named.update(_paths_in_commit(store.get(found.key)))
            elif ".checkpoint" in found.key and found.key.endswith(".parquet"):
                named.update(_paths_in_checkpoint(store.get(found.key)))
        except MissingObject:  # cleaned up since it was listed
            continue
    return {f"{name}/{unquote(path)}" for path in named}


def _paths_in_commit(body: bytes) -> Iterator[str]:
    for line in body.splitlines():
        action = orjson.loads(line)
        for kind in ("add", "remove"):
            if kind in action:
                yield action[kind]["path"]


def _paths_in_checkpoint(body: bytes) -> Iterator[str]:
    read = _opened(body).read(columns=["add", "remove"], use_threads=False)
    for row in read.to_pylist():
        for action in row.values():
            if action and action["path"]:
                yield action["path"]


def _opened(body: bytes) -> pq.ParquetFile:
    """Return a file in memory, read by this thread alone: a thread of Arrow's in Python's file would end with the process."""
    return pq.ParquetFile(pa.BufferReader(body), pre_buffer=False)


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - any cell
    make = _KINDS.get(name)
    return value if make is None or value is None else make(value)
