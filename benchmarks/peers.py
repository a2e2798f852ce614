"""Compare Presslake with other crawlers on the same pages: CPU, pages per second, memory, requests and text accuracy.

    python -m benchmarks.peers [--copies K] [--rounds N] [--peer NAME]...

Each round runs Presslake and then a peer, one pair for each peer, over the newsroom's feeds. The peers
(`benchmarks/peer_programs/`) run in their own environment, created in the user's cache on first use, with the same limits if
they support them. Start-up is the cost of a run of one page (for Presslake with the start of Prefect's server); figures are
given with and without it. CPU includes Prefect's server; its memory is given separately. Ratios are Presslake's figure to the
peer's of the same pair; all figures are medians of the rounds.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from deltalake import DeltaTable

from benchmarks.scoring import Answer, score, summarise
from benchmarks.true_pages import read_pages, read_raw_pages
from benchmarks.whole_run import (
    NEWSROOM,
    catalogue_of,
    metered,
    newsroom,
    prefect_server,
    sites_of,
    sweep,
)
from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server

PROGRAMS = Path(__file__).with_name("peer_programs")
OURS, BARE = "presslake", "trafilatura"
NOT_DONE = {
    "scrapy": "dedup, revisions, WARC",
    "crawlee": "crawl delay, dedup, revisions, WARC",
    "news_please": "robots.txt, crawl delay, dedup, revisions, WARC",
    "newspaper4k": "robots.txt, crawl delay, dedup, revisions, WARC",
    BARE: "requests, and all of those",
}
PEERS = tuple(NOT_DONE)

Site = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run: pages, CPU and wall seconds, peak PSS (bytes), requests, and its answers by URL."""

    pages: int
    cpu_s: float
    seconds: float
    pss: int
    requests: int
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run, and the CPU and wall time of its start-up (seconds)."""

    whole: Ran
    start_cpu_s: float
    start_s: float

    @property
    def a_cpu_second(self) -> float:
        """Pages per CPU second, without start-up."""
        return self.whole.pages / max(self.whole.cpu_s - self.start_cpu_s, 0.001)

    @property
    def a_second(self) -> float:
        """Pages per second, without start-up."""
        return self.whole.pages / max(self.whole.seconds - self.start_s, 0.001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What runs need: a folder, the newsroom's URL and sites, the peers' Python, and Prefect's server with its start-up cost."""

    folder: Path
    url: str
    sites: Sequence[Site]
    python: Path
    api_url: str
    server: psutil.Process
    server_cpu_s: float
    server_s: float

    def requests(self) -> int:
        """Return the number of requests that the newsroom has received."""
        return sum(httpx.get(f"{self.url}/_hits", timeout=60).json().values())


Run = Callable[[Bench, Sequence[Site]], Ran]


def run_ours(bench: Bench, sites: Sequence[Site]) -> Ran:
    """Sweep the sites' feeds into a new lake; CPU includes Prefect's server."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        folder = Path(name)
        (folder / "sources.yaml").write_text(catalogue_of(sites))
        asked, served, began = bench.requests(), sum(bench.server.cpu_times()[:2]), time.monotonic()
        summary, meter = sweep(folder / "sources.yaml", folder, bench.api_url)
        seconds = time.monotonic() - began
        time.sleep(5)  # the server still records the last task runs
        cpu_s = sum(meter.seconds().values()) + sum(bench.server.cpu_times()[:2]) - served
        columns = ["url", "title", "text", "authors", "published_at"]
        rows = DeltaTable(str(folder / "lake/articles")).to_pyarrow_table(columns=columns).to_pylist()
        return Ran(
            pages=summary["fetched"],
            cpu_s=cpu_s,
            seconds=seconds,
            pss=meter.peak_sizes.total(),
            requests=bench.requests() - asked,
            answers={row["url"]: _answer(row, row["published_at"]) for row in rows},
        )


def run_peer(name: str, bench: Bench, sites: Sequence[Site]) -> Ran:
    """Run a peer over the sites' feeds, or over page files if it cannot fetch."""
    given, out = bench.folder / "given.txt", bench.folder / "answers.jsonl"
    given.write_text("\n".join(_files(bench, sites) if name == BARE else [site["feed"] for site in sites]))
    asked, began = bench.requests(), time.monotonic()
    words = [str(bench.python), str(PROGRAMS / f"with_{name}.py"), str(given), str(out)]
    with (bench.folder / f"{name}.log").open("w") as log:
        child = subprocess.Popen(words, cwd=bench.folder, stdout=log, stderr=log)
        with metered(psutil.Process(child.pid)) as meter:
            child.wait()
    if child.returncode:
        sys.exit(f"{name} ended with {child.returncode}: {(bench.folder / f'{name}.log').read_text()[-2000:]}")
    rows = [json.loads(line) for line in out.read_text().split("\n") if line]
    return Ran(
        pages=len(rows),
        cpu_s=sum(meter.seconds().values()),
        seconds=time.monotonic() - began,
        pss=meter.peak_sizes.total(),
        requests=bench.requests() - asked,
        answers={row["url"]: _answer(row, row.get("date")) for row in rows},
    )


