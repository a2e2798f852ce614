"""What extraction costs at least with the libraries that it stands on, beside itself and stock trafilatura.

    python -m benchmarks.floor_extraction [--set NAME|DIR] [--folds 0-3] [--rounds N]

Each page goes through all steps by turns, in one process: a stored page from its record to the values that go back, stock
trafilatura on its text, and what the libraries alone take for it. A step's CPU is the least of its rounds. A floor is what
no better code of ours can go below with these libraries, not what could be reached: no title, name or date is read, nothing
is pruned, judged or written as markdown.
"""

import argparse
import gc
import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import process_time
from types import ModuleType
from unittest.mock import patch

import xxhash
from isal import isal_zlib
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura import htmlprocessing, main_extractor

from benchmarks.extraction import extract_stock, folds_of
from benchmarks.pool import stored
from benchmarks.true_pages import SETS, TruePage, read_pages
from tasks.errors import ItemError
from tasks.extract import fallbacks, quick
from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig, StoredPage
from tasks.lake.records import GZIP, read_response
from tasks.values.page import Page
from tasks.values.text.digest import tokenise
from tasks.values.text.sketch import SHINGLE

CONFIG = ExtractConfig()
STOCK, OURS = "stock trafilatura", "Presslake"
PARSER, STEPS, AROUND = "lxml's parser alone", "trafilatura's functions, as called", "these, and ours that call them"
PARTS = (
    (htmlprocessing, "tree_cleaning"),
    (htmlprocessing, "convert_tags"),
    (htmlprocessing, "link_density_test"),
    (htmlprocessing, "link_density_test_tables"),
    (htmlprocessing, "process_node"),
    (main_extractor, "handle_textelem"),
    (quick, "delete_element"),
    (quick, "xmltotxt"),
    (quick, "baseline"),
    (fallbacks, "bare_extraction"),
)
"""Functions of trafilatura that Presslake calls for a text, where it finds them."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A page, as it is stored, and what the steps need of it."""

    page: TruePage
    record: StoredPage

    @cached_property
    def coded(self) -> bytes:
        """The body with its content coding."""
        return read_response(self.record.record, 0, len(self.record.record)).body

    @cached_property
    def body(self) -> bytes:
        return self.page.html.encode("utf-8", "replace")

    @cached_property
    def made(self) -> Page | None:
        try:
            return extract_page(self.record, CONFIG)
        except ItemError:
            return None

    @cached_property
    def hashed(self) -> tuple[bytes, Sequence[bytes]]:
        """A text in one piece, and its words and runs of words."""
        words = [word.encode() for word in tokenise(self.made.text)] if self.made else []
        runs = [b" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)]
        return b" ".join(words), [*runs, *set(words)]


def _unpack(case: Case) -> None:
    content, _ = isal_zlib.decompress(case.record.record, GZIP), isal_zlib.decompress(case.coded, GZIP)
    for block in (content, case.coded):  # each digest of a record is verified
        hashlib.sha256(block).hexdigest()


def _parse(case: Case) -> HtmlElement:
    parser = HTMLParser(huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    return document_fromstring(case.body, parser=parser, ensure_head_body=True)


def _look(case: Case) -> None:
    for one in _parse(case).iter():
        _ = one.tag, one.text, one.tail, one.get("class")


def _hash(case: Case) -> None:
    text, pieces = case.hashed
    hashlib.sha256(text).hexdigest()
    list(map(xxhash.xxh3_64_digest, pieces))


def _pickle(case: Case) -> None:
    for sent in (case.record, case.made):
        pickle.loads(pickle.dumps(sent))


LEAST: Mapping[str, Callable[[Case], object]] = {
    "gzip and digests of the record": _unpack,
    "UTF-8": lambda case: case.body.decode("utf-8", "replace"),
    "lxml: parser, one look at each element": _look,
    "digests of the fingerprint": _hash,
    "pickle, both ways": _pickle,
}


def measure(pages: Sequence[TruePage], *, rounds: int) -> dict[str, float]:
    """Return the CPU of each step (ms a page)."""
    cases = [Case(page=page, record=record) for page, (_, record) in zip(pages, stored(pages), strict=True)]
    for case in cases:  # what a step needs is no part of it, nor what is loaded at first use
        extract_stock(case.page)
        _hash(case)
    gc.collect()
    gc.freeze()  # as workers do
    least: dict[tuple[str, int], float] = {}
    for turn in range(rounds):
        for at, case in enumerate(cases):
            for step, spent in _turns(case, at + turn):
                least[step, at] = min(spent, least.get((step, at), spent))
    steps = dict.fromkeys(step for step, _ in sorted(least))
    return {one: 1000 * sum(spent for (step, _), spent in least.items() if step == one) / len(cases) for one in steps}


def _turns(case: Case, turn: int) -> Iterator[tuple[str, float]]:
    """Yield what each step takes of CPU (s) for a page; `turn` says which is first."""
    steps = {STOCK: lambda one: extract_stock(one.page), OURS: _extract, PARSER: _parse, **LEAST}
    names = list(steps)
    first = turn % len(names)
    for name in names[first:] + names[:first]:
        started = process_time()
        found = steps[name](case)
        yield name, process_time() - started
        if name == OURS:
            yield from found.items()


def _extract(case: Case) -> Mapping[str, float]:
    """Extract a page, and return what went to trafilatura, in its own functions and in ours that call them."""
    whole = _Meter()
    inner = _Meter()
    with ExitStack() as stack:
        stack.enter_context(whole.watching(fallbacks, "quick_text"))
        for module, name in PARTS:
            stack.enter_context(inner.watching(module, name))
        with suppress(ItemError):
            extract_page(case.record, CONFIG)
    return {AROUND: whole.spent, STEPS: inner.spent}


class _Meter:
    """The CPU (s) of functions that are called; not that of one within another once more."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._is_within = False

    @contextmanager
    def watching(self, module: ModuleType, name: str) -> Iterator[None]:
        function: Callable[..., object] = getattr(module, name)

        def watched(*args: object, **named: object) -> object:
            if self._is_within:
                return function(*args, **named)
            self._is_within, started = True, process_time()
            try:
                return function(*args, **named)
            finally:
                self.spent += process_time() - started
                self._is_within = False

        with patch.object(module, name, watched):
            yield


def print_floor(spent: Mapping[str, float]) -> None:
    """Print each step, its share of stock, and the sum of what the libraries take."""
    floor = sum(spent[step] for step in (STEPS, *LEAST))
    rows = {step: spent[step] for step in (*LEAST, STEPS)} | {"the least": floor}
    rows |= {step: spent[step] for step in (PARSER, AROUND, OURS, STOCK)}
    print(f"{'step':<40}{'ms a page':>10}{'of stock':>10}")
    for step, ms in rows.items():
        print(f"{step:<40}{ms:>10.2f}{ms / spent[STOCK]:>10.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default=next(iter(SETS)), help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--folds", type=folds_of, help="those pages alone of a set that has folds")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pages = read_pages(SETS.get(options.set, Path(options.set)), folds=options.folds if options.set == "more" else None)
    if not pages:
        sys.exit(f"no pages in {options.set}")
    print_floor(measure(pages, rounds=options.rounds))


if __name__ == "__main__":
    main()
