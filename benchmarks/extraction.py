"""Compare Presslake's extraction with stock trafilatura, page by page in one process: accuracy and CPU.

    python -m benchmarks.extraction [--set NAME|DIR]... [--folds 0-3] [--rounds N] [--jobs N] [--ablation]

Each page is extracted by both, one right after the other, in alternating order, so that load affects both alike. A page's CPU
is its minimum over the rounds; a round covers all pages. Folds 0 to 3 are for development, fold 4 is only reported.
"""

import argparse
import gc
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import starmap
from pathlib import Path
from time import process_time

from trafilatura import bare_extraction

from benchmarks.intervals import area_under_curve, differences
from benchmarks.scoring import Answer, Score, score, summarise
from benchmarks.true_pages import FIXTURES, NEWSROOM, SETS, TruePage, read_pages
from tasks.config.options import NO_OPTIONS, ExtractOptions, PruneRule
from tasks.extract.article import extract_text
from tasks.extract.metadata import read_metadata
from tasks.extract.page import parse_page
from tasks.extract.page_type import classify_page, look_at

__all__ = ["FIXTURES", "NEWSROOM", "Extractor", "TruePage", "extract_ours", "extract_stock", "read_pages"]

NOW = datetime(2026, 12, 1, tzinfo=UTC)
COLUMNS = ("f1", "precision", "recall", "rouge_l", "exact", "leak", "title", "author", "date")
REPORTED_FOLD = 4
MIN_GAIN = 0.001
"""The change of a page's F1 above which it counts as better or worse."""
POOR, WRONG = 0.8, 0.5
"""F1 below which `quality` should flag a page; F1 below which the text is hardly the article."""

