"""Run each command that opens lake or index a hundred times beside four busy processes, and count the exit codes.

`make exits` takes an hour. None may end by a signal, and each must have its own exit code. Commands that write run on a copy.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server
from tasks.errors import ServerUnavailable
from tests.engine import Presslake
from tests.press import Press, running_press

BUSY = 4
SITES, ARTICLES = 3, 6
NO_INDEX = "sqlite:////nowhere/at/all.db"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command, its expected exit code, and the preparation of its home; it runs once every `every` runs."""

    words: tuple[str, ...]
    code: int = 0
    every: int = 1
    prepare: Callable[[Path], None] = lambda _home: None


def _without_index(home: Path) -> None:
    for path in home.glob("new.db*"):
        path.unlink()


def _without_a_segment(home: Path) -> None:
    """Delete a segment, so that verify finds faults and exits with 1."""
    for path in sorted((home / "lake/warc").rglob("*.gz"))[:1]:
        path.unlink()


def cases(article: str) -> dict[str, Case]:
    """Return the commands to run, by name."""
    return {
        "verify --json": Case(words=("verify", "--json")),
        "verify": Case(words=("verify",)),
        "verify --mend": Case(words=("verify", "--mend", "--json")),
        "trace --json": Case(words=("trace", article, "--json")),
        "trace --diff": Case(words=("trace", article, "--diff")),
        "status --json": Case(words=("status", "--json")),
        "status": Case(words=("status",)),
        "report --json": Case(words=("report", "--json")),
        "metrics --once": Case(words=("metrics", "--once")),
        "maintain --json": Case(words=("maintain", "--json")),
        "maintain --dry-run": Case(words=("maintain", "--dry-run")),
        "reindex --json": Case(words=("reindex", "--index", "sqlite:///new.db", "--json"), prepare=_without_index),
        "reindex, refused": Case(words=("reindex",), code=2),
        "sources check --json": Case(words=("sources", "check", "--json")),
        "status, no index": Case(words=("status", "--index", NO_INDEX), code=2),
        "ingest --dry-run": Case(words=("ingest", "--dry-run", "--json"), every=10),
        "ingest --json": Case(words=("ingest", "--refetch", "--json"), every=10),
        "verify, with faults": Case(words=("verify", "--json"), code=1, prepare=_without_a_segment),
    }


def main() -> int:
    """Run the cases, and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=100, help="of each command; a tenth of that of `ingest`")
    options.add_argument("--starts", type=int, default=40, help="of the local server")
    options.add_argument("--only", default="", help="commands whose name holds this")
    options.add_argument("--busy", type=int, default=BUSY, help="processes that keep the machine busy meanwhile")
    asked = options.parse_args()
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "PRESSLAKE_"))]:
        del os.environ[name]
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp()
    set_prefect_defaults(is_quiet=True)
    with busy(asked.busy):
        bad = run_commands(asked.runs, asked.only)
        bad += run_starts(asked.starts)
    return 1 if bad else 0


def run_commands(runs: int, only: str) -> int:
    """Run the commands; return the number of runs with a wrong exit code."""
    bad = 0
    with (
        running_press(sites=SITES, articles=ARTICLES, network=79) as press,
        local_server(has_ui=False) as api_url,
        tempfile.TemporaryDirectory() as folder,
    ):
        presslake = _swept(Path(folder), press, api_url)
        for name, case in cases(next(iter(press.urls()))).items():
            if only in name:
                codes = _codes(presslake, case, max(1, runs // case.every))
                wrong = codes.total() - codes[case.code]
                bad += wrong
                told = ", ".join(f"{number} with {code}" for code, number in sorted(codes.items()))
                _say(f"{name:24} {told}{'   WRONG' if wrong else ''}")
    return bad


def run_starts(number: int) -> int:
    """Start the local server `number` times; return the number of failed starts, each printed with its error."""
    bad = 0
    for _ in range(number):
        home = tempfile.mkdtemp()
        os.environ["PREFECT_HOME"] = home
        try:
            with local_server(has_ui=False):
                pass
        except ServerUnavailable as error:
            bad += 1
            _say(f"a start of the server: {error}")
        shutil.rmtree(home)
    _say(f"{'starts of the server':24} {number - bad} of {number}")
    return bad


@contextmanager
def busy(number: int) -> Iterator[None]:
    """Keep `number` processes busy during the block."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _swept(home: Path, press: Press, api_url: str) -> Presslake:
    environment = {"PREFECT_API_URL": api_url, "PRESSLAKE_CATALOGUE": str(press.catalogue(home / "sources.yaml"))}
    presslake = Presslake(home, environment)
    presslake.ingest()
    return presslake


def _codes(presslake: Presslake, case: Case, runs: int) -> Counter[int]:
    codes: Counter[int] = Counter()
    for _ in range(runs):
        case.prepare(presslake.home)
        ended = presslake.run(*case.words, timeout=900, check=False)
        codes[ended.code] += 1
        if ended.code != case.code:
            _say(f"  {ended.code}: {ended.err[-500:]}")
    return codes


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
