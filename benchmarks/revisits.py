"""What a known page costs when it is looked at again: answered 304, and with the same bytes again.

    python -m benchmarks.revisits [--copies K] [--rounds N]

The pages of `benchmarks.whole_run` are swept once. Then come rounds of three sweeps: one that polls the feeds and finds
nothing due, `--refetch`, and `--refetch` after the index has lost the pages' validators, so that servers send them whole. What
a page costs is the CPU of the second, or third, without that of the first: so start-up and feeds are left out.
"""

import argparse
import os
import sqlite3
import statistics
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from benchmarks.whole_run import place, sweep

Run = Callable[..., tuple[dict[str, Any], float]]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--copies", type=int, default=4, help="how often the newsroom is served (4: 600 pages)")
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    with place(asked.copies) as here:

        def run(*options: str) -> tuple[dict[str, Any], float]:
            summary, meter = sweep(here.catalogue, here.folder, here.api_url, *options)
            return summary, sum(meter.seconds().values())

        run()
        rounds = [measure(run, here.folder) for _ in range(asked.rounds)]
    for number, (not_modified, same) in enumerate(rounds, 1):
        print(f"round {number}: 304 {not_modified:.2f} ms, the same bytes {same:.2f} ms")
    for what, found in zip(("answered 304", "the same bytes with 200"), zip(*rounds, strict=True), strict=True):
        print(f"a page, {what}: {statistics.median(found):.2f} ms of CPU, median of {len(rounds)}")
    print(f"load {os.getloadavg()[0]:.1f}")


def measure(run: Run, folder: Path) -> tuple[float, float]:
    """Return the CPU of a page that is answered 304, and of one that comes whole and is the same (ms)."""
    _, nothing_s = run()
    costs = []
    for status in (304, 200):
        if status == 200:
            forget_validators(folder / "index.db")
        summary, spent_s = run("--refetch")
        pages = count_of(folder / "lake", summary["run_id"], status)
        if pages != summary["not_modified"] or not pages:
            raise SystemExit(f"not what is measured: {pages} captures with {status} in {summary}")
        costs.append(1000 * (spent_s - nothing_s) / pages)
    return costs[0], costs[1]


def forget_validators(index: Path) -> None:
    """Let the next look at every page be an unconditional one."""
    with closing(sqlite3.connect(index)) as database, database as connection:
        connection.execute("UPDATE frontier SET etag = NULL, last_modified = NULL")


def count_of(lake: Path, run_id: str, status: int) -> int:
    """Count a run's captures with a status."""
    columns = DeltaTable(str(lake / "captures")).to_pyarrow_table(columns=["run_id", "status"]).to_pylist()
    return sum(one == {"run_id": run_id, "status": status} for one in columns)


if __name__ == "__main__":
    main()
