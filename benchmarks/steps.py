"""Measure extraction's CPU by step, on labelled pages; each step includes everything that it calls.

    python -m benchmarks.steps [--set NAME|DIR] [--folds 0-3]

Nested steps are indented. For more detail, use py-spy:
`py-spy record -f raw -r 400 -o FILE -- python -m benchmarks.steps`.
"""

import argparse
import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from time import process_time
from unittest.mock import patch

from benchmarks.extraction import folds_of
from benchmarks.sameness import outcome_of
from benchmarks.true_pages import SETS, TruePage, read_pages

STEPS = (
    "page:parse_html",
    "page:read_metadata",
    " metadata:find_authors",
    " metadata:_published",
    "  metadata:find_date",
    "page:look_at",
    "page:extract_text",
    " article:mass_of",
    " article:cut_other_articles",
    " article:_prune",
    "  prune:furniture_of",
    "  prune:outline_page",
    " article:blocks_of",
    " article:_find_text",
    "  fallbacks:quick_text",
    "  fallbacks:bare_extraction",
    "  article:locate",
    "  article:locate_article",
    "  article:restore_omitted",
    "  article:cut_tail",
    " article:quality_of",
    " article:markdown_of",
    "page:fingerprint_of",
)
"""The functions to time, each with the module below `tasks.extract` that calls it; the indent gives the nesting."""

WARMING = 5  # pages


@contextmanager
def timed(step: str, spent: Counter[str]) -> Iterator[None]:
    """Add the CPU seconds of a step's calls during the block to `spent`."""
    module, name = step.strip().split(":")
    function: Callable[..., object] = getattr(import_module(f"tasks.extract.{module}"), name)

    def measured(*args: object, **named: object) -> object:
        started = process_time()
        try:
            return function(*args, **named)
        finally:
            spent[step] += process_time() - started

    with patch(f"tasks.extract.{module}.{name}", measured):
        yield


def print_steps(pages: Sequence[TruePage]) -> None:
    """Extract the pages, and print each step's CPU per page and share."""
    for page in pages[:WARMING]:
        outcome_of(page)
    gc.collect()
    gc.freeze()  # as workers do
    spent: Counter[str] = Counter()
    with ExitStack() as stack:
        for step in STEPS:
            stack.enter_context(timed(step, spent))
        started = process_time()
        for page in pages:
            outcome_of(page)
        whole = process_time() - started
    print(f"{'step':<32}{'ms a page':>10}{'share':>8}")
    for step in STEPS:
        indented = "  " * (len(step) - len(step.lstrip())) + step.strip().partition(":")[2].strip("_")
        print(f"{indented:<32}{1000 * spent[step] / len(pages):>10.2f}{spent[step] / whole:>8.1%}")
    print(f"{'whole':<32}{1000 * whole / len(pages):>10.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default=next(iter(SETS)), help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--folds", type=folds_of, help="only these folds of a set that has folds")
    options = parser.parse_args()
    folds = options.folds if options.set == "more" else None
    print_steps(read_pages(SETS.get(options.set, Path(options.set)), folds=folds))


if __name__ == "__main__":
    main()
