"""Measure `presslake browse` on a lake of synthetic articles: median of 20 requests per kind of page, over HTTP on loopback.

    python -m benchmarks.browse [--articles 100000] [--folder PLACE]

The lake covers thirty days. Past days have packed files, as `maintain` leaves them; the last day has one file per batch.
`--folder` keeps the lake for later runs.
"""

import argparse
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import insert

from tasks.browse.app import browse_app
from tasks.browse.guard import Access, allowed_hosts
from tasks.browse.library import open_library
from tasks.browse.searching import search_of
from tasks.browse.serving import bound_socket
from tasks.config.settings import Settings
from tasks.index import articles, health
from tasks.index.articles import KnownArticle, article_id_of
from tasks.index.database import Transaction, bind_lake, open_index
from tasks.index.health import ArrivalDay, Tally, TallyKind
from tasks.index.outbox import OutboxItem
from tasks.index.schema import frontier
from tasks.index.statements import in_chunks
from tasks.lake.keys import warc_key
from tasks.lake.objects.stores import ObjectStore, S3Config, open_lake, open_store
from tasks.lake.warc import SegmentWriter
from tasks.search.searching import bring_up_to_date
from tasks.store.publishing import publish
from tasks.values.rows import Article, Capture
from tests.rows import make_article, make_capture

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAYS, SOURCES, BATCH, ANSWERS = 30, 200, 250, 20
PARAGRAPHS = 12
WORDS = [f"{first}{second}" for first in ("har", "win", "lan", "mea", "gla", "sta") for second in
         ("bour", "ter", "tern", "dow", "cier", "tion", "gate", "field", "brook", "stead")]  # fmt: skip


def main() -> None:
    """Fill the lake if necessary, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = asked.folder or Path(temporary)
        home.mkdir(exist_ok=True)
        settings = Settings(
            lake=str(home / "lake"), index=f"sqlite:///{home / 'index.db'}", search_index=home / "search",
            catalogue=home / "sources.yaml",
        )  # fmt: skip
        if not (home / "done").exists():
            began = time.monotonic()
            fill(home, asked.articles)
            bring_up_to_date(settings, on_step=lambda *_: None)
            (home / "done").touch()
            print(f"{asked.articles:,} articles made in {time.monotonic() - began:.0f} s")
        measure(settings, asked.articles)


def fill(home: Path, number: int) -> None:
    """Create the lake and its index."""
    store = open_store(str(home / "lake"), s3=S3Config(endpoint_url=None, region=None))
    lake_id = open_lake(store)
    sources = "\n".join(
        f"  - {{id: s{n}, home_url: 'https://s{n}.example/', tags: [t{n % 7}]}}" for n in range(SOURCES)
    )
    (home / "sources.yaml").write_text(f"sources:\n{sources}\n")
    with open_index(f"sqlite:///{home / 'index.db'}") as index:
        bind_lake(index, lake_id=lake_id, lake_uri=store.uri)
        a_day = number // DAYS
        for day in range(DAYS):
            size = BATCH if day == DAYS - 1 else a_day  # past days are packed
            for part, numbers in enumerate(in_chunks(list(range(day * a_day, (day + 1) * a_day)), size)):
                batch_id = f"d{day:02d}p{part:03d}"
                rows, captures = _rows(batch_id, numbers, store)
                item = OutboxItem(sequence=day * 1000 + part + 1, batch_id=batch_id, articles=rows, captures=captures)
                publish([item], store=store, index_id=index.index_id)
                with index.write() as tx:
                    articles.remember(tx, ((row, _known(row)) for row in rows))
                    tx.execute(insert(frontier), [_url(row) for row in rows])
        with index.write() as tx:
            _count(tx, number)


def _rows(batch_id: str, numbers: Sequence[int], store: ObjectStore) -> tuple[tuple[Article, ...], tuple[Capture, ...]]:
    made = [_row(n) for n in numbers]
    key = warc_key(batch_id, made[0].fetched_at.date())
    writer = SegmentWriter(key, software="benchmark", created_at=NOW)
    rows, captures = [], []
    for n, row in zip(numbers, made, strict=True):
        page = f"<html><title>{row.title}</title>" + "".join(f"<p>{one}</p>" for one in row.text.split("\n"))
        record = writer.add_exchange(
            url=row.url, request_head=b"", response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
            body=page.encode(), fetched_at=row.fetched_at,
        )  # fmt: skip
        place = {"warc_key": key, "warc_offset": record.offset, "warc_length": record.length}
        rows.append(_row(n, **place))
        captures.append(
            make_capture(capture_id=f"c{n}", url=row.url, final_url=row.url, url_key=row.url_key, source_id=row.source_id,
                         fetched_at=row.fetched_at, article_id=row.article_id, **place)
        )  # fmt: skip
    store.put(key, writer.to_bytes())
    return tuple(rows), tuple(captures)


def _row(n: int, **place: object) -> Article:
    chance = random.Random(n)
    key = f"s{n % SOURCES}.example/{n}"
    text = "\n".join(" ".join(chance.choices(WORDS, k=45)) + f" {n}." for _ in range(PARAGRAPHS))
    at = NOW - timedelta(days=DAYS) + timedelta(seconds=n * 25)
    story = n - n % 20 if n % 20 < 3 else n  # of every twenty articles, three share a story
    first = article_id_of(f"s{story % SOURCES}.example/{story}")
    return make_article(
        article_id=article_id_of(key), url=f"https://{key}", url_key=key, source_id=f"s{n % SOURCES}", host=f"s{n % SOURCES}.example",
        title=f"{' '.join(chance.choices(WORDS, k=7)).capitalize()} {n}", text=text, markdown=text.replace("\n", "\n\n"),
        word_count=len(text.split()), published_at=at, first_seen_at=at + timedelta(minutes=5),
        fetched_at=at + timedelta(minutes=5), text_digest=f"t1:{n}", cluster_id=first, is_representative=story == n,
        language=("en", "de", "fr", "es")[n % 4], cluster_earliest=first, **place,
    )  # fmt: skip


def _known(row: Article) -> KnownArticle:
    return KnownArticle(
        duplicate_of=None, **{name: getattr(row, name) for name in (
            "article_id", "source_id", "language", "title", "revision", "text_digest", "published_at", "first_seen_at",
            "fetched_at", "cluster_id", "is_representative",
        )},
    )  # fmt: skip


def _url(row: Article) -> dict[str, object]:
    """Return an article's frontier row; one in ten is that of a failed URL."""
    is_failed = int(row.text_digest.rpartition(":")[2]) % 10 == 0
    return {
        "url_key": row.url_key, "url": row.url, "host": row.host, "source_id": row.source_id, "priority": 0,
        "state": "dropped" if is_failed else "done", "due_at": NOW, "attempts": 1, "captured_at": row.fetched_at,
        "article_id": row.article_id, "outcome": "failed" if is_failed else "ok",
        "reason": "http_404" if is_failed else None, "discovered_at": row.first_seen_at, "shard": 1,
    }  # fmt: skip


