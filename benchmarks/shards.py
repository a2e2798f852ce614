"""Measure the gain of a second process, on PostgreSQL and S3: shards on two workers, and concurrent sweeps.

    python -m benchmarks.shards [--parts ...] [--pages N] [--rounds N] [--pinned] [--short]

1. A sweep of heavy pages (election nights: 2,000 words and a table of 3,000 rows, 0.7 s of extraction) on one worker, then
   in two shards on two; each worker has one extraction process.
2. Concurrent sweeps of these pages, each with one extraction process: pages per second of two against one. With `--pinned`,
   each sweep or worker has its own processor.
3. Four concurrent sweeps with the same and overlapping sources of wire copy, against one: the same articles and edges.

Times are the index's: from the first run's start to the last one's end, including the start of the second worker's process.
Prefect's server, the database, the store and the press run on the same processors, which slows two processes as well.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import func, select

from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server
from tasks.index.database import open_index
from tasks.index.schema import edges, runs
from tasks.index.shards import shard_key
from tests.e2e.chaos import Place, read_tables
from tests.postgres import find_binaries, fresh_database, started_server
from tests.press import Press, Story, running_press
from tests.servers import CEPH_SCRIPT, KEY, SECRET, make_bucket, started_ceph
from tests.workers import await_end, deploy, running_worker, start_run

COMMAND = Path(sys.executable).with_name("presslake")
PARTS = ("shards", "sweeps", "overlap")
POOL, SITES = "bench-shards", 48
"""A number that divides evenly into two shards; `divided` prints how sites divide, as the larger shard bounds the ratio."""
SYLLABLES = "ba be bi bo da de di do fa fe ga go ka ke ko la le li lo ma me mi mo na ne ni no pa pe ra re ri ro sa se ta".split()


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Return 5,000 made-up words."""
    chance = random.Random(1)
    return tuple("".join(chance.choices(SYLLABLES, k=chance.randrange(2, 5))) for _ in range(5000))


@dataclass(frozen=True)
class ElectionNight(Story):
    """A unique article of about 2,000 words with a table of 3,000 towns' results."""

    @cached_property
    def html(self) -> str:
        chance = random.Random(f"{self.site}.{self.number}")
        paragraphs = "".join(f"<p>The {_words(chance, 60)}, on day {chance.randrange(9999)}.</p>" for _ in range(30))
        rows = "".join(
            f"<tr><td>{_words(chance, 1)}</td><td>{chance.randrange(9999)}</td><td>{chance.randrange(9999)}</td></tr>"
            for _ in range(3000)
        )
        return f"{paragraphs}<table>{rows}</table>"


def _words(chance: random.Random, number: int) -> str:
    return " ".join(chance.choices(vocabulary(), k=number))


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The benchmark's servers, and its folder."""

    api_url: str
    database: Any
    s3_url: str
    folder: Path

    @contextmanager
    def fresh(self, catalogue: Path) -> Iterator[tuple[dict[str, str], Place]]:
        """Yield an empty index and lake: as a process's environment, and as a Place to read them."""
        with fresh_database(self.database) as index:
            open_index(index).close()
            place = Place(name="", lake=f"s3://{make_bucket(self.s3_url)}/lake", index=index, endpoint_url=self.s3_url)
            yield (
                {
                    **os.environ,
                    "PREFECT_API_URL": self.api_url,
                    "PREFECT_WORKER_QUERY_SECONDS": "1",
                    "PRESSLAKE_CATALOGUE": str(catalogue),
                    "PRESSLAKE_INDEX": index,
                    "PRESSLAKE_LAKE": place.lake,
                    "PRESSLAKE_S3_ENDPOINT_URL": self.s3_url,
                    "PRESSLAKE_EXTRACT_WORKERS": "1",
                    "PRESSLAKE_BATCH_SIZE": "8",
                },
                place,
            )


