"""Read the tables of the lake file by file, so that one bad file does not hide the others, and memory is bounded."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import orjson
import pyarrow as pa

from tasks.errors import StageError
from tasks.lake.keys import PARTITION
from tasks.lake.objects.stores import MissingObject, ObjectStore, one_line
from tasks.lake.reading import StoredFile
from tasks.lake.schemas import open_parquet, table_schema
from tasks.values.columns import revive
from tasks.values.rows import Article, Capture, Policy

ROWS_AT_ONCE = 500


class DamagedFile(StageError):
    """A Parquet file cannot be read."""


def read_file(store: ObjectStore, file: StoredFile) -> Iterator[dict[str, Any]]:
    """Yield a file's rows, every column of the table by its name; raises MissingObject, DamagedFile, LakeUnavailable."""
    body = store.get(file.key)
    absent = dict.fromkeys(table_schema(file.table).names)
    absent[PARTITION] = file.day
    try:
        for batch in open_parquet(body).iter_batches(ROWS_AT_ONCE, use_threads=False):
            for row in batch.to_pylist():
                yield {**absent, **row}
    except (pa.ArrowException, OSError) as error:
        raise DamagedFile(f"{file.key}: {one_line(error)}") from error


def as_article(row: Mapping[str, Any]) -> Article:
    """Return a row of `articles` as the value it was made from."""
    return revive(Article, row)


def as_capture(row: Mapping[str, Any]) -> Capture:
    """Return a row of `captures` as the value it was made from."""
    return revive(Capture, row)


def as_policy(row: Mapping[str, Any]) -> Policy:
    """Return a row of `policies` as the value it was made from."""
    return revive(Policy, row)


def logged_paths(store: ObjectStore, name: str) -> set[str]:
    """Return the keys of all files that the table's log names, replaced files included.

    Unreadable parts of the log are ignored: no reader needs them, or the damage is reported already.
    """
    named: set[str] = set()
    for found in store.list(f"{name}/_delta_log/"):
        try:
            if found.key.endswith(".json"):
                named.update(_paths_in_commit(store.get(found.key)))
            elif ".checkpoint" in found.key and found.key.endswith(".parquet"):
                named.update(_paths_in_checkpoint(store.get(found.key)))
        except (MissingObject, ValueError, pa.ArrowException):  # the first: deleted since it was listed
            continue
    return {f"{name}/{unquote(path)}" for path in named}


def _paths_in_commit(body: bytes) -> Iterator[str]:
    for line in body.splitlines():
        action = orjson.loads(line)
        for kind in ("add", "remove"):
            if kind in action:
                yield action[kind]["path"]


def _paths_in_checkpoint(body: bytes) -> Iterator[str]:
    read = open_parquet(body).read(columns=["add", "remove"], use_threads=False)
    for row in read.to_pylist():
        for action in row.values():
            if action and action["path"]:
                yield action["path"]
