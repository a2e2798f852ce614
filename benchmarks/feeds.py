"""Measure polling: thousands of feeds in one sweep against a real server, first new, then with 304s, then with the same bytes.

    python -m benchmarks.feeds [--feeds N] [--hosts N]

Each host is its own loopback address with a robots.txt; each feed is RSS with 20 items. The server runs in its own process, so
that CPU and memory are the poller's alone. Printed for each sweep: feeds polled, unchanged and parsed, requests counted by
the server, seconds, CPU per feed, and the process's peak memory so far.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import httpx

from benchmarks.serving import serve, serving
from tasks.config.catalogue import SourceRules
from tasks.discover import polling as stage
from tasks.discover.polling import poll_feeds
from tasks.discover.schedule import PollConfig
from tasks.index.database import Index, open_index
from tasks.index.feeds import FeedAddress, add_feeds, select_feeds
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.values.feed import FeedKind
from tasks.values.reports import DiscoverReport
from tasks.web.client import WebConfig

ITEMS = 20
SWEEPS = ("first", "304", "same bytes")


# The server


def addresses(hosts: int) -> list[str]:
    """Return one address per host."""
    return [f"127.{100 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}" for number in range(hosts)]


def feed_body(address: str, path: str) -> bytes:
    """Return the feed of an address and path; no two are alike."""
    items = "".join(
        f"<item><title>Report {number} of {path}</title><link>http://{address}{path}/{number}.html</link>"
        f"<guid>{address}{path}/{number}</guid><pubDate>Mon, 02 Mar 2026 08:{number:02d}:00 GMT</pubDate>"
        f"<description>{'The harbour council met again and found no boat. ' * 4}</description></item>"
        for number in range(ITEMS)
    )
    return f'<rss version="2.0"><channel><title>{path}</title>{items}</channel></rss>'.encode()


class Server:
    """Serve feeds with an ETag; `/_mode/<sweep>` sets whether conditional requests get a 304, and returns the request counts."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.mode = SWEEPS[0]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                address = writer.get_extra_info("sockname")[0]
                writer.write(self.answer(address, head.split(b" ", 2)[1].decode(), head.lower()))
                await writer.drain()
        writer.close()

    def answer(self, address: str, path: str, head: bytes) -> bytes:
        """Return the response to one request."""
        if path.startswith("/_mode/"):
            self.mode = path.removeprefix("/_mode/").replace("%20", " ")
            hits, self.hits = dict(self.hits), Counter()
            return _said(200, json.dumps(hits).encode())
        kind = "robots.txt" if path == "/robots.txt" else "feeds"
        self.hits[kind] += 1
        if kind == "robots.txt":
            return _said(200, b"User-agent: *\nDisallow: /private/\n")
        if self.mode == "304" and b"\r\nif-none-match:" in head:
            return _said(304, b"")
        return _said(200, feed_body(address, path), etag=f'"{path[1:]}"')


def _said(status: int, body: bytes, etag: str | None = None) -> bytes:
    validator = f"ETag: {etag}\r\n" if etag else ""
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{validator}\r\n".encode() + body


# The sweeps


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The results of one sweep."""

    name: str
    report: DiscoverReport
    parsed: int
    asked: Mapping[str, int]
    wall_s: float
    cpu_s: float
    peak_size: int


@contextmanager
def counted_readings() -> Iterator[list[str]]:
    """Yield a list to which the URL of each parsed feed is added during the block."""
    read, seen = stage.read_feed, list[str]()

    def noted(kind, fetched, **more):  # noqa: ANN001, ANN003, ANN202
        seen.append(fetched.url)
        return read(kind, fetched, **more)

    stage.read_feed = noted
    try:
        yield seen
    finally:
        stage.read_feed = read


def sweep(name: str, index: Index, feeds: list[FeedAddress], control: str) -> Sweep:
    """Poll all feeds once as a sweep does, and measure it."""
    httpx.get(f"{control}/_mode/{name}")
    wall, cpu = time.monotonic(), time.process_time()
    with counted_readings() as parsed:
        report = asyncio.run(_poll(index, feeds))
    wall_s, cpu_s = time.monotonic() - wall, time.process_time() - cpu
    asked = httpx.get(f"{control}/_mode/{name}").json()
    return Sweep(
        name=name, report=report, parsed=len(parsed), asked=asked, wall_s=wall_s, cpu_s=cpu_s, peak_size=peak_size()
    )


async def _poll(index: Index, feeds: list[FeedAddress]) -> DiscoverReport:
    rules = SourceRules(
        user_agent="PresslakeBench/1.0", crawl_delay_s=0.0, max_per_host=4, allow_networks=(ip_network("127.0.0.0/8"),)
    )
    with index.write() as tx:
        add_feeds(tx, feeds, now=datetime.now(UTC))
        states = select_feeds(tx, (one.feed_url for one in feeds), due_by=None)
    async with PoliteClient(WebConfig(user_agent=""), HostLimits(index), in_flight=50) as client:
        return await poll_feeds(
            states, client=client, rules={"bench": rules}, index=index, config=PollConfig(), polled_one=lambda: None
        )


def peak_size() -> int:
    """Return this process's peak resident memory in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--feeds", type=int, default=10_000)
    arguments.add_argument("--hosts", type=int, default=2_000)
    arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if asked.serve:
        asyncio.run(serve(Server().talk, addresses(asked.hosts)))
    before = peak_size()
    with (
        tempfile.TemporaryDirectory(prefix="presslake-bench-") as name,
        serving("benchmarks.feeds", "--hosts", str(asked.hosts)) as port,
    ):
        hosts = addresses(asked.hosts)
        feeds = [
            FeedAddress(
                feed_url=f"http://{hosts[number % len(hosts)]}:{port}/feed-{number}",
                source_id="bench",
                kind=FeedKind.FEED,
            )
            for number in range(asked.feeds)
        ]
        print(f"{asked.feeds} feeds on {asked.hosts} hosts; {before / 1e6:.0f} MB before\n")
        print(f"{'sweep':<12}{'polled':>8}{'unchanged':>11}{'parsed':>8}{'new URLs':>10}{'robots':>8}{'GETs':>8}"
              f"{'s':>8}{'CPU ms a feed':>15}{'peak MB':>9}")  # fmt: skip
        with open_index(f"sqlite:///{name}/index.db") as index:
            for which in SWEEPS:
                report(sweep(which, index, feeds, f"http://{hosts[0]}:{port}"), len(feeds))


def report(done: Sweep, feeds: int) -> None:
    """Print one sweep's line."""
    told = done.report
    print(f"{done.name:<12}{told.polled:>8}{told.unchanged:>11}{done.parsed:>8}{told.discovered:>10}"
          f"{done.asked.get('robots.txt', 0):>8}{done.asked.get('feeds', 0):>8}{done.wall_s:>8.1f}"
          f"{1000 * done.cpu_s / feeds:>15.2f}{done.peak_size / 1e6:>9.0f}", flush=True)  # fmt: skip
    if told.failed:
        print(f"            failed: {told.failed}")


if __name__ == "__main__":
    main()
