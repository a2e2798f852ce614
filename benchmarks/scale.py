"""Measure the index as an archive grows: bytes per article, and CPU of a sweep's queries, on SQLite and PostgreSQL.

    python -m benchmarks.scale [--most ARTICLES] [--on SQLite|PostgreSQL] [--a-day N] [--shapes-days N]
    python -m benchmarks.scale --sweep [--copies K]

The first form inserts synthetic rows as sweeps and `maintain` would leave them: one article and one URL each, and shapes for
articles younger than `--shapes-days`. At 10,000, 100,000 and 1,000,000 articles, and ten million with `--most 10000000`, it
measures decisions, announcements, claims (CPU per page of the process and the database) and permits. "Locked" is how long a
page's decision blocks other decisions of its script: its inverse bounds the decisions per second of all processes together.

The second form sweeps the newsroom's real pages with the index in PostgreSQL: bytes per page in the lake and in the index's
tables, transactions and CPU of the database per page.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import sqlalchemy as sa

from benchmarks.copies import BATCH, NOW, announce, batch_of
from benchmarks.dedup import Press, analyse, databases, fill, load, server_cpu_s
from benchmarks.whole_run import place, sweep
from tasks.deduplicate import deciding
from tasks.deduplicate.context import lock_scripts
from tasks.index import frontier
from tasks.index.database import Index, open_index
from tasks.index.frontier import Selection
from tasks.index.hosts import HostLimits
from tasks.index.schema import articles, hosts
from tasks.index.schema import frontier as urls
from tasks.index.turns import Turns
from tasks.values.permit import Permit, PermitEnd, PermitRequest
from tests.postgres import find_binaries, fresh_database, started_server

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
ROUNDS, CLAIMED, PERMITS = 3, 250, 100
HOSTS, SOURCES = 1000, 500
CHUNK = 50_000
DUE = 10_000
"""The number of due URLs; the others have been fetched."""


# Growing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The archive's growth: articles per day until `now`, days for which shapes are kept, and the number of due URLs."""

    a_day: int
    shapes_days: int = 90
    now: datetime = NOW
    due: int = 0

    @property
    def shaped(self) -> int:
        """The number of articles with a shape: the newest ones."""
        return self.a_day * self.shapes_days


def grow(index: Index, first: int, last: int, rate: Rate) -> None:
    """Insert articles with their URLs and hosts; the newest have the lowest numbers."""
    fill(index, first, max(first, min(last, rate.shaped)), now=rate.now, a_day=rate.a_day)
    for start in range(first, last, CHUNK):
        numbers = range(start, min(start + CHUNK, last))
        if start >= rate.shaped:
            load(index, articles, [_article(number, rate) for number in numbers])
        load(index, urls, [_url(number, rate) for number in numbers])
    if first == 0:
        load(index, hosts, [(_host(number), rate.now, None, 0.2, 1.0, "{}") for number in range(HOSTS)])
    analyse(index)


def _at(number: int, rate: Rate) -> datetime:
    return rate.now - timedelta(days=number / rate.a_day)


def _host(number: int) -> str:
    return f"host-{number % HOSTS}.example"


def _article(number: int, rate: Rate) -> tuple[object, ...]:
    article_id, at = f"{number:032x}", _at(number, rate)
    return (article_id, f"old.example/{number}", f"https://old.example/{number}", "old", "en", "A title of a story", 1,
            f"t1:{number:064x}", at, at, at, article_id, None, True, f"c1:{number:064x}", "trafilatura 2.3.1; rules 5", None)  # fmt: skip


def _url(number: int, rate: Rate) -> tuple[object, ...]:
    """Return a URL's row: a tenth of each host's, up to `rate.due`, is due; others of the last week will be refetched."""
    host, at = _host(number), _at(number, rate)
    key, is_due = f"{host}/2026/03/a-story-of-the-day-{number}", number // HOSTS % 10 == 0 and number < 10 * rate.due
    due_at = rate.now - timedelta(seconds=1) if is_due else at + timedelta(days=7) if number < 7 * rate.a_day else None
    fetched = (None, None, None, None, None) if is_due else (f"sha256:{number:064x}", at, f"{number:032x}", "ok", None)
    digest, captured_at, article_id, outcome, reason = fetched
    return (key, f"https://{key}", host, f"source-{number % SOURCES}", "due" if is_due else "done", 0, due_at, None, None, 1,
            None, None, digest, captured_at, article_id, outcome, reason, f"https://{host}/feed.xml", "A title of a story", at, at,
            number % 32_768)  # fmt: skip


