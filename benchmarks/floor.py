"""Measure how much CPU a sweep needs at least with its libraries, next to the sweep itself.

    python -m benchmarks.floor [--copies K] [--rounds N]

Each round sweeps the newsroom as benchmarks/whole_run.py does, and then repeats the sweep's parts with the libraries alone
(benchmarks/floor_sweep.py). It prints ms of CPU per page; if there are two ways to do a part, the cheaper one counts. The
floor is a bound that no better code of Presslake can go below with these libraries, not a target: it reads, judges, paces,
compares and decides nothing.
"""

import argparse
import time
from statistics import median

from benchmarks.floor_sweep import OURS, PLAIN, floor
from benchmarks.whole_run import SETTLING_S, Place, place, prefect_server, sweep, task_run_ms, task_runs

TASKS = "Prefect: as many tasks that do nothing"


def measure(here: Place, number: int) -> dict[str, float]:
    """Sweep into a new folder and repeat the parts; returns ms per page of each part and of the sweep's own process."""
    folder = here.folder / f"round-{number}"
    (scratch := folder / "scratch").mkdir(parents=True)
    summary, meter = sweep(here.catalogue, folder, here.api_url)
    time.sleep(SETTLING_S)
    runs = task_runs(here.api_url, summary["run_id"])
    spent = floor(folder / "lake", folder / "index.db", here.catalogue, scratch)
    spent[TASKS] = runs * task_run_ms(here.api_url, prefect_server())[0] / 1000
    spent["the sweep's own process"] = meter.seconds()["run"]
    return {step: 1000 * seconds / summary["fetched"] for step, seconds in spent.items()}


def least(costs: dict[str, float]) -> float:
    """Return the sum of the parts, with the cheaper way of those that have two."""
    *parts, _ = costs.items()
    return sum(cost for step, cost in parts) - max(costs[PLAIN], costs[OURS])


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--copies", type=int, default=4, help="how often the newsroom is served (20: 3,000 pages)")
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    with place(asked.copies) as here:
        rounds = [measure(here, number) for number in range(asked.rounds)]
    for step in rounds[0]:
        print(
            f"{step:<44}" + "".join(f"{one[step]:>8.2f}" for one in rounds),
            f"{median(one[step] for one in rounds):>8.2f}",
        )
    sums = [least(one) for one in rounds]
    print(f"{'the least':<44}" + "".join(f"{one:>8.2f}" for one in sums), f"{median(sums):>8.2f}")


if __name__ == "__main__":
    main()
