"""Measure a whole sweep: CPU per article against bare trafilatura on the same pages, and the number of Prefect task runs.

    python -m benchmarks.whole_run [--copies K] [--stock N] [--limit N]

The run is the command on a Prefect server started before: discover, fetch, WARC, extract, deduplicate, store and report, plus
the server's own CPU. Bare trafilatura (`bare_extraction` with defaults and metadata) reads half of its pages before the run
and half after, so that a change of the machine's speed affects both. Pages are the newsroom's, if it is beside the checkout,
else the demo's.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from trafilatura import bare_extraction

from examples.newsroom.pages import story_page
from examples.newsroom.server import Newsroom
from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server

CHECKOUT = Path(__file__).resolve().parent.parent
NEWSROOM = CHECKOUT.parent / "shared" / "newsroom"
COMMAND = Path(sys.executable).with_name("presslake")
LOOK_S, WEIGH_S = 0.1, 0.5
IDLE_TASKS = 200
SETTLING_S = 5
"""Seconds in which the server still records task runs after a run's end."""


@dataclass
class Meter:
    """Sample CPU seconds and peak memory of a process and all its descendants, by kind of process (from its command line).

    Memory is the proportional set size (PSS), which counts shared pages once. Reading it takes some milliseconds per process, so
    it is sampled less often.
    """

    process: psutil.Process
    seen: dict[int, tuple[str, float]] = field(default_factory=dict)
    peak_sizes: Counter[str] = field(default_factory=Counter)
    weighed_at: float = 0.0

    def look(self) -> None:
        """Sample every live process; an ended one keeps its last sample."""
        sizes: Counter[str] = Counter()
        if is_weighed := time.monotonic() - self.weighed_at >= WEIGH_S:
            self.weighed_at = time.monotonic()
        for one in [self.process, *self.process.children(recursive=True)]:
            try:
                with one.oneshot():
                    times, kind = one.cpu_times(), "extraction" if "forkserver" in " ".join(one.cmdline()) else "run"
                    if self.seen.get(one.pid, ("", 0.0))[0] == "extraction":
                        kind = "extraction"  # an exiting process has no command line
                    sizes[kind] += one.memory_full_info().pss if is_weighed else 0
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            self.seen[one.pid] = (kind, times.user + times.system)
        if sizes.total() > self.peak_sizes.total():
            self.peak_sizes = sizes

    def seconds(self) -> Counter[str]:
        """Return CPU seconds by kind of process."""
        total: Counter[str] = Counter()
        for kind, spent in self.seen.values():
            total[kind] += spent
        return total


@contextmanager
def metered(process: psutil.Process) -> Iterator[Meter]:
    """Meter a process and its descendants during the block."""
    meter, ended = Meter(process), threading.Event()

    def follow() -> None:
        while not ended.wait(LOOK_S):
            try:
                meter.look()
            except psutil.NoSuchProcess:
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield meter
    finally:
        ended.set()
        thread.join()


@contextmanager
def press(copies: int) -> Iterator[tuple[str, list[bytes]]]:
    """Serve the pages during the block; yield a catalogue, and the bytes of each page as often as it is served."""
    if not NEWSROOM.is_dir():
        with Newsroom() as demo:
            pages = [story_page(story, outlet, base_url=demo.base_url(outlet.id), edition=0).encode()
                     for outlet in demo.outlets for story in outlet.stories]  # fmt: skip
            yield demo.catalogue(), pages
        return
    truth = NEWSROOM / "pages/truth.jsonl"
    rows = [json.loads(line) for line in truth.read_text().splitlines()]
    pages = [gzip.decompress((NEWSROOM / "pages" / row["html_path"]).read_bytes()) for row in rows]
    with newsroom(copies) as url:
        yield catalogue_of(sites_of(url)), pages * copies


