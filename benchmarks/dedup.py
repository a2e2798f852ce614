"""Measure near-duplicate detection: its accuracy, and its cost as the index grows.

    python -m benchmarks.dedup [--full] [--json FILE]

Accuracy: wire copy with labelled pairs (../shared/dedup), stories of one template and edited copies
(benchmarks/templates.py), streamed through the real stage (benchmarks/copies.py).
Cost: CPU, candidates and posting rows per article with 10,000 and 100,000 (`--full`: 1,000,000) synthetic articles in the
index, 50,000 per day, on SQLite and, if installed, on PostgreSQL.
"""

import argparse
import json
import os
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import sqlalchemy as sa

from benchmarks.copies import (
    BATCH,
    NOW,
    SHARED,
    Item,
    announce,
    batch_of,
    measure_editions,
    measure_pairs,
    measure_templates,
)
from tasks.deduplicate.deciding import decide_batch
from tasks.deduplicate.looks import prepare_pages
from tasks.index import postings
from tasks.index.database import Index, open_index
from tasks.index.postings import generation_of
from tasks.index.schema import articles as articles_table
from tasks.index.schema import postings as postings_table
from tasks.index.schema import shapes
from tasks.values.text.sketch import ALGORITHM

A_DAY = 50_000
PROBES = 5  # batches measured at each size
WORDS = 420


# Cost