# Querying


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The database server: `cpu_s` returns its CPU seconds."""

    cpu_s: Callable[[], float]

    @contextmanager
    def timed(self, spent: list[float]) -> Iterator[None]:
        """Append the block's CPU seconds, of this process and the database, to `spent`."""
        began = time.process_time() + self.cpu_s()
        yield
        spent.append(time.process_time() + self.cpu_s() - began)


def decide(index: Index, press: Press, server: Server, size: int) -> tuple[float, float]:
    """Decide batches; return the CPU and the time under the lock (ms per page)."""
    spent, locked = list[float](), list[float]()
    for number in range(ROUNDS + 1):
        items = [press.story(NOW + timedelta(seconds=number * BATCH + place)) for place in range(BATCH)]
        batch = batch_of(items, f"{size}-{number}")
        announce(index, batch, NOW)
        with _since_lock(locked), server.timed(spent):
            deciding.decide_batch(batch, index=index, now=NOW)
    return _ms(spent[1:], BATCH), _ms(locked[1:], BATCH)


@contextmanager
def _since_lock(locked: list[float]) -> Iterator[None]:
    """Append the seconds from taking the lock to the end of the block to `locked`."""
    began: list[float] = []

    def noted(*given: object) -> None:
        lock_scripts(*given)  # type: ignore[arg-type]
        began.append(time.perf_counter())

    with patch.object(deciding, "lock_scripts", noted):
        yield
    locked.append(time.perf_counter() - began[0])