@contextmanager
def ground() -> Iterator[Ground]:
    """Start PostgreSQL, Ceph RGW and Prefect's server with the deployments, for the block."""
    binaries = find_binaries()
    if binaries is None or not shutil.which("radosgw") or not CEPH_SCRIPT.is_file():
        sys.exit("this needs PostgreSQL and Ceph RGW, as the tests do")
    os.environ |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
    with tempfile.TemporaryDirectory(prefix="presslake-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        set_prefect_defaults(is_quiet=True)
        s3_url, database = stack.enter_context(started_ceph()), stack.enter_context(started_server(binaries))
        api_url = stack.enter_context(local_server(has_ui=False))
        yield Ground(api_url=deploy(api_url, pool=POOL), database=database, s3_url=s3_url, folder=folder)


@contextmanager
def heavy_press(pages: int) -> Iterator[Press]:
    """Serve pages that are slow to extract; render them in advance."""
    with running_press(sites=SITES, articles=0, network=44) as press:
        for number in range(pages):
            story = ElectionNight(number % SITES, number)
            press.stories[story.site][story.path] = story
            assert story.html
        yield press


@contextmanager
def wire_press(articles: int) -> Iterator[Press]:
    """Serve short articles; every other site repeats a third of its neighbour's, each with one more sentence."""
    with running_press(sites=SITES, articles=articles, network=45) as press:
        for site in range(1, SITES, 2):
            for number in range(articles // 3):
                copy = Story(site - 1, number, version=2)
                press.stories[site][copy.path] = copy
        yield press


def shared_out(ground: Ground, catalogue: Path, *, shards: int, is_pinned: bool) -> tuple[float, int]:
    """Sweep in shards, one worker each; return seconds and pages."""
    with ground.fresh(catalogue) as (environment, place), ExitStack() as stack:
        for number in range(shards):
            worker = stack.enter_context(running_worker(environment, pool=POOL, name=f"worker-{number}", limit=1))
            psutil.Process(worker.pid).cpu_affinity(list(_processors(number, is_pinned=is_pinned)))
        with httpx.Client(base_url=ground.api_url, timeout=60) as api:
            run = await_end(api, start_run(api, "ingest/sweep", {"shards": shards}), timeout_s=3000)
        if run["state"]["name"] != "Completed":
            sys.exit(f"the sweep ended as {run['state']['name']}: {run['state']['message']}")
        return elapsed_s(place), read_tables(place).articles.total()


def side_by_side(
    ground: Ground, catalogue: Path, choices: Sequence[Sequence[int]], *, is_pinned: bool = False
) -> tuple[float, int, Any]:
    """Run concurrent sweeps, one per choice of sites (empty: all); return seconds, pages and the tables."""
    with ground.fresh(catalogue) as (environment, place):
        processes = [
            subprocess.Popen(
                [COMMAND, "ingest", "--json", *(word for site in sites for word in ("--source", f"site-{site}"))],
                env=environment,
                stdout=subprocess.DEVNULL,
                preexec_fn=partial(os.sched_setaffinity, 0, processors),  # noqa: PLW1509 - one system call, no lock
            )
            for number, sites in enumerate(choices)
            for processors in (_processors(number, is_pinned=is_pinned),)
        ]
        if codes := [code for process in processes if (code := process.wait(timeout=3000))]:
            sys.exit(f"sweeps ended with {codes}")
        tables = read_tables(place)
        with open_index(place.index) as index, index.read() as tx:
            related = set(tx.execute(select(edges.c.a, edges.c.b, edges.c.kind)).tuples())
        made = {row[:3]: number for row, number in tables.articles.items()}
        return elapsed_s(place), tables.articles.total(), (made, related, tables.clusters, tables.captured_twice)


def _processors(number: int, *, is_pinned: bool) -> set[int]:
    """Return the processors that the sweep or worker with this number may use."""
    every = sorted(os.sched_getaffinity(0))
    return {every[number % len(every)]} if is_pinned else set(every)


def elapsed_s(place: Place) -> float:
    """Return the seconds from the first run's start to the last one's end."""
    with open_index(place.index) as index, index.read() as tx:
        begun, ended = tx.execute(select(func.min(runs.c.started_at), func.max(runs.c.ended_at))).one()
    return float((ended - begun).total_seconds())


def divided(press: Press) -> list[int]:
    """Return the number of pages in each of two shards."""
    counts = [0, 0]
    for site, stories in press.stories.items():
        counts[shard_key(f"{press.addresses[site]}:{press.port}") % 2] += len(stories)
    return counts


def compare(name: str, pairs: Sequence[tuple[tuple[float, int], tuple[float, int]]]) -> None:
    """Print one process against two, measured in pairs: medians of seconds, of pages per second and of the pairs' ratios."""
    rates = [[pages / seconds for seconds, pages in pair] for pair in pairs]
    seconds, rate = (
        [statistics.median(pair[place] for pair in measured) for place in (0, 1)]
        for measured in ([[one[0], two[0]] for one, two in pairs], rates)
    )
    ratios = sorted(two / one for one, two in rates)
    print(
        f"{name:<34}{pairs[0][0][1]:>7}{seconds[0]:>9.1f}{seconds[1]:>9.1f}{rate[0]:>10.2f}{rate[1]:>10.2f}"
        f"{statistics.median(ratios):>8.2f}   of {', '.join(f'{ratio:.2f}' for ratio in ratios)}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--pages", type=int, default=240)
    arguments.add_argument("--rounds", type=int, default=1, help="how often each is measured; the median is told")
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which of the three to measure")
    arguments.add_argument("--pinned", action="store_true", help="give each sweep and worker a processor of its own")
    arguments.add_argument("--short", action="store_true", help="see that it works")
    asked = arguments.parse_args()
    pages, articles = (96, 6) if asked.short else (asked.pages, 30)
    print(f"{psutil.cpu_count()} processors; load average before: {os.getloadavg()[0]:.1f}")
    with ground() as servers:
        print(f"{'':<34}{'pages':>7}{'one, s':>9}{'two, s':>9}{'one, /s':>10}{'two, /s':>10}{'ratio':>8}   load")
        with heavy_press(pages) as press:
            catalogue = press.catalogue(servers.folder / "heavy.yaml", max_per_host=8)
            print(f"pages of the two shards: {divided(press)}")
            rounds, is_pinned = range(asked.rounds), asked.pinned
            if "shards" in asked.parts:
                shards = [
                    (
                        shared_out(servers, catalogue, shards=1, is_pinned=is_pinned),
                        shared_out(servers, catalogue, shards=2, is_pinned=is_pinned),
                    )
                    for _ in rounds
                ]
                compare("shards on workers", shards)
            if "sweeps" in asked.parts:
                sweeps = [
                    (
                        side_by_side(servers, catalogue, [()], is_pinned=is_pinned)[:2],
                        side_by_side(servers, catalogue, [(), ()], is_pinned=is_pinned)[:2],
                    )
                    for _ in rounds
                ]
                compare("sweeps side by side", sweeps)
        if "overlap" not in asked.parts:
            return
        with wire_press(articles) as press:
            catalogue = press.catalogue(servers.folder / "wire.yaml", max_per_host=8)
            _, number, alone = side_by_side(servers, catalogue, [()])
            overlapping = [(), (), range(SITES * 3 // 4), range(SITES // 4, SITES)]
            _, _, together = side_by_side(servers, catalogue, overlapping)
    for name, of_one, of_four in zip(("articles", "edges", "clusters", "captured twice"), alone, together, strict=True):
        size = [len(value) if hasattr(value, "__len__") else value for value in (of_one, of_four)]
        verdict = "the same" if of_one == of_four else "DIFFERENT"
        print(f"four overlapping sweeps of {number} articles: {name:<16}{size[0]:>7}{size[1]:>7}   {verdict}")
    sys.exit(0 if alone == together else 1)


if __name__ == "__main__":
    main()
