"""Compare the runners `local`, `dask` and `ray` on one backfill: the resulting tables, and the gain of a second worker.

    python -m benchmarks.runners [--pages N] [--pairs N] [--runner NAME]...

First, all runners read the same archives, in a different order each time, while each page sleeps for a random time: the tables
must be equal except for `extracted_at` and `run_id`. Then each page sleeps for half a second to stand for slow extraction (a
sleep needs no processor, so other load does not disturb it), and one worker's wall time is compared with two workers', as the
median of pairs. These pages are the demo's, since they are small. Only the backfill itself is timed, not the start of commands
and clusters.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cc_news import Stock, demo_stock, stock, write_archives
from benchmarks.whole_run import COMMAND
from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.reading import list_files
from tasks.lake.tables import open_table
from tasks.verify.stored import read_file

CLUSTERS = ("dask", "ray")
MOST_OF_ONE = 0.70
SLEEP_S, VARIED = "0.5", "0:0.4"
UNIT_PAGES, TIMED_UNIT_PAGES = 10, 40
"""Pages per unit: few, so that many units can finish out of order; or 20 s of work, which is worth a task run."""
UNSTABLE = ("extracted_at", "run_id")
SLOW = Path(__file__).parent / "slow"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A backfill: its articles by novelty, its own wall time, and the whole command's."""

    articles: dict[str, int]
    seconds: float
    whole_s: float


def take_in(
    archives: Sequence[Path], place: Path, runner: str, workers: int, *, sleep_s: str, unit_pages: int
) -> Taken:
    """Run a backfill as a command, and return its counts and times."""
    place.mkdir()
    words = [
        COMMAND,
        "backfill",
        "warc",
        *archives,
        "--runner",
        runner,
        "--unit-pages",
        str(unit_pages),
        "--json",
        "--quiet",
    ]
    if runner in CLUSTERS:
        words += ["--workers", str(workers)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(SLOW),
        "PRESSLAKE_BENCH_SLEEP_S": sleep_s,
        "PRESSLAKE_EXTRACT_WORKERS": "1",
        "PRESSLAKE_LAKE": str(place / "lake"),
        "PRESSLAKE_INDEX": f"sqlite:///{place / 'index.db'}",
    }
    begun = time.monotonic()
    done = subprocess.run(list(map(str, words)), cwd=place, env=environment, stdout=subprocess.PIPE, check=True)
    whole_s, report = time.monotonic() - begun, json.loads(done.stdout.splitlines()[-1])
    articles = {name: number for name, number in report["articles"].items() if number}
    return Taken(articles=articles, seconds=report["seconds"], whole_s=whole_s)


def rows(place: Path, table: str) -> list[dict[str, Any]]:
    """Return a table's rows, sorted, without the columns that differ between runs."""
    store = DirectoryStore(place / "lake")
    found = [row for file in list_files(open_table(store, table), table) for row in read_file(store, file)]
    kept = [{name: value for name, value in row.items() if name not in UNSTABLE} for row in found]
    return sorted(kept, key=lambda row: (row["url"], row["fetched_at"]))


def archived(folder: Path, pages: int, of: Sequence[Stock]) -> list[Path]:
    """Write six archives with `pages` pages in all, and return their paths."""
    folder.mkdir()
    write_archives(folder, pages * 3 // 2, of, files=6, damaged=None)
    return sorted(folder.iterdir())


def compare_tables(home: Path, archives: Sequence[Path], runners: Sequence[str]) -> bool:
    """Backfill the same archives with each runner; return whether all tables are equal."""
    shuffled, tables = list(archives), {}
    for runner in ("local", *runners):
        random.Random(runner).shuffle(shuffled)
        taken = take_in(shuffled, home / runner, runner, 2, sleep_s=VARIED, unit_pages=UNIT_PAGES)
        tables[runner] = [rows(home / runner, table) for table in (ARTICLES, CAPTURES)]
        is_equal = tables[runner] == tables["local"]
        counts = ", ".join(f"{len(one):,}" for one in tables[runner])
        print(
            f"{runner}: {counts} rows of articles and captures, {taken.articles}, {taken.whole_s:.0f} s, equal: {is_equal}",
            flush=True,
        )
    return all(one == tables["local"] for one in tables.values())


def compare_times(home: Path, archives: Sequence[Path], runner: str, pairs: int) -> bool:
    """Time one worker and two in pairs; return whether the median ratio is at most `MOST_OF_ONE`."""
    ratios = []
    for pair in range(pairs):
        one, two = (
            take_in(
                archives,
                home / f"{runner}-{pair}-{workers}",
                runner,
                workers,
                sleep_s=SLEEP_S,
                unit_pages=TIMED_UNIT_PAGES,
            )
            for workers in (1, 2)
        )
        ratios.append(two.seconds / one.seconds)
        print(
            f"{runner}: one worker {one.seconds:.0f} s, two {two.seconds:.0f}, ratio {ratios[-1]:.2f}; "
            f"the commands {one.whole_s:.0f} s and {two.whole_s:.0f}, load {os.getloadavg()[0]:.0f}",
            flush=True,
        )
    median = statistics.median(ratios)
    print(f"{runner}: median of {pairs} ratios {median:.2f} (at most {MOST_OF_ONE})", flush=True)
    return median <= MOST_OF_ONE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=240)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--runner", choices=CLUSTERS, action="append", help="only this one; may be repeated")
    parser.add_argument("--no-tables", action="store_true", help="compare only the times")
    asked = parser.parse_args()
    runners = asked.runner or CLUSTERS
    with tempfile.TemporaryDirectory(prefix="presslake-runners-") as name:
        home = Path(name)
        os.environ["PREFECT_HOME"] = str(home / "prefect")
        set_prefect_defaults(is_quiet=True)
        archives, small = (
            archived(home / name, asked.pages, pages) for name, pages in (("in", stock()), ("small", demo_stock()))
        )
        with local_server(has_ui=False) as api_url:
            os.environ["PREFECT_API_URL"] = api_url
            is_well = asked.no_tables or compare_tables(home, archives, runners)
            for runner in runners if asked.pairs else ():
                is_well &= compare_times(home, small, runner, asked.pairs)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