def _count(tx: Transaction, number: int) -> None:
    an_hour = number // DAYS // SOURCES // 24 + 1
    days = [NOW.date() - timedelta(days=back) for back in range(DAYS)]
    ids = [f"s{n}" for n in range(SOURCES)]
    health.add_arrivals(
        tx, [ArrivalDay(source_id=one, day=day, hours=(an_hour,) * 24, newest_at=NOW) for one in ids for day in days]
    )
    health.add_tallies(
        tx,
        [
            Tally(source_id=one, day=day, kind=TallyKind.LOOK, what=what, number=an_hour * 24, last_at=NOW, run_id="r", run_number=0)
            for one in ids for day in days for what in ("new", "unchanged", "http_404")
        ],
    )  # fmt: skip


def measure(settings: Settings, number: int) -> None:
    """Request each kind of page, a different one each time if there are several, and print the medians."""
    chance = random.Random(1)
    own = [article_id_of(f"s{n % SOURCES}.example/{n}") for n in chance.sample(range(number), ANSWERS + 1)]
    some = [f"s{n}" for n in chance.sample(range(SOURCES), ANSWERS + 1)]
    days = [(NOW - timedelta(days=n % DAYS)).date() for n in range(ANSWERS + 1)]
    kinds = {
        "newest": ["/"] * (ANSWERS + 1),
        "newest of a source": [f"/?source={one}" for one in some],
        "newest of a tag": [f"/?tag=t{n % 7}" for n in range(ANSWERS + 1)],
        "newest of a language": ["/?language=de"] * (ANSWERS + 1),
        "newest of a day": [f"/?day={day}" for day in days],
        "an article": [f"/articles/{one}" for one in own],
        "its stored page": [f"/articles/{one}/revisions/1/page" for one in own],
        "its revisions": [f"/articles/{one}/revisions" for one in own],
        "stories": [f"/stories?day={day}" for day in days],
        "a story": [f"/stories/{one}" for one in own],
        "sources": ["/sources"] * (ANSWERS + 1),
        "a source": [f"/sources/{one}" for one in some],
        "failures": ["/failures"] * (ANSWERS + 1),
        "failures of a source": [f"/failures?source={one}" for one in some],
        "history of a URL": [
            f"/url?url=https://s{n % SOURCES}.example/{n}" for n in chance.sample(range(number), ANSWERS + 1)
        ],
        "search, a common word": ["/search?q=harbour"] * (ANSWERS + 1),
        "search, two words": [
            f"/search?q={first}+{WORDS[n]}" for n, first in enumerate(chance.sample(WORDS, ANSWERS + 1))
        ],
        "search, a rare word": [f"/search?q={n}" for n in chance.sample(range(number), ANSWERS + 1)],
    }
    with bound_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        app = browse_app(
            open_library(settings, search=search_of(settings)), Access(hosts=allowed_hosts(port)), clock=lambda: NOW
        )
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        print(
            f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; milliseconds, and those of CPU, asking included"
        )
        print(f"{'page':<24}{'first':>8}{'median':>8}{'slowest':>9}{'CPU':>7}{'kB':>7}")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=120) as client:
            for name, paths in kinds.items():
                taken, size, cpu_s = [], 0, time.process_time()
                for path in paths:
                    began = time.perf_counter()
                    answer = client.get(path)
                    taken.append(1000 * (time.perf_counter() - began))
                    assert answer.status_code == 200, (path, answer.status_code)
                    size = len(answer.content)
                middle, cpu_ms = statistics.median(taken[1:]), 1000 * (time.process_time() - cpu_s) / len(paths)
                figures = f"{taken[0]:>8.0f}{middle:>8.0f}{max(taken[1:]):>9.0f}{cpu_ms:>7.0f}{size / 1000:>7.0f}"
                print(f"{name:<24}{figures}", flush=True)
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
