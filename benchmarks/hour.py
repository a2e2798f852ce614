"""Sweep a press that publishes steadily, for an hour: CPU, memory, lag and index size, printed at intervals.

    python -m benchmarks.hour [--seconds S] [--interval S] [--rate PAGES] [--hosts N] [--articles N] [--every S]
    [--filled FILE]

By default the press publishes 12 pages a second (a million a day), and the index starts with the million of the day before.
Filling the index takes minutes; `--filled` names a file to fill once and reuse. Each page is one of the newsroom's with its
story reworded; its URL holds its time of publication. A sweep begins each minute, in its own process, or when the one before
it ends. Lag is the time from publication to capture. CPU is that of the sweeps and of Prefect's server, as a share of two
cores; the press runs in its own process and is not counted.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path

import psutil
from deltalake import DeltaTable

from benchmarks.cc_news import Stock, stock
from benchmarks.feeds import addresses
from benchmarks.scale import Rate, grow
from benchmarks.serving import serve, serving
from benchmarks.whole_run import catalogue_of, prefect_server, sweep
from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server
from tasks.index.database import open_index

CORES = 2
ANNOUNCED = 200
"""The number of entries of a feed: its host's newest pages."""

HEAD = ("at s", "sweeps", "pages", "pages/s", "failed", "CPU", "PSS MB", "server MB", "lag s", "greatest", "index MB")


@dataclass(slots=True)
class Press:
    """Hosts that publish pages in turn, together `rate` per second, since `begun_at` (Unix time)."""

    hosts: Sequence[str]
    rate: float
    begun_at: float
    pages: Sequence[Stock] = ()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                address, port = writer.get_extra_info("sockname")[:2]
                writer.write(self.answer(self.hosts.index(address), port, head.split(b" ", 2)[1].decode()))
                await writer.drain()
        writer.close()

    def answer(self, host: int, port: int, path: str) -> bytes:
        """Return the response to one request."""
        if path == "/feed.xml":
            return _said("200 OK", "application/rss+xml", self.feed(host, port))
        if path == "/robots.txt":
            return _said("200 OK", "text/plain", b"User-agent: *\nDisallow: /private/\n")
        number = path.rpartition("/")[2].removesuffix(".html")
        if not number.isdecimal():
            return _said("404 Not Found", "text/plain", b"")
        return _said("200 OK", "text/html", self.page(int(number)))

    def feed(self, host: int, port: int) -> bytes:
        """Return a feed of a host's newest pages."""
        count = int((time.time() - self.begun_at) * self.rate)
        numbers = islice(range(count - 1 - (count - 1 - host) % len(self.hosts), -1, -len(self.hosts)), ANNOUNCED)
        at = f"http://{self.hosts[host]}:{port}"
        items = "".join(
            f"<item><title>Report {number}</title><link>{at}/{self.begun_at + number / self.rate:.3f}/{number}.html</link></item>"
            for number in numbers
        )
        return f'<rss version="2.0"><channel><title>{at}</title>{items}</channel></rss>'.encode()

    def page(self, number: int) -> bytes:
        """Return a page's bytes."""
        return self.pages[number % len(self.pages)].rewritten(number)