Extractor = Callable[[TruePage], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One extractor's results per page: score, CPU (ms) and its own estimate of quality."""

    scores: tuple[Score, ...]
    cpu_ms: tuple[float, ...]
    quality: tuple[float | None, ...]

    @property
    def mean_ms(self) -> float:
        return sum(self.cpu_ms) / len(self.cpu_ms)

    def of(self, chosen: Sequence[int]) -> "Measured":
        """Return the results of the chosen pages."""
        return Measured(
            scores=tuple(self.scores[at] for at in chosen),
            cpu_ms=tuple(self.cpu_ms[at] for at in chosen),
            quality=tuple(self.quality[at] for at in chosen),
        )


def extract_ours(page: TruePage, options: ExtractOptions = NO_OPTIONS) -> Answer:
    tree = parse_page(page.html, page.url)
    if tree is None:
        return Answer(text="")
    metadata = read_metadata(tree, now=NOW)
    facts = look_at(tree)
    found = extract_text(tree, metadata, options=options, has_markdown=True)
    classify_page(metadata, found.text, facts)
    day = metadata.published_at.date().isoformat() if metadata.published_at else None
    return Answer(
        text=found.text, title=metadata.title, authors=metadata.authors, published_on=day, quality=found.quality
    )


def extract_stock(page: TruePage) -> Answer:
    found = bare_extraction(page.html, url=page.url, with_metadata=True)
    if found is None or isinstance(found, dict):
        return Answer(text="")
    authors = (found.author,) if found.author else ()
    return Answer(text=found.text or "", title=found.title, authors=authors, published_on=found.date)


def measure(
    pages: Sequence[TruePage], extractors: Mapping[str, Extractor], *, rounds: int, jobs: int = 1
) -> dict[str, Measured]:
    """Measure all extractors on the same pages in alternating order; `jobs` processes share the pages.

    A round covers all pages before the next begins: a page read again at once would be half in the libraries' caches, while a sweep
    reads each page only once.
    """
    for extract in extractors.values():  # warm up: lazy imports are no page's cost
        extract(pages[0])
    gc.collect()
    gc.freeze()  # as the workers do
    if jobs > 1:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            turns = [_measure_round(pages, extractors, turn, pool.starmap) for turn in range(rounds)]
    else:
        turns = [_measure_round(pages, extractors, turn, starmap) for turn in range(rounds)]
    return {
        name: Measured(
            scores=tuple(row[name][0] for row in turns[0]),
            cpu_ms=tuple(min(row[name][1] for row in rows) for rows in zip(*turns, strict=True)),
            quality=tuple(row[name][2] for row in turns[0]),
        )
        for name in extractors
    }


_Row = dict[str, tuple[Score, float, float | None]]


def _measure_round(
    pages: Sequence[TruePage],
    extractors: Mapping[str, Extractor],
    turn: int,
    mapped: Callable[[Callable[[int, TruePage], _Row], Iterable[tuple[int, TruePage]]], Iterable[_Row]],
) -> list[_Row]:
    return list(mapped(partial(_measure_page, extractors=extractors), enumerate(pages, start=turn)))


def _measure_page(at: int, page: TruePage, *, extractors: Mapping[str, Extractor]) -> _Row:
    """Return each extractor's score, CPU and quality on one page; `at` selects which extractor runs first."""
    names = list(extractors)
    first = at % len(names)
    row: _Row = {}
    for name in names[first:] + names[:first]:
        started = process_time()
        found = extractors[name](page)
        spent_ms = 1000 * (process_time() - started)
        row[name] = (score(page.truth, found), spent_ms, found.quality)
    return row


def groups_of(pages: Sequence[TruePage]) -> dict[str, list[int]]:
    """Group the pages for reporting: development folds and the reported fold, each as a whole and by source."""
    groups: dict[str, list[int]] = {}
    for at, page in enumerate(pages):
        if page.fold is None:
            groups.setdefault("all", []).append(at)
            continue
        folds = f"fold {REPORTED_FOLD}" if page.fold == REPORTED_FOLD else f"folds 0-{REPORTED_FOLD - 1}"
        groups.setdefault(folds, []).append(at)
        groups.setdefault(f"{folds}, {page.source}", []).append(at)
    return dict(sorted(groups.items()))


def print_comparison(title: str, pages: Sequence[TruePage], measured: Mapping[str, Measured]) -> None:
    """Print both extractors' figures, and the difference with its 95% interval."""
    ours, stock = measured["presslake"], measured["stock"]
    _print_head(f"{title} ({len(pages)})")
    for name, one in measured.items():
        _print_row(name, one)
    gains = differences(ours.scores, stock.scores, [page.site for page in pages])
    for label, value in (("more by", "difference"), ("at least", "low"), ("at most", "high")):
        print(f"{label:<24}" + "".join(f"{getattr(gains[column], value):>+10.4f}" for column in COLUMNS))
    poor = [one.f1 < POOR for one in ours.scores]
    area = area_under_curve([quality or 0.0 for quality in ours.quality], is_bad=poor)
    print(
        f"CPU of Presslake to stock: {ours.mean_ms / stock.mean_ms:.2f}; F1 below {POOR}: {sum(poor)} pages,"
        f" of which quality knows (AUC) {'-' if area is None else f'{area:.3f}'}"
    )


def print_ablation(measured: Mapping[str, Measured]) -> None:
    """Print, for each rule, the change of accuracy and CPU without it."""
    whole = measured["presslake"]
    _print_head("without")
    for name, one in measured.items():
        _print_row(name, one)
    print(f"\n{'rule':<24} {'gives F1':>9} {'takes leak':>11} {'costs ms':>9} {'better':>7} {'worse':>6}")
    for name, one in measured.items():
        before, after = summarise(one.scores), summarise(whole.scores)
        gains = [b.f1 - a.f1 for a, b in zip(one.scores, whole.scores, strict=True)]
        better, worse = sum(gain > MIN_GAIN for gain in gains), sum(gain < -MIN_GAIN for gain in gains)
        f1, leaked, cost = after["f1"] - before["f1"], before["leak"] - after["leak"], whole.mean_ms - one.mean_ms
        print(f"{name:<24} {f1:>+9.4f} {leaked:>+11.4f} {cost:>+9.2f} {better:>7} {worse:>6}")


def _print_head(title: str) -> None:
    columns = "".join(f"{column:>10}" for column in COLUMNS)
    print(f"\n{title:<24}{columns}{f'F1 < {WRONG}':>10}{'CPU ms':>10}")


def _print_row(name: str, one: Measured) -> None:
    figures = summarise(one.scores)
    row = "".join(f"{figures[column]:>10.4f}" for column in COLUMNS)
    wrong = sum(page.f1 < WRONG for page in one.scores)
    print(f"{name:<24}{row}{wrong:>10}{one.mean_ms:>10.1f}", flush=True)


def _without(*names: PruneRule) -> Extractor:
    return partial(extract_ours, options=ExtractOptions(prune_without=names))


def folds_of(text: str) -> frozenset[int]:
    """Parse folds such as `0-3` or `4`."""
    first, _, last = text.partition("-")
    return frozenset(range(int(first), int(last or first) + 1))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", dest="sets", help=f"{', '.join(SETS)}, or a folder; all if not given")
    parser.add_argument("--folds", type=folds_of, help="only these folds of a set that has folds, such as 0-3")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--ablation", action="store_true")
    options = parser.parse_args()
    for name in options.sets or SETS:
        pages = read_pages(SETS.get(name, Path(name)), folds=options.folds if name == "more" else None)
        if not pages:
            sys.exit(f"no pages in {name}")
        if options.ablation:
            variants = {"presslake": extract_ours, **{rule.value: _without(rule) for rule in PruneRule}}
            variants["all"] = _without(*PruneRule)
            print_ablation(measure(pages, variants, rounds=options.rounds, jobs=options.jobs))
            continue
        pair = {"presslake": extract_ours, "stock": extract_stock}
        measured = measure(pages, pair, rounds=options.rounds, jobs=options.jobs)
        for title, chosen in groups_of(pages).items():
            part = {one: measured[one].of(chosen) for one in measured}
            print_comparison(f"{name} {title}", [pages[at] for at in chosen], part)


if __name__ == "__main__":
    main()
