"""Export articles of the lake into a folder.

    <out>/articles.jsonl        the rows (or .parquet, .csv, .warc.gz)
    <out>/manifest.json         table versions, extractors, counts, digests
    <out>/croissant.json        metadata for loaders of data sets

Deterministic: the same table versions give the same bytes. The folder is created atomically.
"""

import hashlib
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.export.choosing import ChosenRows, choose
from tasks.export.croissant import croissant
from tasks.export.request import ExportRequest
from tasks.export.writing import Writer, file_name, open_writer
from tasks.lake.keys import ARTICLES
from tasks.lake.removals import read_removals
from tasks.lake.schemas import table_columns
from tasks.query.cells import json_line
from tasks.query.views import open_views
from tasks.runtime.lakes import open_lake_without_index
from tasks.runtime.progress import OnStep

MANIFEST, CROISSANT = "manifest.json", "croissant.json"
MARK = "presslake_export"
FORMAT = 1


@dataclass(slots=True)
class Tally:
    """Counts of an export while it is written."""

    rows: int = 0
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            "source_id": Counter(),
            "language": Counter(),
            "novelty": Counter(),
            "extractor": Counter(),
        }
    )
    first: datetime | None = None
    last: datetime | None = None
    change_seq: int | None = None

    def add(self, rows: pa.Table) -> None:
        """Count rows, which must be in order of fetch time."""
        if not rows.num_rows:
            return
        self.rows += rows.num_rows
        for name, counter in self.counts.items():
            for pair in rows[name].value_counts().to_pylist():
                counter[str(pair["values"])] += pair["counts"]
        self.first = self.first or rows["fetched_at"][0].as_py()
        self.last = rows["fetched_at"][-1].as_py()
        newest = pc.max(rows["change_seq"]).as_py()
        self.change_seq = max((one for one in (self.change_seq, newest) if one is not None), default=None)


def export(asked: ExportRequest, settings: Settings, *, on_step: OnStep) -> dict[str, Any]:
    """Write an export and return its manifest.

    Raises ConfigError if the folder exists and may not be replaced, if it cannot be written, for an invalid expression
    and for a missing lake; and LakeUnavailable, CorruptRecord.
    """
    store, lake_id = open_lake_without_index(settings)
    with _new_folder(asked) as folder, open_views(store) as views:
        removals = read_removals(store)  # after the rows, as `changes` reads them
        chosen = choose(views, view=asked.view, where=asked.where, removals=removals, purpose=asked.purpose)
        path = folder / file_name(asked.format)
        tally = Tally()
        with open_writer(asked.format, path, store) as writer:
            _write(chosen, writer, tally, on_step)
        digest, size = _sha256(path), path.stat().st_size
        manifest = _manifest(asked, tally, lake_id=lake_id, versions=views.versions, notes=writer.notes)
        manifest["files"] = [{"name": path.name, "size": size, "sha256": digest}]
        described = croissant(
            asked.format,
            table_columns(ARTICLES),
            file=path.name,
            size=size,
            sha256=digest,
            version=views.versions[ARTICLES] or 0,
            published=tally.last.date().isoformat() if tally.last else None,
            is_latest=asked.is_latest,
        )
        (folder / MANIFEST).write_bytes(_indented(manifest))
        (folder / CROISSANT).write_bytes(_indented(described))
    return manifest


def _write(chosen: ChosenRows, writer: Writer, tally: Tally, on_step: OnStep) -> None:
    for rows in chosen.read():
        writer.add(rows)
        tally.add(rows)
        on_step("exporting articles", tally.rows, chosen.rows)


def _manifest(
    asked: ExportRequest, tally: Tally, *, lake_id: str, versions: Mapping[str, int | None], notes: dict[str, int]
) -> dict[str, Any]:
    return {
        MARK: FORMAT,
        "presslake": version("presslake"),
        "format": asked.format.value,
        "view": asked.view,
        "where": asked.where,
        "purpose": asked.purpose.value if asked.purpose else None,
        "lake_id": lake_id,
        "delta_versions": {name: number for name, number in versions.items() if number is not None},
        "change_seq": tally.change_seq,
        "rows": tally.rows,
        "fetched_from": tally.first,
        "fetched_to": tally.last,
        "sources": _sorted(tally.counts["source_id"]),
        "languages": _sorted(tally.counts["language"]),
        "novelties": _sorted(tally.counts["novelty"]),
        "extractors": _sorted(tally.counts["extractor"]),
        **notes,
    }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _indented(value: object) -> bytes:
    return orjson.dumps(orjson.loads(json_line(value)), option=orjson.OPT_INDENT_2) + b"\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _new_folder(asked: ExportRequest) -> Iterator[Path]:
    """Open a temporary folder that is renamed to its final name on success and deleted on failure."""
    out = asked.out
    _check_free(asked)
    part = out.parent / f".{out.name}.{secrets.token_hex(4)}.part"
    try:
        part.mkdir(parents=True)
        yield part
        _put_in_place(part, out)
    except OSError as error:
        raise ConfigError(f"{out}: the export cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check_free(asked: ExportRequest) -> None:
    out = asked.out
    if not out.name or out.parts[0].endswith(":"):  # Path turns s3:// into s3:/
        raise ConfigError(f"--out {out}: must be a folder on this machine")
    if not os.path.lexists(out) or (out.is_dir() and not any(out.iterdir())):
        return
    if not asked.is_forced:
        raise ConfigError(f"{out} already exists: choose another folder, or use --force to replace an older export")
    if not _is_export(out):
        raise ConfigError(f"{out} is not an export, and --force replaces only exports: choose another folder")


def _is_export(out: Path) -> bool:
    try:
        return MARK in orjson.loads((out / MANIFEST).read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _put_in_place(part: Path, out: Path) -> None:
    old = part.with_suffix(".old")
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)
