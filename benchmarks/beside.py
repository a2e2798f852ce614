"""Compare extraction by this checkout and by another, alternating page by page: CPU per step, and pages that differ.

    python -m benchmarks.beside CHECKOUT [--set NAME|DIR] [--folds 0-3] [--rounds N]

Each checkout runs in its own process, with the same Python. The order alternates from page to page, so that load affects both
alike. The pages are those of this checkout's sets.
"""

import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import process_time

from benchmarks.extraction import folds_of
from benchmarks.sameness import outcome_of
from benchmarks.steps import STEPS, WARMING, timed
from benchmarks.true_pages import SETS, TruePage, read_pages

CHECKOUT = Path(__file__).resolve().parent.parent
SERVE = "--serve"


def serve(folder: Path, folds: Sequence[int] | None) -> None:
    """Extract the pages whose numbers arrive on standard input; answer each with its CPU (s) and a digest, at the end per step."""
    pages = read_pages(folder, folds=folds)
    for page in pages[:WARMING]:
        outcome_of(page)
    gc.collect()
    gc.freeze()  # as workers do
    print(len(pages), flush=True)
    spent: Counter[str] = Counter()
    with ExitStack() as stack:
        for step in STEPS:
            stack.enter_context(timed(step, spent))
        for line in iter(sys.stdin.readline, "\n"):
            print(json.dumps(_extract(pages[int(line)])), flush=True)
    print(json.dumps(spent), flush=True)


def _extract(page: TruePage) -> tuple[float, str, str]:
    started = process_time()
    outcome = outcome_of(page)
    taken = process_time() - started
    fields = outcome if isinstance(outcome, str) else repr(outcome).replace(outcome.extractor, "")
    return taken, hashlib.sha256(fields.encode("utf-8", "surrogatepass")).hexdigest(), page.name


class Server:
    """A process that extracts with one checkout's code."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.count = int(self._answer())
        self.spent = 0.0

    def extract(self, at: int) -> tuple[str, str]:
        """Extract a page; return the digest of its outcome, and its name."""
        taken, digest, name = json.loads(self._answer(at))
        self.spent += taken
        return digest, name

    def steps(self) -> dict[str, float]:
        """End the process, and return its CPU per step (s)."""
        return dict(json.loads(self._answer("")))

    def _answer(self, asked: int | str | None = None) -> str:
        into, out = self._process.stdin, self._process.stdout
        if into is None or out is None:
            sys.exit("a process without pipes")
        if asked is not None:
            print(asked, file=into, flush=True)
        return out.readline()


@contextmanager
def server(checkout: Path, folder: Path, folds: Sequence[int] | None) -> Iterator[Server]:
    """Start a process that imports a checkout's modules."""
    code = f"import runpy; runpy.run_path({str(Path(__file__))!r}, run_name='__main__')"
    words = [sys.executable, "-c", code, SERVE, str(folder), json.dumps(folds)]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    process = subprocess.Popen(
        words, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield Server(process)


def compare(other: Server, own: Server, rounds: int) -> None:
    """Extract all pages with both, and print CPU per step and the pages that differ."""
    differing: set[str] = set()
    for turn in range(rounds):
        for at in range(own.count):
            pair = (other, own) if (at + turn) % 2 else (own, other)
            (one, name), (two, _) = (server.extract(at) for server in pair)
            differing |= {name} if one != two else set()
    seen = own.count * rounds
    before, after = other.steps(), own.steps()
    before["whole"], after["whole"] = other.spent, own.spent
    print(f"{'step':<32}{'other, ms':>10}{'own, ms':>10}{'ratio':>8}")
    for step in (*STEPS, "whole"):
        one, two = 1000 * before.get(step, 0.0) / seen, 1000 * after.get(step, 0.0) / seen
        print(f"{step:<32}{one:>10.2f}{two:>10.2f}{two / one if one else 0.0:>8.2f}")
    print(f"{len(differing)} of {own.count} pages differ: {', '.join(sorted(differing))}")


def main() -> None:
    """Compare the checkouts or, as a child process, serve one."""
    if sys.argv[1:2] == [SERVE]:
        return serve(Path(sys.argv[2]), json.loads(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--set", default=next(iter(SETS)), help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--folds", type=folds_of, help="only these folds of a set that has folds")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    folder = SETS.get(options.set, Path(options.set)).resolve()
    folds = sorted(options.folds) if options.folds and options.set == "more" else None
    with (
        server(options.checkout.resolve(), folder, folds) as other,
        server(CHECKOUT, folder, folds) as own,
    ):
        compare(other, own, options.rounds)
    return None


if __name__ == "__main__":
    main()