def know(index: Index, press: Press, server: Server) -> float:
    """Announce URLs, half of them known; return the CPU (ms per URL)."""
    spent: list[float] = []
    for number in range(ROUNDS):
        items = [press.story(NOW) for _ in range(BATCH // 2)]
        batch = batch_of(items, f"known-{number}")
        announce(index, batch, NOW)
        with server.timed(spent):
            announce(index, batch_of([*items, *(press.story(NOW) for _ in items)], f"both-{number}"), NOW)
    return _ms(spent, BATCH)


def claim(index: Index, server: Server) -> float:
    """Claim due URLs and roll back; return the CPU (ms per URL)."""
    spent: list[float] = []
    with index.rehearse() as tx:
        turns = Turns()
        for _ in range(ROUNDS):
            with server.timed(spent):
                claimed = frontier.claim(
                    tx, Selection(), owner="bench", limit=CLAIMED, lease_s=300, host_budget_s=120, crawl_delays_s={}, now=NOW,
                    turns=turns,
                )  # fmt: skip
            if len(claimed) < CLAIMED:
                sys.exit(f"{len(claimed)} URLs were claimed, not {CLAIMED}")
    return _ms(spent, CLAIMED)


def permit(index: Index, server: Server) -> float:
    """Take and end permits of known hosts, ten per transaction; return the CPU (ms per permit)."""
    spent, limits = list[float](), HostLimits(index)
    names = [_host(number) for number in range(PERMITS)]
    ended: list[PermitEnd] = []
    with server.timed(spent):
        for start in range(0, len(names), 10):
            wanted = [
                PermitRequest(host=one, delay_s=0, max_per_host=1, lease_s=60) for one in names[start : start + 10]
            ]
            given = limits.exchange_permits(ended, wanted)
            ended = [PermitEnd(permit=one, delay_s=0, elapsed_s=0.1) for one in given if isinstance(one, Permit)]
        limits.exchange_permits(ended, [])
    return _ms(spent, len(names))


def _ms(seconds: Sequence[float], each: int) -> float:
    return 1000 * statistics.median(seconds) / each


def size_of(index: Index) -> int:
    """Return the size of an index in bytes."""
    with index.read() as tx:
        if index.is_sqlite:
            pages, page_size = (
                tx.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
            )
            return int(pages * page_size)
        return int(tx.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())


def measure_growth(index: Index, sizes: Sequence[int], server: Server, rate: Rate) -> None:
    """Grow the index to each size, measure, and print a row."""
    press, filled = Press(), 0
    head = (
        "articles",
        "with shape",
        "index MB",
        "kB each",
        "decide ms",
        "locked ms",
        "announce ms",
        "claim ms",
        "permit ms",
    )
    print("".join(f"{cell:>12}" for cell in head), flush=True)
    for size in sizes:
        grow(index, filled, size, rate)
        filled = size
        stored = size_of(index)
        decided, locked = decide(index, press, server, size)
        cells = (
            f"{size:,}", f"{min(size, rate.shaped):,}", f"{stored / 1e6:.0f}", f"{stored / size / 1e3:.2f}", f"{decided:.2f}", f"{locked:.2f}",
            f"{know(index, press, server):.3f}", f"{claim(index, server):.3f}", f"{permit(index, server):.3f}",
        )  # fmt: skip
        print("".join(f"{cell:>12}" for cell in cells), f"  load {os.getloadavg()[0]:.1f}", flush=True)


# A sweep


def measure_sweep(copies: int) -> None:
    """Sweep real pages with the index in PostgreSQL; print CPU and transactions, and bytes in the index and the lake."""
    binaries = find_binaries()
    if binaries is None:
        sys.exit("this needs PostgreSQL")
    with (
        place(copies) as here,
        started_server(binaries, fsync="on", synchronous_commit="on") as server,
        fresh_database(server) as address,
    ):
        folder = str(server.query["host"])
        with open_index(address) as index:
            before = server_cpu_s(folder), _commits(index)
            summary, _ = sweep(here.catalogue, here.folder, here.api_url, index=address)
            pages, spent_s = summary["fetched"], server_cpu_s(folder) - before[0]
            print(f"{pages} pages in {summary['seconds']:.0f} s; of PostgreSQL {1000 * spent_s / pages:.2f} ms of CPU"
                  f" and {(_commits(index) - before[1]) / pages:.2f} transactions a page")  # fmt: skip
            _print_tables(index, pages)
        _print_lake(here.folder / "lake", pages)


def _commits(index: Index) -> int:
    with index.read() as tx:
        statement = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        return int(tx.execute(sa.text(statement)).scalar_one())


def _print_tables(index: Index, pages: int) -> None:
    """Print bytes per page and per row of each table that takes at least 1% of the index."""
    with index.write() as tx:
        tx.exec_driver_sql("ANALYZE")
    statement = (
        "SELECT relname, pg_total_relation_size(oid), greatest(reltuples, 0) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC"
    )
    with index.read() as tx:
        rows = [(name, int(size), int(count)) for name, size, count in tx.execute(sa.text(statement)).tuples()]
    total = sum(size for _, size, _ in rows)
    print(f"\nindex: {total / pages:,.0f} bytes a page\n{'table':<16}{'rows':>10}{'bytes a page':>14}{'a row':>10}")
    for name, size, count in rows:
        if size >= total / 100:
            print(f"{name:<16}{count:>10,}{size / pages:>14,.0f}{size / max(count, 1):>10,.0f}")


def _print_lake(lake: Path, pages: int) -> None:
    """Print files and bytes per page of each folder of the lake."""
    print(f"\n{'lake':<16}{'files':>10}{'bytes a page':>14}")
    for part in sorted(one for one in lake.iterdir() if one.is_dir()):
        sizes = [one.stat().st_size for one in part.rglob("*") if one.is_file()]
        print(f"{part.name:<16}{len(sizes):>10,}{sum(sizes) / pages:>14,.0f}")


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--most", type=int, default=1_000_000, help="articles, at most")
    arguments.add_argument("--on", help="only this database: SQLite or PostgreSQL")
    arguments.add_argument("--a-day", type=int, default=50_000, help="articles that come in each day")
    arguments.add_argument(
        "--shapes-days", type=int, default=90, help="days for which texts stay comparable, as maintain has them"
    )
    arguments.add_argument("--sweep", action="store_true", help="measure a sweep of real pages instead")
    arguments.add_argument("--copies", type=int, default=8, help="how often that sweep's pages are served")
    asked = arguments.parse_args()
    if asked.sweep:
        measure_sweep(asked.copies)
        return
    rate = Rate(a_day=asked.a_day, shapes_days=asked.shapes_days, due=DUE)
    with databases() as found:
        for name, (address, cpu_s) in found.items():
            if asked.on in (None, name):
                print(name, flush=True)
                with open_index(address) as index:
                    measure_growth(index, [one for one in SIZES if one <= asked.most], Server(cpu_s=cpu_s), rate)


if __name__ == "__main__":
    main()
