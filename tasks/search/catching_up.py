"""Update the search index from the lake: add new rows, replace superseded ones, remove those that are gone.

New files of the table bring rows. If files of a day are gone (packed, rewritten, taken down), that day's documents are
compared with its rows. Every step is idempotent, so a process may die at any instant.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import tantivy

from tasks.lake.keys import ARTICLES, day_of
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_columns
from tasks.lake.tables import find_table
from tasks.runtime.progress import OnStep
from tasks.search.folder import (
    make_generation,
    only_writer,
    open_generation,
    read_state,
    remove_others,
    write_state,
)
from tasks.search.querying import language_terms
from tasks.search.rows import Recency, RowRef, as_seconds, day_number, latest, refs_of, time_of
from tasks.search.words import fold

SHOWN = ("article_id", "revision", "url", "title", "source_id", "language")
COLUMNS = (*SHOWN, "text", "published_at", "first_seen_at", "fetched_at", "source_tags")
COMMIT_SIZE = 20_000
"""Documents per commit of a long build, so that a killed build continues from there."""

ASKED, SLICE, TOLD = 1_000, 1_000, 1_000
HEAP_SIZE = 60_000_000
THREADS = 2
FEW = 5_000
"""The most documents added by one thread, since each thread makes a segment of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpResult:
    """The result of an update; `is_busy` if another process is updating the index."""

    added: int = 0
    removed: int = 0
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document of the index: its article, the recency of its row, and its stamp."""

    key: int
    seen: Recency
    stamp: int


def catch_up(store: ObjectStore, home: Path, *, on_step: OnStep, is_awaited: bool = False) -> CatchUpResult:
    """Update a lake's search index to the newest version of the table `articles`, and create it if there is none.

    If another process is updating an existing index, it is waited for only if `is_awaited`. Raises ConfigError if the
    folder cannot be written, and LakeUnavailable.
    """
    table = find_table(store, ARTICLES)
    files = list_files(table, ARTICLES) if table else []
    held = read_state(home)
    if held is not None and held.files == {file.key for file in files}:
        return CatchUpResult()
    is_empty = held is None or not held.files  # no index yet, or another process is building it: no results yet
    with only_writer(home, is_awaited=is_awaited or is_empty) as is_ours:
        if not is_ours:
            return CatchUpResult(is_busy=True)
        return _CatchUp(store, home, files, on_step).run()


class _CatchUp:
    """One update, by the only process that may write."""

    def __init__(self, store: ObjectStore, home: Path, files: Sequence[StoredFile], on_step: OnStep) -> None:
        self._store, self._home, self._on_step = store, home, on_step
        self._files = {file.key: file for file in files}
        held = read_state(home)
        index = open_generation(home)
        if held is None or index is None:
            index, held = make_generation(home)
            write_state(home, held)  # a killed build continues from what it has committed
            remove_others(home, held)
        self._index, self._held = index, held
        self._searcher = index.searcher()

    def run(self) -> CatchUpResult:
        new = [file for key, file in self._files.items() if key not in self._held.files]
        lost_days = {day_of(key) for key in self._held.files - self._files.keys()}
        wanted = latest(self._refs(new, [file for file in self._files.values() if file.day in lost_days]))
        gone = self._gone(lost_days, wanted)
        wanted = latest([*wanted.values(), *self._others(gone, lost_days)])
        known = {one.key: one for one in self._indexed(wanted)}
        chosen = [ref for key, ref in wanted.items() if key in gone or _is_other(ref, known.get(key))]
        removed = gone - wanted.keys()
        self._write(chosen, removed=removed, stale=gone | known.keys())
        write_state(self._home, replace(self._held, files=frozenset(self._files)))
        return CatchUpResult(added=len(chosen), removed=len(removed))

    def _refs(self, new: Sequence[StoredFile], others: Sequence[StoredFile]) -> Iterator[RowRef]:
        files = {file.key: file for file in (*new, *others)}
        for number, file in enumerate(files.values()):
            self._on_step("reading the lake for the search index", number, len(files))
            yield from refs_of(self._store, file)

    def _gone(self, lost_days: Iterable[date], wanted: Mapping[int, RowRef]) -> set[int]:
        """Return the articles whose indexed row is no longer in the lake."""
        gone = set[int]()
        for day in lost_days:
            for one in self._indexed_of_day(day):
                ref = wanted.get(one.key)
                # a later row is an ordinary replacement; an earlier one means that the indexed row is gone
                if ref is None or ref.seen < one.seen:
                    gone.add(one.key)
        return gone

    def _others(self, keys: AbstractSet[int], lost_days: AbstractSet[date]) -> Iterator[RowRef]:
        """Yield the rows, from files not read yet, of articles whose latest row is gone."""
        for file in self._files.values() if keys else ():
            if file.day not in lost_days:
                yield from (ref for ref in refs_of(self._store, file) if ref.key in keys)

    def _indexed(self, keys: Iterable[int]) -> Iterator[Indexed]:
        if not self._searcher.num_docs:
            return
        every = list(keys)
        for start in range(0, len(every), ASKED):
            part = every[start : start + ASKED]
            query = tantivy.Query.term_set_query(self._index.schema, "key", part)
            yield from self._documents(query, limit=len(part))

    def _indexed_of_day(self, day: date) -> Iterator[Indexed]:
        if self._searcher.num_docs:
            query = tantivy.Query.term_query(self._index.schema, "dt", day_number(day))
            yield from self._documents(query, limit=self._searcher.num_docs)

    def _documents(self, query: tantivy.Query, *, limit: int) -> Iterator[Indexed]:
        addresses = [address for _, address in self._searcher.search(query, limit, count=False).hits]
        names = ("key", "seen", "revision", "stamp")
        columns = [self._searcher.fast_field_values(name, addresses) for name in names]
        for key, seen, revision, stamp in zip(*columns, strict=True):
            yield Indexed(key, Recency(seen, revision), stamp)

    def _write(self, chosen: Sequence[RowRef], *, removed: AbstractSet[int], stale: AbstractSet[int]) -> None:
        """Index rows, replacing their `stale` documents, and delete the `removed` ones."""
        threads = 1 if len(chosen) < FEW else THREADS
        writer = self._index.writer(HEAP_SIZE * threads, threads)
        for key in removed:
            writer.delete_documents_by_term("key", key)
        done, uncommitted = 0, 0
        for ref, row in self._rows(chosen):
            if ref.key in stale:
                writer.delete_documents_by_term("key", ref.key)
            writer.add_document(_document(ref, row, self._index.schema))
            done, uncommitted = done + 1, uncommitted + 1
            if uncommitted >= COMMIT_SIZE:
                writer.commit()
                uncommitted = 0
            if done % TOLD == 0:
                self._on_step("adding articles to the search index", done, len(chosen))
        writer.commit()
        writer.wait_merging_threads()

    def _rows(self, chosen: Sequence[RowRef]) -> Iterator[tuple[RowRef, dict[str, Any]]]:
        for key, refs in _by_file(chosen).items():
            table = read_columns(self._store, self._files[key], COLUMNS)
            taken = table.take(pa.array([ref.place for ref in refs]))
            for start in range(0, len(refs), SLICE):
                yield from zip(refs[start : start + SLICE], taken.slice(start, SLICE).to_pylist(), strict=True)


def _document(ref: RowRef, row: Mapping[str, Any], schema: tantivy.Schema) -> tantivy.Document:
    at = as_seconds(time_of(row))
    text, title = row["text"], row["title"] or ""
    languages = language_terms(row["language"]) if row["language"] else []
    return tantivy.Document.from_dict(
        {
            "key": ref.key,
            "dt": day_number(ref.file.day),
            "at": at,
            "seen": ref.seen.seen,
            "revision": ref.seen.revision,
            "stamp": ref.stamp,
            "title": fold(title),
            "text": fold(text),
            "source": row["source_id"],
            "tag": [tag.casefold() for tag in row["source_tags"] or ()],
            "language": languages,
            "shown": orjson.dumps({name: row[name] for name in SHOWN} | {"at": at}),
            "body": text.encode(),
        },
        schema,
    )


def _is_other(ref: RowRef, known: Indexed | None) -> bool:
    """Whether to index a row: it is unknown, later, or the same with another stamp."""
    if known is None or ref.seen > known.seen:
        return True
    return ref.seen == known.seen and ref.stamp != known.stamp


def _by_file(chosen: Iterable[RowRef]) -> dict[str, list[RowRef]]:
    files = defaultdict[str, list[RowRef]](list)
    for ref in chosen:
        files[ref.file.key].append(ref)
    return files