def _said(status: str, mime: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@lru_cache
def rewritable() -> tuple[Stock, ...]:
    """Return the stock pages with paragraph elements: copies of the others would be alike."""
    return tuple(one for one in stock() if one.rewritten(0) != one.rewritten(1))


@dataclass(slots=True)
class Interval:
    """Totals of an interval's sweeps: pages, failures, CPU (s) and peak PSS (bytes)."""

    begun_at: float = field(default_factory=time.time)
    sweeps: int = 0
    pages: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    pss: int = 0


def measure(folder: Path, api_url: str, *, seconds: float, interval_s: float, every_s: float) -> None:
    """Sweep until `seconds` have passed, and print a row for each interval."""
    server, begun = prefect_server(), time.time()
    now, served = Interval(), _cpu_s(server)
    while time.time() - begun < seconds:
        next_at = time.time() + every_s
        summary, meter = sweep(folder / "sources.yaml", folder, api_url)
        now.sweeps += 1
        now.pages += summary["fetched"]
        now.failed.update(summary["failed"])
        now.cpu_s += sum(meter.seconds().values())
        now.pss = max(now.pss, meter.peak_sizes.total())
        time.sleep(max(next_at - time.time(), 0))
        if time.time() - now.begun_at >= min(interval_s, seconds - (now.begun_at - begun)):
            now.cpu_s, served = now.cpu_s + _cpu_s(server) - served, _cpu_s(server)
            print_row(begun, now, server, folder)
            now = Interval()


def print_row(begun: float, done: Interval, server: psutil.Process, folder: Path) -> None:
    """Print an interval's row."""
    elapsed_s, lags = time.time() - done.begun_at, lags_since(folder / "lake", done.begun_at) or [0.0]
    cells = (
        f"{time.time() - begun:.0f}",
        str(done.sweeps),
        str(done.pages),
        f"{done.pages / elapsed_s:.1f}",
        str(done.failed.total()),
        f"{done.cpu_s / elapsed_s / CORES:.0%}",
        f"{done.pss / 1e6:.0f}",
        f"{server.memory_full_info().pss / 1e6:.0f}",
        f"{statistics.median(lags):.0f}",
        f"{max(lags):.0f}",
        f"{sum(one.stat().st_size for one in folder.glob('index.db*')) / 1e6:.0f}",
    )
    print("".join(f"{cell:>10}" for cell in cells), f"  load {os.getloadavg()[0]:.1f}", flush=True)


def lags_since(lake: Path, since: float) -> list[float]:
    """Return the seconds from publication to capture of each page captured since `since` (Unix time)."""
    table = DeltaTable(str(lake / "captures"))
    rows = table.to_pyarrow_table(
        columns=["url", "fetched_at"], filters=[("fetched_at", ">=", datetime.fromtimestamp(since, UTC))]
    ).to_pylist()
    return [row["fetched_at"].timestamp() - float(row["url"].split("/")[3]) for row in rows]


def _cpu_s(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def fill(path: Path, articles: int, rate: float) -> None:
    """Create an index of articles that arrived until now at `rate` per second."""
    with open_index(f"sqlite:///{path}") as index:
        grow(index, 0, articles, Rate(a_day=round(rate * 86_400), now=datetime.now(UTC)))


def run(
    *,
    articles: int,
    filled: Path | None,
    hosts: int,
    rate: float,
    seconds: float,
    interval_s: float,
    every_s: float,
) -> None:
    """Fill the index, start the press and Prefect's server, and measure."""
    with tempfile.TemporaryDirectory(prefix="presslake-hour-") as name:
        folder = Path(name)
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        set_prefect_defaults(is_quiet=True)
        if filled is None or not filled.is_file():
            fill(filled or folder / "index.db", articles, rate)
        if filled is not None:
            shutil.copyfile(filled, folder / "index.db")
        print(f"{articles:,} articles in the index", flush=True)
        press = serving("benchmarks.hour", "--hosts", str(hosts), "--rate", str(rate))
        with local_server(has_ui=False) as api_url, press as port:
            sites = [{"feed": f"http://{one}:{port}/feed.xml"} for one in addresses(hosts)]
            (folder / "sources.yaml").write_text(catalogue_of(sites))
            print("".join(f"{cell:>10}" for cell in HEAD), flush=True)
            measure(folder, api_url, seconds=seconds, interval_s=interval_s, every_s=every_s)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--seconds", type=float, default=3600)
    arguments.add_argument("--interval", type=float, default=300, help="seconds between two rows")
    arguments.add_argument("--every", type=float, default=60, help="seconds from the start of a sweep to the next")
    arguments.add_argument("--rate", type=float, default=12, help="pages that are published each second")
    arguments.add_argument("--hosts", type=int, default=120)
    arguments.add_argument("--articles", type=int, default=1_000_000, help="articles in the index beforehand")
    arguments.add_argument("--filled", type=Path, help="an index of its own, filled before or now")
    arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.serve:
        pages = rewritable()
        press = Press(hosts=addresses(asked.hosts), rate=asked.rate, begun_at=time.time(), pages=pages)
        asyncio.run(serve(press.talk, press.hosts))
    else:
        run(
            articles=asked.articles,
            filled=asked.filled,
            hosts=asked.hosts,
            rate=asked.rate,
            seconds=asked.seconds,
            interval_s=asked.interval,
            every_s=asked.every,
        )


if __name__ == "__main__":
    main()
