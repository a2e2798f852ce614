"""Measure a backfill: CPU per page against bare trafilatura on the same pages, outcome counts, and memory on a large file.

    python -m benchmarks.backfill [--records N] [--stock N] [--no-large]

The archives mimic CC-NEWS (benchmarks/cc_news.py): ten files, a third of the records not pages, each page a copy with unique
sentences, one member damaged. The expected outcome of each record is known. The CPU of the command's start-up and of reading
the archives is included. Bare trafilatura (`bare_extraction` with defaults and metadata) reads the same pages before and after.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
from trafilatura import bare_extraction

from benchmarks.cc_news import BEGUN, Stock, has_own, record, response, stock, write_archives
from benchmarks.whole_run import COMMAND, metered
from tasks.extract.page import extract_html
from tasks.lake.keys import ARTICLES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.reading import list_files, read_columns
from tasks.lake.tables import open_table
from tasks.values.page import Page

LARGE_SIZE = 2_000_000_000
LEAST_RATIO, MOST_MEMORY = 0.75, 600_000_000


def write_large(path: Path, pages: Sequence[Stock]) -> int:
    """Write one file of 2 GB uncompressed, a tenth of it pages; return the number of pages."""
    size = paged = number = count = 0
    with path.open("wb") as file:
        while size < LARGE_SIZE:
            number += 1
            at = BEGUN + timedelta(minutes=number)
            if paged < size / 10:
                url, body = pages[count % len(pages)].copy(number)
                file.write(record(url, at, response(body)))
                paged, count = paged + len(body), count + 1
            else:
                chance = random.Random(number)
                body = (
                    b"\x00\x00\x00\x18ftyp" + chance.randbytes(60_000) + b"0" * chance.randrange(2_000_000, 9_000_000)
                )
                file.write(record(f"https://films.example/{number}", at, response(body, "video/mp4")))
            size += len(body)
    return count


def run(folder: Path, place: Path) -> tuple[dict[str, Any], Counter[str], Counter[str]]:
    """Run the backfill; return its report and, per kind of process, CPU seconds and peak memory in bytes."""
    words = [COMMAND, "backfill", "warc", str(folder), "--source-from-host", "--lake", str(place / "lake"),
             "--index", f"sqlite:///{place / 'index.db'}", "--json", "--quiet"]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=place) as process:
        with metered(psutil.Process(process.pid)) as meter:
            out, _ = process.communicate()
        assert process.returncode == 0
    return json.loads(out.splitlines()[-1]), meter.seconds(), meter.peak_sizes


def bare(sample: Sequence[tuple[str, bytes]]) -> float:
    """Return the CPU seconds per page of bare trafilatura."""
    began = time.process_time()
    for url, body in sample:
        bare_extraction(body, url=url, with_metadata=True)
    return (time.process_time() - began) / len(sample)


def certain(pages: Iterable[Stock]) -> list[Stock]:
    """Return the pages whose copies have a certain outcome: their unique sentences are extracted, and no paywall is found."""
    return [one for one in pages if _is_certain(_page(*one.copy(0)), one.own(0))]


def _page(url: str, body: bytes) -> Page:
    return extract_html(body.decode("utf-8", "replace"), url, fetched_at=BEGUN)


def _is_certain(page: Page, own: str) -> bool:
    return has_own(page.text, own) and page.paywalled is not True


def count_own(lake: Path, owns: Mapping[str, str]) -> int:
    """Count the copies stored as articles that contain their unique sentences."""
    store = DirectoryStore(lake)
    files = list_files(open_table(store, ARTICLES), ARTICLES)
    rows = (row for file in files for row in read_columns(store, file, ("url", "text")).to_pylist())
    return len({row["url"] for row in rows if row["url"] in owns and has_own(row["text"], owns[row["url"]])})


def folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="presslake-backfill-") as name:
        for part in ("in", "place", "large", "other"):
            (Path(name) / part).mkdir()
        yield Path(name)


def compare(home: Path, records: int, pages: Sequence[Stock], sample: int) -> bool:
    """Backfill ten files and print the results; return whether counts and CPU ratio meet the expectations."""
    written = write_archives(home / "in", records, pages)
    measured = [one.copy(number) for number, one in enumerate(pages[:sample])]
    before = bare(measured)
    report, seconds, sizes = run(home / "in", home / "place")
    after = bare(measured)
    a_page, bare_page = seconds.total() / report["pages"], (before + after) / 2
    ratio = bare_page / a_page
    expected = {
        "records": records - written.damaged,
        "pages": len(written.owns),
        "articles": len(written.owns),
        "of their own": len(written.owns),
        "no pages": written.skipped,
        "failed": {"damaged": written.damaged},
    }
    found = {
        "records": report["records"],
        "pages": report["pages"],
        "articles": sum(report["articles"][name] for name in ("new", "near_duplicate", "excerpt")),
        "of their own": count_own(home / "place" / "lake", written.owns),
        "no pages": report["skipped"],
        "failed": report["failed"],
    }
    for name, number in expected.items():
        print(f"{name}: {found[name]}, expected {number}")
    print({kind: f"{1000 * spent / report['pages']:.1f} ms of CPU a page" for kind, spent in seconds.items()})
    print(f"articles {report['articles']}, quarantined {report['quarantined']}")
    print(
        f"backfill {1000 * a_page:.1f} ms of CPU a page, bare trafilatura {1000 * bare_page:.1f}: ratio {ratio:.2f} (at least {LEAST_RATIO})"
    )
    print(
        f"peak of memory {sizes.total() / 1e6:.0f} MB, of it extraction {sizes['extraction'] / 1e6:.0f}, load {os.getloadavg()[0]:.0f}",
        flush=True,
    )
    return found == expected and ratio >= LEAST_RATIO


def take_large(home: Path, pages: Sequence[Stock]) -> bool:
    """Backfill a large file; return whether its page count and peak memory meet the expectations."""
    count = write_large(home / "large" / "large.warc.gz", pages)
    report, seconds, sizes = run(home / "large", home / "other")
    print(
        f"2 GB: {report['pages']} pages of {count}, {seconds.total():.0f} s of CPU, peak {sizes.total() / 1e6:.0f} MB (below {MOST_MEMORY / 1e6:.0f})"
    )
    return report["pages"] == count and sizes.total() < MOST_MEMORY


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--stock", type=int, default=150, help="pages that bare trafilatura reads before and after")
    parser.add_argument("--no-large", action="store_true")
    parser.add_argument("--only-large", action="store_true")
    asked = parser.parse_args()
    every = stock()
    pages = certain(every)
    print(
        f"{len(pages)} stock pages; left out, since their copies may become something else: {len(every) - len(pages)}",
        flush=True,
    )
    is_well = True
    for home in folders():
        if not asked.only_large:
            is_well &= compare(home, asked.records, pages, asked.stock)
        if not asked.no_large:
            is_well &= take_large(home, pages)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
