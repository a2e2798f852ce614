"""Measure how much CPU extraction needs at least with its libraries, next to extraction itself and stock trafilatura.

    python -m benchmarks.floor_extraction [--set NAME|DIR] [--folds 0-3] [--rounds N]

One process runs all steps for each page, alternating: Presslake's extraction from the stored record to the values that a
worker returns, stock trafilatura on the page's text, and the libraries alone. A step's CPU is the minimum of its rounds. The
floor is a bound that no better code of Presslake can go below with these libraries, not a target: it reads no title, name or
date, and prunes, judges and writes nothing as markdown.
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
"""trafilatura's functions that Presslake calls for a text, in the modules where they are looked up."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A page as it is stored, and what the steps need from it."""

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
        """The text's words joined, and its single words and runs of words."""
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
    """Return the CPU of each step (ms per page)."""
    cases = [Case(page=page, record=record) for page, (_, record) in zip(pages, stored(pages), strict=True)]
    for case in cases:  # so that no step includes its inputs, or what is loaded at first use
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
    """Yield the CPU (s) of each step for a page; `turn` determines which runs first."""
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
    """Extract a page; returns the CPU (s) of trafilatura's functions, with and without Presslake's that call them."""
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
    """The CPU (s) of the watched functions; one that another calls is not counted twice."""

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
    """Print each step, its share of stock, and the sum of the libraries' steps."""
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
    parser.add_argument("--folds", type=folds_of, help="only these folds of a set that has folds")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pages = read_pages(SETS.get(options.set, Path(options.set)), folds=options.folds if options.set == "more" else None)
    if not pages:
        sys.exit(f"no pages in {options.set}")
    print_floor(measure(pages, rounds=options.rounds))


if __name__ == "__main__":
    main()
