"""Save the extraction result of each labelled page, and compare another version of the rules with it.

    python -m benchmarks.sameness keep FILE [--set NAME|DIR]... [--folds 0-3]
    python -m benchmarks.sameness compare FILE [--set NAME|DIR]... [--folds 0-3]

`compare` extracts again and prints each page that differs, with the differing fields and both F1 scores. A pure optimisation
differs on no page.
"""

import argparse
import pickle
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from benchmarks.extraction import NOW, folds_of
from benchmarks.scoring import Answer, score
from benchmarks.true_pages import SETS, TruePage, read_pages
from tasks.errors import ItemError
from tasks.extract.page import extract_html
from tasks.values.page import Page

_IGNORED = frozenset(("extractor",))


def outcome_of(page: TruePage) -> Page | str:
    """Extract a page; return it, or the name of the error raised."""
    try:
        return extract_html(page.html, page.url, fetched_at=NOW)
    except ItemError as error:
        return type(error).__name__


def differing(one: Page | str, other: Page | str) -> tuple[str, ...]:
    """Return the names of the fields in which two outcomes differ."""
    if isinstance(one, str) or isinstance(other, str):
        return () if one == other else ("outcome",)
    names = (field.name for field in fields(one) if field.name not in _IGNORED)
    return tuple(name for name in names if getattr(one, name) != getattr(other, name))


def compare(pages: Iterable[TruePage], kept: dict[str, Page | str]) -> Iterator[str]:
    """Yield a line for each page whose result differs from the kept one."""
    for page in pages:
        before, now = kept[page.name], outcome_of(page)
        if names := differing(before, now):
            yield f"{page.name}: {', '.join(names)}; F1 {_f1(page, before):.3f} to {_f1(page, now):.3f}"


def _f1(page: TruePage, outcome: Page | str) -> float:
    return score(page.truth, Answer(text="" if isinstance(outcome, str) else outcome.text)).f1


def main() -> None:
    """Save results or compare with saved ones; exit with 1 if any page differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("keep", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--set", action="append", dest="sets", help=f"{', '.join(SETS)}, or a folder; all if not given")
    parser.add_argument("--folds", type=folds_of, help="only these folds of a set that has folds")
    options = parser.parse_args()
    pages = [
        page
        for name in options.sets or SETS
        for page in read_pages(SETS.get(name, Path(name)), folds=options.folds if name == "more" else None)
    ]
    if options.what == "keep":
        options.file.write_bytes(pickle.dumps({page.name: outcome_of(page) for page in pages}))
        return
    kept = pickle.loads(options.file.read_bytes())
    lines = list(compare(pages, kept))
    print("\n".join([*lines, f"{len(lines)} of {len(pages)} pages differ"]))
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
