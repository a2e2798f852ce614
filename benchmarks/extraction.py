"""Presslake's extraction beside stock trafilatura, page by page in one process: what it finds and what it costs.

    python -m benchmarks.extraction [--pages DIR] [--rounds N] [--ablation]

Each page is extracted by both, one straight after the other, with the first turn changing from page to page, so that a
loaded machine slows both alike. A page's CPU is the least of its rounds.
"""

import argparse
import gzip
import json
import random
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

from trafilatura import bare_extraction

from benchmarks.scoring import Answer, Score, score, summarise
from tasks.config.options import NO_OPTIONS, ExtractOptions, PruneRule
from tasks.extract.article import extract_text
from tasks.extract.metadata import read_metadata
from tasks.extract.page_type import classify_page, look_at
from tasks.extract.tree import parse_html

CHECKOUT = Path(__file__).resolve().parent.parent
NEWSROOM = CHECKOUT.parent / "shared" / "newsroom" / "pages"
FIXTURES = CHECKOUT / "tests" / "data" / "pages"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
COLUMNS = ("f1", "precision", "recall", "rouge_l", "exact", "leak", "title", "author", "date")
SPLIT_SEED = 7
MIN_GAIN = 0.001
"""A page's F1 must change by more to count as better or worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePage:
    """A page as decoded text, and what is in it."""

    name: str
    url: str
    html: str
    truth: Answer


Extractor = Callable[[TruePage], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one extractor did: its score and its CPU (milliseconds), page by page."""

    scores: tuple[Score, ...]
    cpu_ms: tuple[float, ...]

    @property
    def mean_ms(self) -> float:
        return sum(self.cpu_ms) / len(self.cpu_ms)


def extract_ours(page: TruePage, options: ExtractOptions = NO_OPTIONS) -> Answer:
    tree = parse_html(page.html)
    if tree is None:
        return Answer(text="")
    metadata = read_metadata(tree, url=page.url, now=NOW)
    facts = look_at(tree, url=page.url)
    text = extract_text(tree, metadata, url=page.url, options=options).text
    classify_page(metadata, text, facts)
    day = metadata.published_at.date().isoformat() if metadata.published_at else None
    return Answer(text=text, title=metadata.title, authors=metadata.authors, published_on=day)


def extract_stock(page: TruePage) -> Answer:
    found = bare_extraction(page.html, url=page.url, with_metadata=True)
    if found is None:
        return Answer(text="")
    authors = (found.author,) if found.author else ()
    return Answer(text=found.text or "", title=found.title, authors=authors, published_on=found.date)


def measure(pages: Sequence[TruePage], extractors: Mapping[str, Extractor], *, rounds: int) -> dict[str, Measured]:
    """Return what each extractor did on the same pages, taking turns page by page."""
    least: dict[str, list[float]] = {name: [float("inf")] * len(pages) for name in extractors}
    scores: dict[str, list[Score]] = {name: [] for name in extractors}
    turns = list(extractors)
    for extract in extractors.values():  # what is loaded at first use is no page's cost
        extract(pages[0])
    for turn in range(rounds):
        for at, page in enumerate(pages):
            turns.append(turns.pop(0))
            for name in turns:
                started = process_time()
                found = extractors[name](page)
                least[name][at] = min(least[name][at], 1000 * (process_time() - started))
                if turn == 0:
                    scores[name].append(score(page.truth, found))
    return {name: Measured(scores=tuple(scores[name]), cpu_ms=tuple(least[name])) for name in extractors}


def read_pages(folder: Path) -> list[TruePage]:
    """Return the pages of a folder: a `truth.jsonl` that names them, or pairs of `NAME.html` and `NAME.json`."""
    if (folder / "truth.jsonl").exists():
        lines = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        return [_true_page(row["id"], row, folder / row["html_path"]) for row in rows]
    pages = ((path, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json")))
    return [_true_page(path.stem, row, path.with_suffix(".html")) for path, row in pages if row.get("text")]


def _true_page(name: str, row: Mapping[str, Any], path: Path) -> TruePage:
    stored = path.read_bytes()
    html = gzip.decompress(stored) if stored.startswith(b"\x1f\x8b") else stored
    author = row.get("author") or ()
    return TruePage(
        name=name,
        url=row["url"],
        html=html.decode("utf-8", "replace"),
        truth=Answer(
            text=row["text"],
            title=row.get("title"),
            authors=(author,) if isinstance(author, str) else tuple(author),
            published_on=row.get("date"),
        ),
    )


def print_comparison(pages: Sequence[TruePage], measured: Mapping[str, Measured]) -> None:
    halves = list(range(len(pages)))
    random.Random(SPLIT_SEED).shuffle(halves)
    parts = {"all pages": halves, "half A": halves[: len(halves) // 2], "half B": halves[len(halves) // 2 :]}
    for title, chosen in parts.items():
        _print_head(f"{title} ({len(chosen)})")
        for name, one in measured.items():
            _print_row(name, [one.scores[at] for at in chosen], [one.cpu_ms[at] for at in chosen])
    print(f"\nCPU of Presslake to stock: {measured['presslake'].mean_ms / measured['stock'].mean_ms:.2f}")


def print_ablation(measured: Mapping[str, Measured]) -> None:
    """Print what is lost without each rule, and what its absence saves."""
    whole = measured["presslake"]
    _print_head("without")
    for name, one in measured.items():
        _print_row(name, one.scores, one.cpu_ms)
    print(f"\n{'rule':<24} {'gives F1':>9} {'takes leak':>11} {'costs ms':>9} {'better':>7} {'worse':>6}")
    for name, one in measured.items():
        before, after = summarise(one.scores), summarise(whole.scores)
        gains = [b.f1 - a.f1 for a, b in zip(one.scores, whole.scores, strict=True)]
        better, worse = sum(gain > MIN_GAIN for gain in gains), sum(gain < -MIN_GAIN for gain in gains)
        f1, leaked, cost = after["f1"] - before["f1"], before["leak"] - after["leak"], whole.mean_ms - one.mean_ms
        print(f"{name:<24} {f1:>+9.4f} {leaked:>+11.4f} {cost:>+9.2f} {better:>7} {worse:>6}")


def _print_head(title: str) -> None:
    print(f"\n{title:<24}" + "".join(f"{column:>10}" for column in COLUMNS) + f"{'CPU ms':>10}")


def _print_row(name: str, scores: Iterable[Score], cpu_ms: Sequence[float]) -> None:
    figures = summarise(list(scores))
    row = "".join(f"{figures[column]:>10.4f}" for column in COLUMNS)
    print(f"{name:<24}{row}{sum(cpu_ms) / len(cpu_ms):>10.1f}")


def _without(*names: PruneRule) -> Extractor:
    options = ExtractOptions(prune_without=names)
    return lambda page: extract_ours(page, options)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, default=NEWSROOM if NEWSROOM.exists() else FIXTURES)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ablation", action="store_true")
    options = parser.parse_args()
    pages = read_pages(options.pages)
    if not pages:
        sys.exit(f"no pages in {options.pages}")
    if not options.ablation:
        print_comparison(
            pages, measure(pages, {"presslake": extract_ours, "stock": extract_stock}, rounds=options.rounds)
        )
        return
    variants = {rule.value: _without(rule) for rule in PruneRule}
    nothing = _without(*PruneRule)
    print_ablation(measure(pages, {"presslake": extract_ours, **variants, "all": nothing}, rounds=options.rounds))


if __name__ == "__main__":
    main()
