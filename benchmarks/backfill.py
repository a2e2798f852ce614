"""Pages a CPU-second of a backfill beside bare trafilatura on the same pages, its counts, and its memory on a large file.

    python -m benchmarks.backfill [--records N] [--stock N] [--no-large]

The archive has the form of CC-NEWS: ten files, a third of the records no pages, each page a copy with sentences of its own,
one member damaged. Pages are the newsroom's, where it lies beside the checkout, else the demo's own. The command's
start-up and its reading of the archives count. Bare trafilatura (`bare_extraction` as it comes, with metadata) reads the
pages half before and half after.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from trafilatura import bare_extraction

from benchmarks.whole_run import COMMAND, NEWSROOM, Meter, metered
from examples.newsroom.pages import story_page
from examples.newsroom.server import Newsroom

FILES = 10
LARGE_SIZE = 2_000_000_000
BEGUN = datetime(2024, 1, 1, tzinfo=UTC)
LEAST_RATIO, MOST_MEMORY = 0.75, 600_000_000
_WORDS = "harbour council river bridge budget teacher station market winter library garden doctor ferry valley".split()


def pages() -> list[tuple[str, bytes]]:
    """The pages with their URLs."""
    if not NEWSROOM.is_dir():
        with Newsroom() as demo:
            return [
                (f"https://{outlet.id}.example/{number}", story_page(story, outlet, base_url=demo.base_url(outlet.id), edition=0).encode())
                for outlet in demo.outlets
                for number, story in enumerate(outlet.stories)
            ]  # fmt: skip
    rows = map(json.loads, (NEWSROOM / "pages/truth.jsonl").read_text().splitlines())
    return [(row["url"], gzip.decompress((NEWSROOM / "pages" / row["html_path"]).read_bytes())) for row in rows]


def copied(url: str, body: bytes, number: int) -> tuple[str, bytes]:
    """A copy of a page at a URL of its own, with sentences of its own behind its last paragraph."""
    chance = random.Random(number)
    own = " ".join(
        f"The {chance.choice(_WORDS)} near the {chance.choice(_WORDS)} was {chance.choice(_WORDS)} on day {chance.randrange(10_000)}."
        for _ in range(12)
    )
    longest = max(
        re.finditer(rb"<p\b[^>]*>.{1,20000}?</p>", body, re.DOTALL), key=lambda one: len(one[0]), default=None
    )
    if longest is not None:
        body = body[: longest.end()] + f"<p>{own}</p>".encode() + body[longest.end() :]
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    # what a page says of its own address would make all copies names of one article
    body = re.sub(rb"canonical|og:url", b"other", body)
    return f"{scheme}://{host}/copy-{number}/{path}", body


def record(url: str, at: datetime, block: bytes, kind: str = "response") -> bytes:
    """One gzip member, as crawlers write it."""
    name = hashlib.sha256(f"{url}{at}".encode()).hexdigest()
    fields = {
        "WARC-Type": kind,
        "WARC-Target-URI": url,
        "WARC-Date": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "WARC-Record-ID": f"<urn:uuid:{name[:8]}-{name[8:12]}-4{name[13:16]}-8{name[17:20]}-{name[20:32]}>",
        "WARC-Block-Digest": f"sha256:{hashlib.sha256(block).hexdigest()}",
        "Content-Type": "application/http; msgtype=response",
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    return gzip.compress(f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n", 4, mtime=0)


def response(body: bytes, mime: str = "text/html", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n\r\n".encode() + body


def other(number: int) -> bytes:
    """What is no page: a picture, a script's answer, an error."""
    picture = b"\xff\xd8\xff\xe0" + random.Random(number).randbytes(20_000)
    return (response(picture, "image/jpeg"), response(b'{"a": 1}', "application/json"), response(b"<html>", status="404 Not Found"))[number // 3 % 3]  # fmt: skip


def write_archives(folder: Path, records: int, stock: Sequence[tuple[str, bytes]]) -> int:
    """Write the ten files, a member of one damaged; returns how many pages can be read."""
    taken = 0
    for file in range(FILES):
        members = []
        for number in range(file * records // FILES, (file + 1) * records // FILES):
            at = BEGUN + timedelta(minutes=number)
            if number % 3 == 2:
                members.append(record(f"https://other.example/{number}", at, other(number)))
                continue
            url, body = copied(*stock[taken % len(stock)], number)
            members.append(record(url, at, response(body)))
            taken += 1
        if file == 3:
            middle = bytearray(members[0])  # its first record is a page
            middle[len(middle) // 2 : len(middle) // 2 + 16] = b"\xff" * 16
            members[0] = bytes(middle)
        (folder / f"CC-NEWS-{file:05}.warc.gz").write_bytes(b"".join(members))
    return taken - 1


def write_large(path: Path, stock: Sequence[tuple[str, bytes]]) -> int:
    """Write one file of 2 GB uncompressed, a tenth of it pages; returns how many."""
    size = paged = number = count = 0
    with path.open("wb") as file:
        while size < LARGE_SIZE:
            number += 1
            at = BEGUN + timedelta(minutes=number)
            if paged < size / 10:
                url, body = copied(*stock[count % len(stock)], number)
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


class PssMeter(Meter):
    """Counts memory that processes share once (proportional set size)."""

    def look(self) -> None:
        super().look()
        size = 0
        for one in [self.process, *self.process.children(recursive=True)]:
            try:
                size += one.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        self.pss_size = max(getattr(self, "pss_size", 0), size)


def run(folder: Path, place: Path) -> tuple[dict[str, Any], float, int]:
    """Take the archives in; returns the report, CPU seconds, and the peak of memory in bytes."""
    words = [COMMAND, "backfill", "warc", str(folder), "--source-from-host", "--lake", str(place / "lake"),
             "--index", f"sqlite:///{place / 'index.db'}", "--json", "--quiet"]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=place) as process:
        with metered(psutil.Process(process.pid), kind=PssMeter, every_s=0.5) as meter:
            out, _ = process.communicate()
        assert process.returncode == 0
    return json.loads(out.splitlines()[-1]), sum(meter.seconds().values()), meter.pss_size


def bare(stock: Sequence[tuple[str, bytes]]) -> float:
    """CPU seconds of bare trafilatura a page."""
    began = time.process_time()
    for url, body in stock:
        bare_extraction(body, url=url, with_metadata=True)
    return (time.process_time() - began) / len(stock)


def folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="presslake-backfill-") as name:
        for part in ("in", "place", "large", "other"):
            (Path(name) / part).mkdir()
        yield Path(name)


def compare(home: Path, records: int, stock: Sequence[tuple[str, bytes]], sample: Sequence[tuple[str, bytes]]) -> bool:
    """Take in ten files, print what came of them; returns whether counts and ratio are as they should be."""
    expected = write_archives(home / "in", records, stock)
    before = bare(sample)
    report, seconds, size = run(home / "in", home / "place")
    after = bare(sample)
    a_page, bare_page = seconds / report["pages"], (before + after) / 2
    ratio = bare_page / a_page
    print(
        f"{report['records']:,} records, {report['pages']:,} pages (expected {expected:,}), failed {report['failed']}"
    )
    print(f"articles {report['articles']}, skipped {report['skipped']}, quarantined {report['quarantined']}")
    print(
        f"backfill {1000 * a_page:.1f} ms of CPU a page, bare trafilatura {1000 * bare_page:.1f}: ratio {ratio:.2f} (at least {LEAST_RATIO})"
    )
    print(f"peak of memory {size / 1e6:.0f} MB, {os.cpu_count()} extraction processes among it", flush=True)
    return report["pages"] == expected and report["failed"] == {"damaged": 1} and ratio >= LEAST_RATIO


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--stock", type=int, default=150, help="pages that bare trafilatura reads before and after")
    parser.add_argument("--no-large", action="store_true")
    parser.add_argument("--only-large", action="store_true")
    asked = parser.parse_args()
    stock = pages()
    sample = [copied(*one, number) for number, one in enumerate(stock[: asked.stock])]
    is_well = True
    for home in folders():
        if not asked.only_large:
            is_well &= compare(home, asked.records, stock, sample)
        if not asked.no_large:
            count = write_large(home / "large" / "large.warc.gz", stock)
            report, seconds, size = run(home / "large", home / "other")
            is_well &= report["pages"] == count and size < MOST_MEMORY
            print(
                f"2 GB: {report['pages']} pages of {count}, {seconds:.0f} s of CPU, peak {size / 1e6:.0f} MB (below {MOST_MEMORY / 1e6:.0f})"
            )
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
