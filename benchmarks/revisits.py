"""Measure the cost of refetching a known page: answered 304, and answered 200 with the same bytes.

    python -m benchmarks.revisits [--copies K] [--rounds N]

The pages of `benchmarks.whole_run` are swept once. Then each round makes three sweeps: one that polls the feeds and finds
nothing due, one with `--refetch`, and one with `--refetch` after the pages' validators are deleted, so that servers send whole
pages. The cost of a page is the CPU of the second or third sweep minus the first: start-up and feeds cancel out.
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
    """Return the CPU (ms) of a page answered 304, and of one answered 200 with the same bytes."""
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
    """Delete the validators of all pages, so that the next requests are unconditional."""
    with closing(sqlite3.connect(index)) as database, database as connection:
        connection.execute("UPDATE frontier SET etag = NULL, last_modified = NULL")


def count_of(lake: Path, run_id: str, status: int) -> int:
    """Count a run's captures with a status."""
    columns = DeltaTable(str(lake / "captures")).to_pyarrow_table(columns=["run_id", "status"]).to_pylist()
    return sum(one == {"run_id": run_id, "status": status} for one in columns)


if __name__ == "__main__":
    main()
