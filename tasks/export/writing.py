"""Write rows to a file, in each format. Deterministic."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import CorruptRecord, LakeUnavailable
from tasks.export.choosing import SCHEMA
from tasks.export.request import Format
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.records import iter_records
from tasks.lake.warc import SegmentWriter
from tasks.query.cells import csv_cell, is_formula, json_line

GROUP_ROWS = 20_000
"""Rows per row group, so that small days share one."""

SLICE = 1_000
SOFTWARE = "presslake export"


class Writer(Protocol):
    """Writes rows to a file; `notes` says in the manifest what is special about it."""

    notes: dict[str, int]

    def add(self, rows: pa.Table) -> None:
        """Write rows, in their order."""
        ...

    def end(self) -> None:
        """Write the remaining rows."""
        ...


@dataclass(slots=True)
class JsonLines:
    """One JSON object per row and line."""

    out: io.BufferedWriter
    notes: dict[str, int] = field(default_factory=dict)

    def add(self, rows: pa.Table) -> None:
        for row in _each(rows):
            self.out.write(json_line(row) + b"\n")

    def end(self) -> None:
        """Do nothing: everything is written."""


class Csv:
    """A header line, then one line per row (RFC 4180), in UTF-8."""

    def __init__(self, out: io.BufferedWriter) -> None:
        self._text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(SCHEMA.names)
        self.notes = {"texts_with_an_apostrophe": 0}

    def add(self, rows: pa.Table) -> None:
        for row in _each(rows):
            self.notes["texts_with_an_apostrophe"] += sum(map(is_formula, row.values()))
            self._rows.writerow([csv_cell(value) for value in row.values()])

    def end(self) -> None:
        self._text.detach()


class Parquet:
    """One Parquet file, compressed by zstd, with the table's columns."""

    def __init__(self, out: io.BufferedWriter) -> None:
        self._writer = pq.ParquetWriter(out, SCHEMA, compression="zstd")
        self._waiting: list[pa.Table] = []
        self.notes: dict[str, int] = {}

    def add(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        if sum(one.num_rows for one in self._waiting) >= GROUP_ROWS:
            self._write()

    def end(self) -> None:
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._waiting = []


class Warc:
    """The pages of the articles: their WARC records copied from the lake byte for byte, each once."""

    def __init__(self, out: io.BufferedWriter, store: ObjectStore, name: str) -> None:
        about = SegmentWriter(name, software=SOFTWARE, created_at=datetime(1970, 1, 1, tzinfo=UTC))
        self._out, self._store, self._written = out, store, set[tuple[str, int]]()
        self._out.write(about.to_bytes())
        self.notes = {"records": 0, "pages_removed": 0}

    def add(self, rows: pa.Table) -> None:
        for row in rows.select(["warc_key", "warc_offset", "warc_length"]).to_pylist():
            place = row["warc_key"], row["warc_offset"]
            if place not in self._written:
                self._written.add(place)
                self._copy(*place, row["warc_length"])

    def _copy(self, key: str, offset: int, length: int) -> None:
        try:
            member = self._store.get_range(key, offset, length)
            (record,) = iter_records(member)
        except MissingObject as error:
            raise LakeUnavailable(f"{key} is not in the lake: see `presslake verify`") from error
        except ValueError as error:
            raise CorruptRecord(f"{key}: not exactly one record at {offset}, {length} bytes long") from error
        is_gone = record.tombstone is not None
        self.notes["pages_removed" if is_gone else "records"] += 1
        self._out.write(b"" if is_gone else member)

    def end(self) -> None:
        """Do nothing: everything is written."""


def file_name(form: Format) -> str:
    """Return the name of the file with the articles."""
    return f"articles.{form.value}.gz" if form is Format.WARC else f"articles.{form.value}"


@contextmanager
def open_writer(form: Format, path: Path, store: ObjectStore) -> Iterator[Writer]:
    """Open a file and return the writer for its format."""
    with path.open("wb") as out:
        writer = Warc(out, store, path.name) if form is Format.WARC else _WRITERS[form](out)
        yield writer
        writer.end()


_WRITERS: dict[Format, Callable[[io.BufferedWriter], Writer]] = {
    Format.JSONL: JsonLines,
    Format.CSV: Csv,
    Format.PARQUET: Parquet,
}


def _each(rows: pa.Table) -> Iterator[dict[str, object]]:
    for start in range(0, rows.num_rows, SLICE):
        yield from rows.slice(start, SLICE).to_pylist()
