"""Measure search on a large lake: building the index, updating it, and queries.

    python -m benchmarks.search [--articles 100000] [--runs 20]

The articles are random words of five made-up languages with a Zipf-like frequency, 450 words on average. Each figure is
printed with the machine's load.
"""

import argparse
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from tasks.search.asking import Order, Period, SearchQuery
from tasks.search.folder import search_root
from tasks.search.searching import bring_up_to_date, search
from tests.lakes import Lake
from tests.rows import FETCHED_AT

BATCH = 5_000
WORDS, LENGTH = 60_000, 450
SYLLABLES = {
    "en": "an the er ing ton ly ma re co per sta li ver son ted",
    "de": "ung sch ein ver ge ber gen stadt los keit über mann fähr",
    "fr": "é tion le ment de que la eau ier ance con pré lé",
    "ru": "по на ре ство ный ка ли го ров ский ва те",
    "zh": " ".join(map(chr, range(0x4E00, 0x4E00 + 2_000))),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="presslake-search-") as folder:
        lake = Lake(Path(folder))
        rows, vocabulary = _articles(asked.articles + 100)
        for start in range(0, asked.articles, BATCH):
            lake.publish(*(next(rows) for _ in range(min(BATCH, asked.articles - start))))
        seconds, cpu = _timed(lambda: bring_up_to_date(lake.settings, on_step=_quietly))
        size = sum(path.stat().st_size for path in search_root(lake.settings).rglob("*") if path.is_file())
        _say(
            f"built: {asked.articles / seconds:,.0f} articles a second, {cpu / asked.articles * 1000:.2f} ms CPU each, "
            f"{size / 1e6:,.0f} MB"
        )
        lake.publish(*(next(rows) for _ in range(100)))
        seconds, cpu = _timed(lambda: bring_up_to_date(lake.settings, on_step=_quietly))
        _say(f"caught up with 100: {seconds:.2f} s, {cpu:.2f} s CPU")
        for name, query in _queries(vocabulary):
            _measure(name, query, lake, asked.runs)
        shutil.rmtree(search_root(lake.settings))


def _measure(name: str, query: SearchQuery, lake: Lake, runs: int) -> None:
    total = search(query, lake.settings, on_step=_quietly).total
    wall, cpu = zip(*(_timed(lambda: search(query, lake.settings, on_step=_quietly)) for _ in range(runs)), strict=True)
    worst, middle = max(wall) * 1000, statistics.median(wall) * 1000
    _say(
        f"{name} ({total:,} found): median {middle:.0f} ms, worst {worst:.0f}, CPU {statistics.median(cpu) * 1000:.0f}"
    )


def _queries(words: dict[str, list[str]]) -> Iterator[tuple[str, SearchQuery]]:
    common, rare = words["en"][3], words["en"][3_000]
    yield "a common word", SearchQuery(text=common)
    yield "a rare word", SearchQuery(text=rare)
    yield "two words and a phrase", SearchQuery(text=f'{words["en"][40]} "{common} {words["en"][0]}"')
    yield "a beginning", SearchQuery(text=f"{words['de'][500][:4]}*")
    yield "a word of Han", SearchQuery(text=words["zh"][30])
    yield "a common word, newest first", SearchQuery(text=common, order=Order.NEWEST)
    yield "a common word, by day", SearchQuery(text=common, by=Period.DAY)
    yield "everything of a source", SearchQuery(text="*", sources=("s7",), order=Order.NEWEST)


def _articles(number: int) -> tuple[Iterator[dict[str, object]], dict[str, list[str]]]:
    chance = random.Random(7)
    words = {language: _vocabulary(parts.split(), chance) for language, parts in SYLLABLES.items()}
    weights = [1 / (rank + 2.7) for rank in range(WORDS)]
    drawn = {language: chance.choices(every, weights, k=400_000) for language, every in words.items()}

    def rows() -> Iterator[dict[str, object]]:
        for n in range(number):
            language = list(SYLLABLES)[n % len(SYLLABLES)]
            length, start = chance.randint(LENGTH // 3, LENGTH * 5 // 3), chance.randrange(398_000)
            part = drawn[language][start : start + length]
            at = FETCHED_AT - timedelta(minutes=n)
            yield {
                "article_id": f"{n:032x}",
                "url": f"https://s{n % 50}.example/{n}",
                "url_key": f"s{n % 50}.example/{n}",
                "source_id": f"s{n % 50}",
                "language": language,
                "title": " ".join(part[:8]),
                "text": ("" if language == "zh" else " ").join(part),
                "fetched_at": at,
                "published_at": at,
            }

    return rows(), words


def _vocabulary(parts: list[str], chance: random.Random) -> list[str]:
    return ["".join(chance.choices(parts, k=2 if len(parts) > WORDS // 100 else 4)) for _ in range(WORDS)]


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    """Run a function; return its wall and CPU seconds."""
    begun, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - begun, time.process_time() - cpu


def _say(line: str) -> None:
    print(f"{line} (load {os.getloadavg()[0]:.1f})", flush=True)


def _quietly(*_: object) -> None:
    """Report no progress."""


if __name__ == "__main__":
    main()
