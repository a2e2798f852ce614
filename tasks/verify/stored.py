"""Read the tables of the lake file by file, so that one bad file does not hide the others, and memory is bounded."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from tasks.errors import StageError
from tasks.lake.keys import PARTITION
from tasks.lake.objects.stores import ObjectStore, one_line
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
