"""Measure each command's CPU, child processes included, as a ratio to `python -c 'import typer, rich'` run next to it.

    python -m benchmarks.commands [--runs 7] [--sweeps]

Ratios are medians of paired runs, so that load and slow machines change them little. The commands run on the index and the
lake of a small press. `--sweeps` also measures `ingest --limit 1`, in seconds of CPU: with a running Prefect server, and
without one, on a fresh Prefect database and on the same one again.
"""

import argparse
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.server.local import local_server
from tests.press import running_press

COMMAND = str(Path(sys.executable).with_name("presslake"))
BASE = [sys.executable, "-c", "import typer, rich"]
BOUNDS = {"--help": 2.5, "--version": 2.5, "sources list": 4.0, "status": 8.0, "trace": 8.0, "show": 8.0,
    "search harbour": 8.0, "sql select(1)": 8.0, "changes --since 0": 8.0}  # fmt: skip
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
SWEEP_BOUNDS = {"with a server": 5.0, "without, on a fresh database": 10.0, "without, again": 10.0}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--sweeps", action="store_true")
    asked = parser.parse_args()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with (
        tempfile.TemporaryDirectory(prefix="presslake-commands-") as folder,
        running_press(sites=3, articles=9) as press,
    ):
        home = Path(folder)
        press.catalogue(home / "sources.yaml")
        _cpu([COMMAND, "ingest", "--json"], home, PREFECT_HOME=str(home / "first"))
        url = next(iter(press.urls()))
        print(f"{'command':<16}{'ratio':>8}{'at most':>9}{'CPU s':>8}")
        for name, bound in BOUNDS.items():
            words = [*name.split(), *([url] if name in {"trace", "show"} else [])]
            ratio, seconds = _ratio([COMMAND, *words], home, asked.runs)
            print(f"{name:<16}{ratio:>8.2f}{bound:>9.1f}{seconds:>8.2f}")
        if asked.sweeps:
            for name, seconds in _sweeps(home):
                print(f"ingest --limit 1, {name}: {seconds:.2f} s of CPU (at most {SWEEP_BOUNDS[name]:g})")


def _ratio(words: list[str], home: Path, runs: int) -> tuple[float, float]:
    """Return a command's CPU as a ratio to the base command's, and in seconds: medians of paired runs."""
    pairs = [(_cpu(words, home), _cpu(BASE, home)) for _ in range(runs)]
    return statistics.median(own / base for own, base in pairs), statistics.median(own for own, _ in pairs)


def _sweeps(home: Path) -> Iterator[tuple[str, float]]:
    words = [COMMAND, "ingest", "--limit", "1", "--json"]
    for name in ("without, on a fresh database", "without, again"):
        yield name, _cpu(words, home, PREFECT_HOME=str(home / "prefect"))
    with _environment(PREFECT_HOME=str(home / "other")), local_server(has_ui=False) as url:
        before = sum(_children().values())
        own = _cpu(words, home, PREFECT_API_URL=url)
        yield "with a server", own + sum(_children().values()) - before


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _children() -> dict[int, float]:
    """Return the CPU seconds of this process's children that were not reaped yet, by process id."""
    seconds = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            seconds[int(status.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def _cpu(words: list[str], home: Path, **variables: str) -> float:
    """Run a command; return the CPU seconds of it and of all its descendants, including those that outlive it."""
    others, before = _children().keys(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=home, env={**os.environ, **variables}, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr.decode()}")
    while left := _children().keys() - others:  # orphans become our children: we are their subreaper
        os.waitpid(left.pop(), 0)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
