"""Read rows of the lake's tables back, for `trace`: file by file, through the object port.

Not through deltalake's Arrow datasets: their file system is Python's, and a reader thread of Arrow's that is still in it
when the process ends aborts it (one run of `trace` in ten, measured).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.errors import LakeUnavailable
from tasks.layout import PARTITION
from tasks.objects import MissingObject, ObjectStore, one_line
from tasks.store.tables import open_table


def read_rows(store: ObjectStore, table: str, *, url_key: str, since: date) -> Iterator[dict[str, Any]]:
    """Yield a URL's rows of `captures` or `articles` from a day on, the oldest first; raises LakeUnavailable."""
    found = [row for key in _keys(store, table, since) for row in _rows_of(store, key, url_key)]
    yield from sorted(found, key=lambda row: row["fetched_at"])


def _keys(store: ObjectStore, table: str, since: date) -> list[str]:
    actions = pa.table(open_table(store, table).get_add_actions(flatten=True)).to_pylist()
    return [f"{table}/{unquote(one['path'])}" for one in actions if one[f"partition.{PARTITION}"] >= since]


def _rows_of(store: ObjectStore, key: str, url_key: str) -> list[dict[str, Any]]:
    try:
        file = pq.ParquetFile(pa.BufferReader(store.get(key)))
        keys = file.read(columns=["url_key"], use_threads=False)["url_key"]
        wanted = pc.equal(keys, url_key)
        if not pc.any(wanted).as_py():  # most files: the rest of them is not even decoded
            return []
        rows: list[dict[str, Any]] = file.read(use_threads=False).filter(wanted).to_pylist()
    except MissingObject as error:
        raise LakeUnavailable(f"the table names {key}, which is not in the lake") from error
    except pa.ArrowException as error:
        raise LakeUnavailable(f"{key}: {one_line(error)}") from error
    return rows