@contextmanager
def newsroom(copies: int) -> Iterator[str]:
    """Serve the newsroom's pages, each site `copies` times; yield the URL of one site."""
    port = 8900 + os.getpid() % 1000
    pages = str(NEWSROOM / "pages/truth.jsonl")
    words = [sys.executable, str(NEWSROOM / "serve.py"), pages, "--port", str(port), "--copies", str(copies)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.1.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def sites_of(url: str) -> list[dict[str, Any]]:
    """Wait for the newsroom's server, and return its sites."""
    for _ in range(300):
        try:
            return httpx.get(f"{url}/_sites", timeout=60).json()
        except httpx.TransportError:
            time.sleep(0.2)
    sys.exit("the newsroom does not answer")


def catalogue_of(sites: Sequence[dict[str, Any]]) -> str:
    """Return a catalogue with one source per site, feeds only."""
    lines = ['defaults: {crawl_delay_s: 0.02, max_per_host: 4, allow_networks: ["127.0.0.0/8"]}', "sources:"]
    for number, site in enumerate(sites):
        lines += [f"  - id: site-{number}", f'    feeds: ["{site["feed"]}"]']
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a benchmark's sweeps need: a folder, the press's catalogue and pages, and a Prefect server's API."""

    folder: Path
    catalogue: Path
    pages: list[bytes]
    api_url: str


@contextmanager
def place(copies: int) -> Iterator[Place]:
    """Serve the pages and start a Prefect server with its own home, for the block."""
    with tempfile.TemporaryDirectory(prefix="presslake-bench-") as name, press(copies) as (sources, pages):
        folder = Path(name)
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        set_prefect_defaults(is_quiet=True)
        catalogue = folder / "sources.yaml"
        catalogue.write_text(sources)
        with local_server(has_ui=False) as api_url:
            yield Place(folder=folder, catalogue=catalogue, pages=pages, api_url=api_url)


def prefect_server() -> psutil.Process:
    """Return the process of the local Prefect server, a child of this one."""
    return next(one for one in psutil.Process().children() if "server/process.py" in " ".join(one.cmdline()))


def stock_seconds(pages: Sequence[bytes]) -> float:
    """Return the CPU seconds that trafilatura needs with its defaults."""
    started = time.process_time()
    for page in pages:
        bare_extraction(page, with_metadata=True)
    return time.process_time() - started


def sweep(
    catalogue: Path, folder: Path, api_url: str, *options: str, index: str | None = None
) -> tuple[dict[str, Any], Meter]:
    """Run one sweep in its own process; return its report and its meter. The default `index` is a file in the folder."""
    environment = {
        **os.environ,
        "PREFECT_API_URL": api_url,
        "PRESSLAKE_LAKE": str(folder / "lake"),
        "PRESSLAKE_INDEX": index or f"sqlite:///{folder / 'index.db'}",
    }
    words = [str(COMMAND), "ingest", "--catalogue", str(catalogue), "--json", *options]
    child = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE)
    with metered(psutil.Process(child.pid)) as meter:
        out, _ = child.communicate()
    if child.returncode:
        sys.exit(f"the sweep ended with {child.returncode}")
    return json.loads(out.splitlines()[-1]), meter


def task_runs(api_url: str, run_id: str) -> int:
    """Return the number of this run's task runs in Prefect."""
    wanted = {"flow_runs": {"id": {"any_": [run_id]}}}
    return int(httpx.post(f"{api_url}/task_runs/count", json=wanted).json())


def task_run_ms(api_url: str, server: psutil.Process) -> tuple[float, float]:
    """Return the CPU (ms) of an empty task run, in its own process and in the server."""
    os.environ["PREFECT_API_URL"] = api_url
    from prefect import flow, task

    @task
    def nothing() -> None:
        return

    @flow
    def many() -> None:
        for _ in range(IDLE_TASKS):
            nothing()

    nothing_yet, served = time.process_time(), sum(server.cpu_times()[:2])
    many()
    time.sleep(SETTLING_S)
    spent = time.process_time() - nothing_yet, sum(server.cpu_times()[:2]) - served
    return 1000 * spent[0] / IDLE_TASKS, 1000 * spent[1] / IDLE_TASKS


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--copies", type=int, default=2, help="how often the newsroom is served (20: 3,000 pages)")
    arguments.add_argument("--stock", type=int, default=600, help="pages that bare trafilatura reads, at most")
    arguments.add_argument("--limit", type=int, default=0, help="pages that the sweep looks at, at most; 0: all")
    asked = arguments.parse_args()
    with place(asked.copies) as here:
        api_url, sample = here.api_url, here.pages[: asked.stock]
        server = prefect_server()
        with metered(server) as idle:
            before = stock_seconds(sample[::2])
        idle.look()
        spent_before = sum(idle.seconds().values())
        summary, meter = sweep(here.catalogue, here.folder, api_url, "--limit", str(asked.limit))
        time.sleep(SETTLING_S)
        with metered(server) as busy:
            busy.look()
        served = sum(busy.seconds().values()) - spent_before
        runs = task_runs(api_url, summary["run_id"])
        after = stock_seconds(sample[1::2])
        each_ms = sum(task_run_ms(api_url, server))
    report(summary, meter, served=served, stock_ms=1000 * (before + after) / len(sample))
    whole_s = sum(meter.seconds().values()) + served
    print(f"\n{runs} Prefect task runs at {each_ms:.1f} ms: {runs * each_ms / 1000 / whole_s:.1%} of the run's CPU")


def report(summary: dict[str, Any], meter: Meter, *, served: float, stock_ms: float) -> None:
    """Print the figures."""
    count = summary["fetched"]
    spent = meter.seconds()
    parts = {"extraction": spent["extraction"], "the rest of the run": spent["run"], "Prefect's server": served}
    print(f"{count} pages fetched, {sum(summary['articles'].values())} articles, failed {summary['failed']}")
    peak = ", ".join(f"{kind} {size / 1e6:.0f}" for kind, size in sorted(meter.peak_sizes.items()))
    print(f"{summary['seconds']:.1f} s, {count / summary['seconds']:.1f} pages/s")
    print(f"peak PSS {meter.peak_sizes.total() / 1e6:.0f} MB ({peak}), Prefect's server apart\n")
    print(f"{'CPU':<24}{'ms a page':>12}{'of stock':>12}")
    for part, seconds in {**parts, "whole run": sum(parts.values())}.items():
        print(f"{part:<24}{1000 * seconds / count:>12.2f}{1000 * seconds / count / stock_ms:>12.2f}")
    print(f"{'bare trafilatura':<24}{stock_ms:>12.2f}{1:>12.2f}")


if __name__ == "__main__":
    main()
