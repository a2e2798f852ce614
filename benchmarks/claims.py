"""Measure the cost of a claim as the frontier grows: median CPU at 10,000, 100,000 and 1,000,000 due rows. `make bench-claims`.

All rows but 25 belong to one source, each at its own host. On PostgreSQL the CPU of the connection's server process is included.
Exits with 1 if a claim at a million rows costs over 1.5 times one at ten thousand, or if the first two claims miss any of the
other source's 25 rows.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import insert, text

from tasks.index import frontier
from tasks.index.database import Index, Transaction, open_index
from tasks.index.frontier import Selection, State
from tasks.index.schema import frontier as rows_table
from tasks.index.turns import Turns
from tasks.index.upkeep import update_statistics

SIZES = (10_000, 100_000, 1_000_000)
CLAIMS, BATCH, MOST_GROWTH = 7, 250, 1.5
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def main() -> int:
    """Measure, and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--index", help="an index of its own, as an SQLAlchemy URL; SQLite in a temporary folder without it"
    )
    parser.add_argument("--most", type=int, default=SIZES[-1])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.index or f"sqlite:///{Path(folder) / 'index.db'}"
        with open_index(url) as index:
            return _measure(index, [size for size in SIZES if size <= asked.most])


def _measure(index: Index, sizes: list[int]) -> int:
    _fill(index, "few", 25, at=NOW - timedelta(seconds=1), hosts=1)
    filled, medians, is_fair = 0, [], True
    for size in sizes:
        _fill(index, "many", size - filled, at=NOW - timedelta(hours=1), hosts=size, first=filled)
        filled = size
        update_statistics(index)
        with index.rehearse() as tx:  # rolled back, so that the next size has all of its rows due
            claimed = list(_claims(index, tx))
        first_two = [due.source_id for _, batch in claimed[:2] for due in batch]
        is_fair = is_fair and first_two.count("few") == 25
        medians.append(statistics.median(cpu_s for cpu_s, _ in claimed))
        print(f"{size:>9,} due   {medians[-1] * 1000:7.1f} ms a claim   {first_two.count('few')} of 25", flush=True)
    growth = medians[-1] / medians[0]
    print(f"{growth:.2f} times; at most {MOST_GROWTH}")
    return 0 if is_fair and growth <= MOST_GROWTH else 1


def _claims(index: Index, tx: Transaction) -> Iterator[tuple[float, tuple[frontier.DueUrl, ...]]]:
    turns = Turns()
    server = None
    if not index.is_sqlite:
        server = psutil.Process(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
    for _ in range(CLAIMS):
        began = _cpu_s(server)
        claimed = frontier.claim(
            tx, Selection(), owner="bench", limit=BATCH, lease_s=300, host_budget_s=120, crawl_delays_s={}, now=NOW,
            turns=turns,
        )  # fmt: skip
        yield _cpu_s(server) - began, claimed


def _cpu_s(server: psutil.Process | None) -> float:
    times = server.cpu_times() if server else None
    return time.process_time() + (times.user + times.system if times else 0.0)


def _fill(index: Index, source_id: str, number: int, *, at: datetime, hosts: int, first: int = 0) -> None:
    for start in range(first, first + number, 10_000):
        rows = [
            {
                "url_key": f"{source_id}-{one % hosts}.example/{one}",
                "url": f"https://{source_id}-{one % hosts}.example/{one}",
                "host": f"{source_id}-{one % hosts}.example",
                "source_id": source_id,
                "state": State.DUE,
                "priority": frontier.NEWS,
                "due_at": at + timedelta(microseconds=one),
                "attempts": 0,
                "discovered_at": at,
                "shard": one % 32_768,
            }
            for one in range(start, min(start + 10_000, first + number))
        ]
        with index.write() as tx:
            tx.execute(insert(rows_table), rows)


if __name__ == "__main__":
    sys.exit(main())
