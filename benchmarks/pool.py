"""Measure the extraction pool over many pages: growth of its workers' memory, CPU per page, and the gain of a second worker.

    python -m benchmarks.pool [--pages N] [--rate-pages N] [--pages-a-worker N] [--folder DIR]

Memory is the workers' mean resident size after each batch. Rates are pages per second of wall time, alternating one worker and
two; they are valid only on an idle machine, so the load is printed beside them, with the workers' CPU and page faults per
page.
"""

import argparse
import gzip
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from statistics import mean

import psutil

from benchmarks.extraction import FIXTURES, NEWSROOM, NOW, TruePage, read_pages
from tasks.errors import ItemError
from tasks.extract.pool import PAGES_A_WORKER, ExtractorPool, PoolConfig
from tasks.extract.stored_page import NamedPage, StoredPage
from tasks.lake.warc import SegmentWriter

CONFIG = PoolConfig(workers=2, time_limit_s=120, memory_size=1536 * 1024 * 1024)
BATCH = 200
SETTLED_AFTER = 2000
"""The number of pages after which memory should stop growing."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n\r\n"
Sample = tuple[int, float]
_FAULTS, _FAULTS_OF_CHILDREN = 7, 8  # proc(5), /proc/pid/stat, after the name: minflt and cminflt


def stored(pages: Sequence[TruePage]) -> list[NamedPage]:
    """Return the pages as WARC records, as in a lake."""
    found = []
    for one in pages:
        segment = SegmentWriter("b.warc.gz", software="benchmark", created_at=NOW)
        body = gzip.compress(one.html.encode("utf-8", "replace"), mtime=0)
        ref = segment.add_exchange(url=one.url, request_head=b"", response_head=HEAD, body=body, fetched_at=NOW)
        record = segment.to_bytes()[ref.offset : ref.offset + ref.length]
        found.append((one.url, StoredPage(capture_id=one.name, fetched_at=NOW, record=record)))
    return found


def watch_memory(pages: Sequence[NamedPage], count: int, config: PoolConfig) -> tuple[list[Sample], int]:
    """Extract `count` pages; return (pages done, workers' mean MB) samples, and the number of failed pages."""
    samples, done, failed = [], 0, 0
    with ExtractorPool(config) as pool:
        for batch in _batches(pages, count):
            failed += sum(isinstance(found, ItemError) for _, found in pool.extract(batch))
            done += len(batch)
            samples.append((done, _resident_mb()))
            if done % (10 * BATCH) == 0:
                print(f"{done:>8,} pages {samples[-1][1]:>8.0f} MB a worker", flush=True)
    return samples, failed


def rate(pages: Sequence[NamedPage], count: int, config: PoolConfig) -> tuple[float, float, float]:
    """Return pages per second, and the workers' CPU (ms) and page faults per page, after a warm-up."""
    with ExtractorPool(config) as pool:
        list(pool.extract(islice(cycle(pages), 20 * config.workers)))
        started, (cpu_s, faults) = time.perf_counter(), _spent()
        for batch in _batches(pages, count):
            list(pool.extract(batch))
        after_s, faults_after = _spent()
        lasted_s = time.perf_counter() - started
        return count / lasted_s, 1000 * (after_s - cpu_s) / count, (faults_after - faults) / count


def _spent() -> tuple[float, int]:
    """Return the CPU (s) and page faults of the fork server and its workers, ended ones included."""
    seconds, faults = 0.0, 0
    for one in psutil.Process().children(recursive=True):
        seconds += sum(one.cpu_times()[:4])
        fields = Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split()
        faults += int(fields[_FAULTS]) + int(fields[_FAULTS_OF_CHILDREN])
    return seconds, faults


def _batches(pages: Sequence[NamedPage], count: int) -> Iterator[list[NamedPage]]:
    endless = cycle(pages)
    for begun in range(0, count, BATCH):
        yield list(islice(endless, min(BATCH, count - begun)))


def _resident_mb() -> float:
    """Return the workers' mean resident size (MB): they are children of the fork server, this process's child."""
    sizes = []
    for server in psutil.Process().children():
        for worker in server.children():
            try:
                sizes.append(worker.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:  # recycled after its share of pages
                continue
    return mean(sizes) if sizes else 0.0


def print_memory(samples: Sequence[Sample], failed: int) -> None:
    settled = [size for done, size in samples if done >= SETTLED_AFTER]
    if len(settled) < 2:
        print(f"too few pages to tell: at least {SETTLED_AFTER + BATCH:,} are needed")
        return
    first, highest = mean(settled[:5]), max(settled)
    print(f"after {SETTLED_AFTER:,} pages {first:.0f} MB a worker, at most {highest:.0f} MB then: "
          f"{100 * (highest / first - 1):+.1f}% ({failed} pages failed)")  # fmt: skip


def print_rates(pages: Sequence[NamedPage], count: int) -> None:
    best = {1: 0.0, 2: 0.0}
    for _ in range(2):
        for workers in (1, 2):
            load = os.getloadavg()[0]
            found, cpu_ms, faults = rate(pages, count, replace(CONFIG, workers=workers))
            best[workers] = max(best[workers], found)
            print(
                f"{workers} worker(s): {found:.1f} pages/s, {cpu_ms:.2f} ms of CPU and {faults:.0f} page faults a page "
                f"(load before {load:.1f} on {os.cpu_count()} processors)",
                flush=True,
            )
    print(f"two to one: {best[2] / best[1]:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=20_000, help="pages in a row for memory; 0: none")
    parser.add_argument("--rate-pages", type=int, default=400, help="pages for each rate; 0: none")
    parser.add_argument("--pages-a-worker", type=int, default=PAGES_A_WORKER)
    parser.add_argument("--folder", type=Path, default=NEWSROOM if NEWSROOM.exists() else FIXTURES)
    options = parser.parse_args()
    pages = stored(read_pages(options.folder))
    if not pages:
        sys.exit(f"no pages in {options.folder}")
    if options.rate_pages:
        print_rates(pages, options.rate_pages)
    if options.pages:
        config = replace(CONFIG, pages_a_worker=options.pages_a_worker)
        print_memory(*watch_memory(pages, options.pages, config))


if __name__ == "__main__":
    main()
