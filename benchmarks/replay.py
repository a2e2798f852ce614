"""Measure a replay with unchanged rules: its CPU against extraction alone, and that it changes nothing.

    python -m benchmarks.replay [--captures N] [--rounds N]

Both read the same stored pages in this process, alternating, so that load affects both alike; start-up is excluded. Each page
has unique sentences. The ratio compares the minimum CPU of each.
"""

import argparse
import re
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice
from pathlib import Path
from time import process_time

from benchmarks.extraction import FIXTURES, TruePage, read_pages
from tasks.deduplicate.deciding import decide_batch
from tasks.errors import ItemError
from tasks.extract.extraction import extract_batch
from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig, NamedPage, StoredPage
from tasks.index.articles import article_id_of
from tasks.index.database import Index, bind_lake, open_index
from tasks.lake.keys import ARTICLES, CAPTURES, warc_key
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.lake.tables import open_table
from tasks.lake.warc import SegmentWriter
from tasks.replay.config import ReplayConfig
from tasks.replay.replaying import ReplayContext, replay
from tasks.store.publishing import publish_all
from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.page import Page
from tasks.values.rows import Capture, Outcome
from tasks.values.url import Url, host_of, url_key

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BATCH = 200
MOST = 1.25
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"


class Inline:
    """Extraction in this process, so that its CPU time covers everything."""

    def extract(self, pages: Iterable[NamedPage]) -> Iterator[tuple[str, Page | ItemError]]:
        for _, page in pages:
            try:
                yield page.capture_id, extract_page(page, ExtractConfig())
            except ItemError as error:
                yield page.capture_id, error


def main() -> None:
    """Measure and print; exit with 1 if the bound is exceeded or a table changes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_index(f"sqlite:///{folder}/index.db") as index:
        store = DirectoryStore(Path(folder))
        bind_lake(index, lake_id=open_lake(store), lake_uri=store.uri)
        pages = list(_fill(index, store, chosen.captures))
        versions = _versions(store)
        context = ReplayContext(
            index=index, store=store, pool=Inline(), workers=1, sources={}, revisit_after=(), now=lambda: NOW
        )
        list(Inline().extract(pages[:200]))  # warm
        alone, whole = [], []
        for _ in range(chosen.rounds):
            alone.append(_cpu_of_extraction(pages))
            begun = process_time()
            report = replay(ReplayConfig(dry_run=False), context, on_step=lambda *_: None)
            whole.append(process_time() - begun)
            print(
                f"{report.pages:,} pages, {report.same:,} same; CPU {alone[-1]:.1f} s extracted alone, {whole[-1]:.1f} s replayed"
            )
        after = _versions(store)
    ratio = min(whole) / min(alone)
    is_unchanged = report.same == report.pages and after == versions
    print(f"ratio {ratio:.3f} (at most {MOST}); versions of the tables before and after: {versions}, {after}")
    if ratio > MOST or not is_unchanged:
        raise SystemExit(1)


def _cpu_of_extraction(pages: list[NamedPage]) -> float:
    begun = process_time()
    for _ in Inline().extract(pages):
        pass
    return process_time() - begun


def _versions(store: DirectoryStore) -> list[int]:
    return [open_table(store, name).version() for name in (ARTICLES, CAPTURES)]


def _fill(index: Index, store: DirectoryStore, number: int) -> Iterator[NamedPage]:
    """Store `number` captures as a sweep does, and yield their pages."""
    made = islice(zip(count(), cycle(read_pages(FIXTURES))), number)
    for batch_number in range((number + BATCH - 1) // BATCH):
        batch_id = f"b{batch_number:05}"
        key = warc_key(batch_id, NOW.date())
        writer = SegmentWriter(key, software="benchmark", created_at=NOW)
        looks = [_look(page, n, writer, key) for n, page in islice(made, BATCH)]
        store.put(key, writer.to_bytes())
        batch = Batch(batch_id=batch_id, run_id="r", looks=tuple(looks))
        done = extract_batch(batch, pool=Inline(), read_segment=store.get, now=NOW, extracted_one=lambda: None)
        decide_batch(done, index=index, now=NOW)
        publish_all(index, store)
        segment = writer.to_bytes()
        for look in looks:
            one = look.captured
            start = one.warc_offset or 0
            record = segment[start : start + (one.warc_length or 0)]
            yield look.due.url, StoredPage(capture_id=one.capture_id, fetched_at=one.fetched_at, record=record)


def _look(page: TruePage, number: int, writer: SegmentWriter, key: str) -> Look:
    url = Url.of(f"https://site-{number % 40}.example/{number}/{page.name}.html")
    at = NOW + timedelta(milliseconds=number)
    html = _of_its_own(page.html, number)
    ref = writer.add_exchange(
        url=url, request_head=b"", response_head=HEAD, body=html.encode("utf-8", "replace"), fetched_at=at
    )
    capture = Capture(
        capture_id=uuid.uuid5(uuid.NAMESPACE_URL, url).hex,
        source_id=f"site-{number % 40}",
        url=url,
        final_url=url,
        url_key=url_key(url),
        fetched_at=at,
        status=200,
        mime="text/html",
        charset=None,
        payload_digest=ref.payload_digest,
        payload_size=len(html),
        outcome=Outcome.OK,
        reason=None,
        detail=None,
        novelty=None,
        article_id=None,
        revision=None,
        warc_key=key,
        warc_offset=ref.offset,
        warc_length=ref.length,
        etag=None,
        last_modified=None,
        elapsed_ms=10,
        attempt=1,
        run_id="r",
    )
    due = DueUrl(url=url, url_key=capture.url_key, host=host_of(url), source_id=capture.source_id, attempt=1)
    return replace(Look(due=due), capture=capture)


def _of_its_own(html: str, number: int) -> str:
    """Return a page with unique words in each paragraph, so that it is no copy of another."""
    words = article_id_of(str(number))
    own = " ".join(words[at : at + 4] for at in range(0, 32, 4))
    return re.sub(r"</p>", lambda _: f" {own}.</p>", html)


if __name__ == "__main__":
    main()