def _files(bench: Bench, sites: Sequence[Site]) -> list[str]:
    """Write the newsroom's pages to files once; return a file name for each page of the sites."""
    stored = bench.folder / "pages"
    if not stored.is_dir():
        stored.mkdir()
        for number, (_, html, _) in enumerate(read_raw_pages(NEWSROOM / "pages")):
            (stored / f"{number:04}.html").write_bytes(html)
    names = [str(one) for one in sorted(stored.iterdir())]
    count = sum(len(site["articles"]) for site in sites)
    return [names[number % len(names)] for number in range(count)]


def _answer(row: Mapping[str, Any], day: object) -> Answer:
    return Answer(
        text=row["text"] or "",
        title=row.get("title"),
        authors=tuple(row.get("authors") or ()),
        published_on=str(day)[:10] if day else None,
    )


def f1_of(name: str, bench: Bench, answers: Mapping[str, Answer]) -> float:
    """Return the F1 over the labelled pages; a page served more than once counts once, with any of its answers."""
    pages = read_pages(NEWSROOM / "pages")
    if name == BARE:
        found = [answers.get(file) for file in _files(bench, bench.sites)[: len(pages)]]
    else:
        by_place = {_place(url): answer for url, answer in answers.items()}
        places = {site["domain"]: [_place(url) for url in site["articles"]] for site in bench.sites}
        found = [by_place.get(places[httpx.URL(page.url).host].pop(0)) for page in pages]
    nothing = Answer(text="")
    return summarise([score(page.truth, one or nothing) for page, one in zip(pages, found, strict=True)])["f1"]


def _place(url: str) -> str:
    """Return a page's site number and path, which all copies share (the address is 127.COPY.SITE)."""
    parts = httpx.URL(url)
    return f"{parts.host.split('.', 2)[2]}{parts.path}"


def environment() -> Path:
    """Return the Python of the peers' environment; create it with uv in the user's cache if it is missing."""
    pins = PROGRAMS / "requirements.txt"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "presslake" / f"peers-{hashlib.sha256(pins.read_bytes()).hexdigest()[:8]}"
    if not (folder / "ready").exists():
        uv, python = str(Path(sys.executable).with_name("uv")), str(folder / "bin/python")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        words = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "-r", str(pins)]
        subprocess.run(words, check=True)
        (folder / "ready").touch()
    return folder / "bin/python"


@contextmanager
def bench_of(copies: int) -> Iterator[Bench]:
    """Serve the newsroom and start Prefect's server, for the block."""
    python = environment()
    with tempfile.TemporaryDirectory(prefix="presslake-peers-") as name, newsroom(copies) as url:
        sites = sites_of(url)
        os.environ["PREFECT_HOME"] = str(Path(name) / "prefect")
        set_prefect_defaults(is_quiet=True)
        began = time.monotonic()
        with local_server(has_ui=False) as api_url:
            server = prefect_server()
            yield Bench(
                folder=Path(name),
                url=url,
                sites=sites,
                python=python,
                api_url=api_url,
                server=server,
                server_cpu_s=sum(server.cpu_times()[:2]),
                server_s=time.monotonic() - began,
            )


