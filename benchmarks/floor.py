"""What a sweep costs at least with the libraries that it stands on, beside the sweep itself.

    python -m benchmarks.floor [--copies K] [--rounds N]

A sweep of the press, as in benchmarks/whole_run.py, and then its parts done over by the libraries alone
(benchmarks/floor_sweep.py), by turns. Printed are ms of CPU a page; where there are two ways for one part, the cheaper
counts. A floor is what no better code of ours can go below with these libraries, not what could be reached: it reads,
judges, paces, compares and decides nothing.
"""

import argparse
import time
from statistics import median

from benchmarks.floor_sweep import OURS, PLAIN, floor
from benchmarks.whole_run import SETTLING_S, Place, place, prefect_server, sweep, task_run_ms, task_runs

TASKS = "Prefect: as many tasks that do nothing"


def measure(here: Place, number: int) -> dict[str, float]:
    """Sweep into a folder of its own, and do its parts over; returns ms a page of each part, and of the sweep's own process."""
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
    """Return the sum of the parts, the cheaper way of those that have two."""
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
