"""Measure what grows over many sweeps: the index, the lake, Prefect's database, memory.

    python -m benchmarks.soak [--sweeps N]

The demo's newsroom is swept repeatedly on one Prefect server, each sweep in its own process, as `presslake up` and workers do
for months (within one process, Prefect's client keeps 3 MB of each run). Every sweep refetches every article; halfway, the
second edition is published. Rows are printed at intervals; the last lines give the growth per sweep in the second half, when
the press does not change.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.whole_run import Meter, prefect_server, sweep, task_runs
from examples.newsroom.server import Newsroom
from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server

ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state after a sweep: sizes in bytes, the sweep's peak memory and CPU (s), the server's memory and CPU so far."""

    sweep: int
    task_runs: int
    index_size: int
    prefect_size: int
    lake_size: int
    lake_files: int
    run_memory: int
    server_memory: int
    run_cpu_s: float
    server_cpu_s: float


HEAD = (
    "sweep",
    "task runs",
    "index kB",
    "Prefect kB",
    "lake kB",
    "files",
    "run MB",
    "server MB",
    "run CPU s",
    "server s",
)


def main() -> None:
    """Sweep repeatedly, and print the growth."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--sweeps", type=int, default=100)
    sweeps = arguments.parse_args().sweeps
    with tempfile.TemporaryDirectory(prefix="presslake-soak-") as name, ExitStack() as stack:
        folder = Path(name)
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        set_prefect_defaults(is_quiet=True)
        newsroom = stack.enter_context(Newsroom())
        (folder / "sources.yaml").write_text(newsroom.catalogue(), encoding="utf-8")
        api_url = stack.enter_context(local_server(has_ui=False))
        server = prefect_server()
        _print(HEAD)
        snapshots = []
        for number in range(1, sweeps + 1):
            if number == sweeps // 2:
                newsroom.pass_time()
            summary, meter = sweep(folder / "sources.yaml", folder, api_url, "--refetch")
            runs = task_runs(api_url, summary["run_id"])
            snapshots.append(_reading(number, folder, server, meter, runs=runs))
            if number == 1 or number % max(sweeps // ROWS, 1) == 0:
                _print(_figures(snapshots[-1]))
    _summarise(snapshots)


def _reading(number: int, folder: Path, server: psutil.Process, meter: Meter, *, runs: int) -> Snapshot:
    files = [path for path in (folder / "lake").rglob("*") if path.is_file()]
    server_cpu = server.cpu_times()
    return Snapshot(
        sweep=number,
        task_runs=runs,
        index_size=_size(folder.glob("index.db*")),
        prefect_size=_size((folder / "prefect").glob("prefect.db*")),
        lake_size=_size(files),
        lake_files=len(files),
        run_memory=meter.peak_sizes.total(),
        server_memory=server.memory_info().rss,
        run_cpu_s=sum(meter.seconds().values()),
        server_cpu_s=server_cpu.user + server_cpu.system,
    )


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _figures(one: Snapshot) -> tuple[str, ...]:
    sizes = (one.index_size, one.prefect_size, one.lake_size)
    return (
        str(one.sweep),
        str(one.task_runs),
        *(f"{size / 1e3:,.0f}" for size in sizes),
        str(one.lake_files),
        f"{one.run_memory / 1e6:.0f}",
        f"{one.server_memory / 1e6:.0f}",
        f"{one.run_cpu_s:.1f}",
        f"{one.server_cpu_s:.1f}",
    )


def _print(cells: Sequence[str]) -> None:
    print("".join(f"{cell:>12}" for cell in cells), flush=True)


def _summarise(snapshots: Sequence[Snapshot]) -> None:
    """Print the growth per sweep in the second half."""
    middle, last = snapshots[len(snapshots) // 2], snapshots[-1]
    sweeps = max(last.sweep - middle.sweep, 1)
    print("\nA sweep of the second half added")
    for what, before, after, unit in (
        ("index", middle.index_size, last.index_size, "kB"),
        ("Prefect's database", middle.prefect_size, last.prefect_size, "kB"),
        ("lake", middle.lake_size, last.lake_size, "kB"),
        ("a run's peak memory", middle.run_memory, last.run_memory, "kB"),
        ("server's memory", middle.server_memory, last.server_memory, "kB"),
    ):
        print(f"{what:<22}{(after - before) / sweeps / 1e3:>10.1f} {unit}")


if __name__ == "__main__":
    main()
