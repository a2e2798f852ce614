"""A new index out of the lake alone: every revision in the order of time, then every URL by its captures.

It is one transaction, so that an index is either whole or empty. Memory holds one Parquet file and one chunk of rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

from deltalake import DeltaTable
from sqlalchemy import Connection, insert, select

from tasks.errors import ConfigError
from tasks.index.database import Index
from tasks.index.outbox import COUNTER
from tasks.index.schema import articles, batches, counters, feeds, frontier, outbox, runs
from tasks.layout import ARTICLES, CAPTURES
from tasks.models import Capture
from tasks.objects import ObjectStore
from tasks.store.tables import open_table
from tasks.verify.rebuild import Revision, remember_revisions, remember_urls
from tasks.verify.snapshot import micros
from tasks.verify.spill import Spill
from tasks.verify.stored import StoredFile, as_article, as_capture, list_files, read_file

CHUNK = 200
T = TypeVar("T")
Told = Callable[[str, int, int], None]
Places = Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexReport:
    """What the new index holds."""

    revisions: int
    articles: int
    captures: int
    urls: int


def check_is_empty(index: Index) -> None:
    """Raise ConfigError for an index that knows anything."""
    with index.read() as tx:
        for table in (articles, frontier, batches, outbox, feeds, runs):
            if tx.execute(select(table).limit(1)).first() is not None:
                raise ConfigError(f"the index {index.uri} is not empty ({table.name}): name a new one with --index")


def reindex(
    *, index: Index, store: ObjectStore, now: datetime, revisit_after: Sequence[timedelta], told: Told
) -> ReindexReport:
    """Fill an empty index from the lake; raises ConfigError, LakeUnavailable, IndexUnavailable, and then it is empty."""
    check_is_empty(index)
    tables = {name: open_table(store, name) for name in (CAPTURES, ARTICLES)}
    with Spill[Capture]() as captures, index.write() as tx:
        looks, moved = _spill_captures(store, list_files(tables[CAPTURES], CAPTURES), captures, told)
        revisions = 0
        with Spill[Revision]() as spilled:
            files = list_files(tables[ARTICLES], ARTICLES)
            for done, day_files in _by_day(files):
                told(ARTICLES, done, len(files))
                revisions += _remember_day(tx, store, day_files, spilled, moved, now=now)
        urls = 0
        for several in _chunks(_by_url(captures.read())):
            urls += remember_urls(tx, several, now=now, revisit_after=revisit_after)
            told("urls", urls, 0)
        _set_counter(tx, index, tables.values())
        known = len(tx.execute(select(articles.c.article_id)).all())
    return ReindexReport(revisions=revisions, articles=known, captures=looks, urls=urls)


def _spill_captures(
    store: ObjectStore, files: Sequence[StoredFile], spilled: Spill[Capture], told: Told
) -> tuple[int, Places]:
    """Put all captures away; returns how many, and where the pages were in the end that were asked for elsewhere."""
    count = 0
    moved: dict[tuple[str, int], str] = {}
    for number, file in enumerate(files):
        told(CAPTURES, number, len(files))
        rows = [as_capture(row) for row in read_file(store, file)]
        spilled.add((row.url_key, micros(row.fetched_at), row) for row in rows)
        moved |= {_place(row): row.final_url for row in rows if row.warc_key and row.final_url != row.url}
        count += len(rows)
    return count, moved


def _place(row: Capture) -> tuple[str, int]:
    return str(row.warc_key), int(row.warc_offset or 0)


def _remember_day(
    tx: Connection,
    store: ObjectStore,
    files: Iterable[StoredFile],
    spilled: Spill[Revision],
    moved: Places,
    *,
    now: datetime,
) -> int:
    """Remember a day's revisions in the order in which they were fetched, those of one instant in their own order."""
    count = 0
    for file in files:
        for row in read_file(store, file):
            article = as_article(row)
            final_url = moved.get((article.warc_key, article.warc_offset), article.url)
            revision = Revision(article=article, final_url=final_url)
            spilled.add([(micros(article.fetched_at), f"{article.url_key} {article.revision:09}", revision)])
            count += 1
    for several in _chunks(spilled.read()):
        remember_revisions(tx, several, now=now)
    spilled.clear()
    return count


def _by_day(files: Sequence[StoredFile]) -> Iterator[tuple[int, list[StoredFile]]]:
    done = 0
    for _, several in groupby(files, key=lambda file: file.day):
        day_files = list(several)
        yield done, day_files
        done += len(day_files)


def _by_url(captures: Iterator[Capture]) -> Iterator[tuple[Capture, ...]]:
    for _, several in groupby(captures, key=lambda one: one.url_key):
        yield tuple(several)


def _chunks(values: Iterator[T]) -> Iterator[list[T]]:
    chunk: list[T] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _set_counter(tx: Connection, index: Index, tables: Iterable[DeltaTable]) -> None:
    """Let the outbox count on from what the lake has of this index: nothing, unless its rows were emptied by hand."""
    held = max(table.transaction_version(index.index_id) or 0 for table in tables)
    if held:
        tx.execute(insert(counters).values(name=COUNTER, value=held))
