"""Search every byte of a place for needles: raw, and inside gzip, zlib and Parquet."""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from tasks.index.schema import metadata
from tasks.lake.records import iter_records


def find_bytes(home: Path, needles: list[str]) -> dict[str, list[str]]:
    """Return the needles found in files below a folder, with the file names."""
    found: dict[str, list[str]] = {}
    for path in sorted(home.rglob("*")):
        if not path.is_file():
            continue
        bodies = list(_bodies(path))
        for needle in needles:
            if any(needle.encode() in body for body in bodies):
                found.setdefault(needle, []).append(str(path.relative_to(home)))
    return found


def find_rows(tx: Connection, needles: list[str]) -> dict[str, list[str]]:
    """Return the needles found in rows of an index, with the table names."""
    found: dict[str, list[str]] = {}
    for table in metadata.sorted_tables:
        rows = [tuple(row) for row in tx.execute(select(table))]
        text = repr(rows).encode() + b"".join(_unpacked(value for row in rows for value in row))
        for needle in needles:
            if needle.encode() in text:
                found.setdefault(needle, []).append(table.name)
    return found


def _bodies(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, and the contents compressed in it."""
    raw = path.read_bytes()
    yield raw
    if path.name.endswith(".warc.gz"):
        yield b"".join(zlib.decompress(raw[one.offset : one.offset + one.length], 31) for one in iter_records(raw))
    elif path.suffix == ".parquet":
        yield repr(pq.ParquetFile(path).read().to_pylist()).encode()
    elif raw.startswith(b"SQLite format 3"):
        yield from _packed_in(path)


def _packed_in(path: Path) -> Iterator[bytes]:
    """Yield the decompressed values of an SQLite file that are zlib data."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            yield from _unpacked(value for row in database.execute(f"SELECT * FROM '{table}'") for value in row)


def _unpacked(values: Iterable[object]) -> Iterator[bytes]:
    for value in values:
        if isinstance(value, bytes) and value[:1] == b"\x78":
            try:
                yield zlib.decompress(value)
            except zlib.error:
                continue