def measured(bench: Bench, name: str) -> Measured:
    """Measure a run of one page and one of all pages; Prefect's start-up counts as Presslake's."""
    run: Run = run_ours if name == OURS else lambda bench, sites: run_peer(name, bench, sites)
    is_alone = [site for site in bench.sites if len(site["articles"]) == 1][:1]
    start = run(bench, is_alone)
    return Measured(whole=run(bench, bench.sites), start_cpu_s=start.cpu_s, start_s=start.seconds)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--copies", type=int, default=2, help="how often the newsroom is served (12: 1,800 pages)")
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--peer", action="append", choices=PEERS, help="all, if none are given")
    asked = arguments.parse_args()
    if not NEWSROOM.is_dir():
        sys.exit("the newsroom of real pages is not beside the checkout")
    peers = asked.peer or PEERS
    with bench_of(asked.copies) as bench:
        pairs: dict[str, list[tuple[Measured, Measured]]] = {name: [] for name in peers}
        for number in range(1, asked.rounds + 1):
            for name in peers:
                pairs[name].append((measured(bench, OURS), measured(bench, name)))
                ratio = pairs[name][-1][0].a_cpu_second / pairs[name][-1][1].a_cpu_second
                load = os.getloadavg()[0]
                print(f"round {number}, {name}: {ratio:.2f} of its pages a CPU-second (load {load:.1f})", flush=True)
        report(bench, pairs)


def report(bench: Bench, pairs: Mapping[str, Sequence[tuple[Measured, Measured]]]) -> None:
    """Print each program's figures, and Presslake's ratios to each peer."""
    ours = [a for rounds in pairs.values() for a, _ in rounds]
    server_mb = bench.server.memory_full_info().pss / 1e6
    print("\n| | pages | F1 | pages a CPU-second | pages a second | start-up: CPU, time | PSS | requests | not done |")
    print("|---|---|---|---|---|---|---|---|---|")
    note = f"Prefect's server {bench.server_cpu_s:.1f} s, {bench.server_s:.1f} s, {server_mb:.0f} MB"
    print(_row(OURS, ours, bench, note))
    for name, rounds in pairs.items():
        print(_row(name, [b for _, b in rounds], bench, NOT_DONE[name]))
    print(
        "\n| Presslake's to | pages a CPU-second | with start-up | pages a second | with start-up |\n|---|---|---|---|---|"
    )
    for name, rounds in pairs.items():
        print(f"| {name} | " + " | ".join(f"{one:.2f}" for one in ratios(bench, rounds)) + " |")


def _row(name: str, rounds: Sequence[Measured], bench: Bench, note: str) -> str:
    last = rounds[-1].whole
    cells = (
        name,
        str(last.pages),
        f"{f1_of(name, bench, last.answers):.3f}",
        f"{_median(one.a_cpu_second for one in rounds):.1f}",
        f"{_median(one.a_second for one in rounds):.1f}",
        f"{_median(one.start_cpu_s for one in rounds):.1f} s, {_median(one.start_s for one in rounds):.1f} s",
        f"{max(one.whole.pss for one in rounds) / 1e6:.0f} MB",
        f"{last.requests:,}",
        note,
    )
    return "| " + " | ".join(cells) + " |"


def ratios(bench: Bench, rounds: Sequence[tuple[Measured, Measured]]) -> tuple[float, float, float, float]:
    """Return Presslake's ratios to a peer: pages per CPU second and per second, each without and with start-up."""
    return (
        _median(a.a_cpu_second / b.a_cpu_second for a, b in rounds),
        _median(_rate(a, a.whole.cpu_s + bench.server_cpu_s) / _rate(b, b.whole.cpu_s) for a, b in rounds),
        _median(a.a_second / b.a_second for a, b in rounds),
        _median(_rate(a, a.whole.seconds + bench.server_s) / _rate(b, b.whole.seconds) for a, b in rounds),
    )


def _rate(one: Measured, seconds: float) -> float:
    return one.whole.pages / max(seconds, 0.001)


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
