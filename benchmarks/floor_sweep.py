"""The least CPU that a sweep needs with its libraries: they alone repeat its requests and store its results again.

A sweep has left a lake and an index. Each step repeats a part of it without Presslake's own work: it reads, judges, paces,
compares and decides nothing. A step's cost is this process's CPU time, user and system.
"""

import asyncio
import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake
from isal import isal_zlib
from pebble import ProcessPool

from tasks.config.loading import load_catalogue
from tasks.lake.records import GZIP, iter_records
from tasks.values.url import Url
from tasks.web.connections import ssl_context
from tasks.web.guard import AddressGuard
from tasks.web.raw_transport import RawTransport
from tasks.web.transport import guarded_client

IN_FLIGHT = 50
LIBRARIES = "prefect.flows, prefect.task_engine, httpx, sqlalchemy, alembic.command, deltalake, pyarrow.parquet, pebble"
PLAIN, OURS = "requests: httpx", "requests: httpx over our connections"
_CODED_AT = 2048
"""The first bytes of a record, in which the response's head states whether the body has a content coding."""
_SMALL, _TEXT = 2048, 20_000
"""The most bytes of a record that is no page; the most characters returned for a page."""

Groups = Sequence[Sequence[str]]
"""URLs to request: those of a group one after the other, over one connection."""


@dataclass
class Clock:
    """CPU seconds by step; work between two blocks is not counted."""

    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def running(self, step: str) -> Iterator[None]:
        """Add what this process spends in the block."""
        began = time.process_time()
        yield
        self.spent[step] = self.spent.get(step, 0.0) + time.process_time() - began


def our_client() -> httpx.AsyncClient:
    """Return httpx's client over Presslake's connections, as a sweep uses it."""
    return guarded_client(RawTransport(AddressGuard(("127.0.0.0/8",)), max_idle=500))


def plain_client() -> httpx.AsyncClient:
    """Return httpx's client over its own connections."""
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    return httpx.AsyncClient(limits=limits, verify=ssl_context(), trust_env=False)


async def ask(opened: Callable[[], httpx.AsyncClient], groups: Groups) -> int:
    """Request all groups, IN_FLIGHT at once, and read the bodies without decoding; returns their size."""
    waiting, sizes = deque(groups), []

    async def work() -> None:
        while waiting:
            for url in waiting.popleft():
                async with client.stream("GET", url) as answer:
                    answer.raise_for_status()
                    sizes.append(sum([len(chunk) async for chunk in answer.aiter_raw()]))

    async with opened() as client, asyncio.TaskGroup() as workers:
        for _ in range(min(IN_FLIGHT, len(waiting))):
            workers.create_task(work())
    return sum(sizes)


def compress(clock: Clock, segment: Path, out: Path) -> None:
    """Digest and compress a segment's records again, each as a gzip member."""
    packed = segment.read_bytes()
    records = [isal_zlib.decompress(packed[one.offset : one.offset + one.length], GZIP) for one in iter_records(packed)]
    with clock.running("WARC: digests and gzip"), out.open("wb") as made:
        for record in records:
            hashlib.sha256(record).digest()
            level = 0 if b"content-encoding:" in record[:_CODED_AT].lower() else 1
            made.write(isal_zlib.compress(record, level, GZIP))


def write_table(clock: Clock, table: Path, out: Path) -> int:
    """Make Arrow columns of Python values, a Parquet file and a Delta commit again for each file; returns how many rows."""
    count = 0
    for file in sorted(table.glob("dt=*/*.parquet"), key=lambda one: one.stat().st_mtime):
        held = pq.ParquetFile(file).read()
        day = date.fromisoformat(file.parent.name.removeprefix("dt="))
        values, schema = held.to_pydict(), held.schema.append(pa.field("dt", pa.date32()))
        with clock.running("tables: Arrow, Parquet, Delta"):
            rows = pa.table(values | {"dt": [day] * len(held)}, schema=schema)
            write_deltalake(out, rows, mode="append", partition_by=["dt"])
        count += len(held)
    return count


def insert(clock: Clock, index: Path, out: Path, *, transactions: int) -> int:
    """Insert all rows of an index into an empty one, in `transactions` transactions; returns how many rows."""
    with closing(sqlite3.connect(index)) as source, closing(sqlite3.connect(out, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        kinds = ("table", "index")  # in this order
        schema = "SELECT sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        for (statement,) in chain.from_iterable(source.execute(schema, (kind,)).fetchall() for kind in kinds):
            made.execute(statement)
        names = [one for (one,) in made.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {one: source.execute(f'SELECT * FROM "{one}"').fetchall() for one in names if one[:7] != "sqlite_"}
        for number in range(transactions):
            with clock.running("index: inserts"):
                made.execute("BEGIN IMMEDIATE")
                for name, all_rows in rows.items():
                    _insert_into(made, name, all_rows[number::transactions])
                made.execute("COMMIT")
    return sum(map(len, rows.values()))


def _insert_into(made: sqlite3.Connection, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        made.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', rows)


def hand_over(clock: Clock, segments: Iterable[Path]) -> int:
    """Send the records of pages to processes, and get a text for each; returns how many were received."""
    count = 0
    with ProcessPool(max_workers=2, context=get_context("forkserver")) as pool:
        pool.schedule(_text, args=(b"",)).result()
        for segment in segments:
            packed = segment.read_bytes()
            places = [(one.offset, one.length) for one in iter_records(packed) if one.length > _SMALL]
            with clock.running("pages handed to processes"):
                given = [pool.schedule(_text, args=(packed[at : at + length],)) for at, length in places]
                count += sum(one.result() is not None for one in given)
    return count


def _text(record: bytes) -> str:
    return "a" * min(len(record), _TEXT)


def imports(clock: Clock) -> None:
    """Start Python and import only the libraries."""
    words = [sys.executable, "-c", f"import gc; gc.disable(); import {LIBRARIES}"]
    _, status, used = os.wait4(subprocess.Popen(words).pid, 0)
    if status:
        sys.exit("a library is missing")
    clock.spent["start: imports of libraries"] = used.ru_utime + used.ru_stime


def floor(lake: Path, index: Path, catalogue: Path, scratch: Path) -> dict[str, float]:
    """Return the least CPU seconds of each step, for the sweep of this catalogue that left this lake and index."""
    clock = Clock()
    batches = [pq.ParquetFile(one).read(["url"])["url"].to_pylist() for one in lake.glob("captures/dt=*/*.parquet")]
    polls = [
        (f"{Url.parse(feed).origin}/robots.txt", feed)
        for source in load_catalogue(catalogue).sources
        for feed in source.feeds
    ]
    for step, opened in ((PLAIN, plain_client), (OURS, our_client)):
        with clock.running(step):
            asyncio.run(ask(opened, polls))
            for urls in batches:
                asyncio.run(ask(opened, [[url] for url in urls]))
    segments = sorted(lake.glob("warc/dt=*/*.warc.gz"))
    for segment in segments:
        compress(clock, segment, scratch / "segment")
    hand_over(clock, segments)
    for table in ("policies", "articles", "captures"):
        write_table(clock, lake / table, scratch / table)
    insert(clock, index, scratch / "index.db", transactions=len(batches))
    imports(clock)
    return clock.spent