class Press:
    """Synthetic stories: words drawn by Zipf's law; one story in six repeats an earlier one with a few words changed."""

    def __init__(self) -> None:
        self._random = random.Random(5)
        self._words = [f"w{number:x}" for number in range(30_000)]
        self._weights = [1 / (rank + 3) for rank in range(30_000)]
        self._texts: list[list[str]] = []
        self._count = 0

    def story(self, published_at: datetime) -> Item:
        if self._texts and self._random.random() < 1 / 6:
            words = [
                word if self._random.random() > 0.03 else f"w{self._random.randrange(30_000):x}"
                for word in self._random.choice(self._texts)
            ]
        else:
            words = self._random.choices(self._words, self._weights, k=self._random.randint(WORDS // 2, WORDS * 3 // 2))
        self._texts = [*self._texts[-500:], words]
        self._count += 1
        return Item(f"probe{self._count}", words[0], " ".join(words), published_at)


def fill(index: Index, first: int, last: int, *, now: datetime = NOW, a_day: int = A_DAY) -> None:
    """Insert synthetic articles of the days before `now`, with the shapes and postings that decisions would have left."""
    source, base = random.Random(first), 10 * (first + 10**7)  # above the numbers that the index assigns meanwhile
    for start in range(first, last, 50_000):
        numbers = range(start, min(start + 50_000, last))
        shape_rows, posting_rows, article_rows = [], [], []
        for number in numbers:
            told_at = now - timedelta(days=number / a_day)
            generation, size = generation_of(told_at), max(8, round(source.gauss(WORDS / 16, 6)))
            sketch = sorted(source.getrandbits(59) for _ in range(size))
            article_id = f"{number:032x}"
            shingles = source.randbytes(4 * WORDS)
            packed = struct.pack(f"<{size}q", *sketch)
            shape_rows.append(
                (
                    base + number,
                    article_id,
                    ALGORITHM,
                    generation,
                    told_at,
                    f"{number % 997}.example",
                    WORDS,
                    packed,
                    shingles,
                    b"",
                    source.randbytes(4 * WORDS // 2),
                    b"",
                )
            )
            posting_rows.extend((generation, value, base + number) for value in sketch)
            article_rows.append(
                (article_id, f"old.example/{number}", f"https://old.example/{number}", "old", "en", "A title of a story", 1,
                 f"t1:{number:064x}", told_at, told_at, told_at, article_id, None, True, None, None, None)
            )  # fmt: skip
        load(index, shapes, shape_rows)
        load(index, postings_table, sorted(posting_rows))
        load(index, articles_table, article_rows)


def load(index: Index, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Bulk-insert rows, each with the values of the table's first columns."""
    columns = list(table.columns)[: len(rows[0])]  # columns added later come last and are nullable
    names = ", ".join(column.name for column in columns)
    with index.write() as tx:
        driver = tx.connection.dbapi_connection
        if index.is_sqlite:
            marks = ", ".join("?" * len(columns))
            plain = (
                tuple(f"{one:%Y-%m-%d %H:%M:%S.%f}" if isinstance(one, datetime) else one for one in row)
                for row in rows
            )
            driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", plain)
        else:
            with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)


def measure_size(index: Index, press: Press, size: int, server_cpu: Callable[[], float]) -> dict[str, Any]:
    """Decide batches while the index holds `size` articles; return medians per article."""
    costs, candidates = [], 0
    for number in range(PROBES + 1):
        items = [press.story(NOW + timedelta(seconds=number * BATCH + place)) for place in range(BATCH)]
        batch = batch_of(items, f"{size}-{number}")
        announce(index, batch, NOW)
        pages = [look.prepared for look in prepare_pages(batch).looks if look.prepared is not None]
        with index.read() as tx:
            texts = [(one.told_at, one.text.shape) for one in pages if one.text.shape is not None]
            found = postings.read_surroundings(tx, texts)
        before, served = time.process_time(), server_cpu()
        started = time.perf_counter()
        decide_batch(batch, index=index, now=NOW)
        elapsed = time.perf_counter() - started
        if number:  # the first batch warms the caches
            costs.append((time.process_time() - before, server_cpu() - served, elapsed))
            candidates += len(found.shapes)
    with index.read() as tx:
        rows = tx.execute(sa.select(sa.func.count()).select_from(postings_table)).scalar_one()
        kept = tx.execute(sa.select(sa.func.count()).select_from(shapes)).scalar_one()
    client, server, elapsed = (statistics.median(column) / BATCH * 1000 for column in zip(*costs, strict=True))
    return {
        "articles": size,
        "cpu_ms": round(client + server, 3),
        "of_that_server_ms": round(server, 3),
        "elapsed_ms": round(elapsed, 3),
        "candidates": round(candidates / PROBES / BATCH, 3),
        "posting_rows": round(rows / kept, 1),
    }


def measure_growth(index: Index, sizes: Sequence[int], server_cpu: Callable[[], float]) -> list[dict[str, Any]]:
    press, filled, measured = Press(), 0, []
    for size in sizes:
        fill(index, filled, size)
        filled = size
        analyse(index)
        measured.append(measure_size(index, press, size, server_cpu))
        print(f"  {measured[-1]}", flush=True)
    return measured


def analyse(index: Index) -> None:
    """Update the database's table statistics, as it does by itself after a while."""
    if index.is_sqlite:
        with index.write() as tx:
            tx.exec_driver_sql("ANALYZE")
    else:
        with psycopg.connect(_plain(index), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")


def _plain(index: Index) -> str:
    url = index._engine.url
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def databases() -> Iterator[dict[str, tuple[str, Callable[[], float]]]]:
    """Yield the URLs of fresh indexes, each with a function that returns its server's CPU seconds."""
    from tests.postgres import find_binaries, fresh_database, started_server

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        found: dict[str, tuple[str, Callable[[], float]]] = {
            "SQLite": (f"sqlite:///{folder}/index.db", lambda: 0.0),
        }
        if binaries := find_binaries():
            server = stack.enter_context(started_server(binaries, shared_buffers="512MB", fsync="on"))
            socket_folder = str(server.query["host"])
            address = stack.enter_context(fresh_database(server))
            found["PostgreSQL"] = (address, lambda: server_cpu_s(socket_folder))
        else:
            print("PostgreSQL is not installed here: SQLite alone")
        yield found


def server_cpu_s(folder: str) -> float:
    """Return the CPU seconds of the server whose socket is in `folder`, with ended connections, without its checkpointer."""
    pid = int((Path(folder) / "db/postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    total = sum(server.cpu_times()[2:4])  # children that have ended
    for process in (server, *server.children()):
        try:
            if "checkpointer" not in " ".join(process.cmdline()):
                total += sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="go on to 1,000,000 articles")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    sizes = (10_000, 100_000, 1_000_000) if options.full else (10_000, 100_000)
    figures: dict[str, Any] = {"python": sys.version.split()[0], "cpus": os.cpu_count(), "growth": {}}
    for name, measure in (("templates", measure_templates), ("editions", measure_editions)):
        with tempfile.TemporaryDirectory() as folder, open_index(f"sqlite:///{folder}/index.db") as index:
            figures[name] = measure(index)
        print(f"{name}: {figures[name]}", flush=True)
    if SHARED.is_dir():
        with tempfile.TemporaryDirectory() as folder, open_index(f"sqlite:///{folder}/index.db") as index:
            figures["pairs"] = measure_pairs(index)
        for name, score in figures["pairs"].items():
            print(f"pairs, {name}: {score}", flush=True)
    else:
        print(f"no labelled pairs: {SHARED} is not there")
    with databases() as found:
        for name, (url, server_cpu) in found.items():
            print(name, flush=True)
            with open_index(url) as index:
                measured = measure_growth(index, sizes, server_cpu)
            figures["growth"][name] = measured
            print(f"  growth, first to last: {measured[-1]['cpu_ms'] / measured[0]['cpu_ms']:.2f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
