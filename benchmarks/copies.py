"""Measure how well the deduplication stage finds copies, and keeps stories of one template apart.

A pair counts as found if the index has an edge between its articles, or has one as the other's duplicate.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.templates import Sample, edited_pairs, template_pairs
from tasks.deduplicate.deciding import decide_batch
from tasks.index import announcing
from tasks.index.announcing import Announcement
from tasks.index.articles import article_id_of
from tasks.index.database import Index
from tasks.index.schema import articles as articles_table
from tasks.index.schema import edges
from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.page import Page
from tasks.values.rows import Capture, Outcome, PageType
from tasks.values.url import Url

SHARED = Path(__file__).resolve().parents[1].parent / "shared/dedup"
BATCH = 200
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    name: str
    title: str
    text: str
    published_at: datetime
    host: str = "wire.example"

    @property
    def key(self) -> str:
        return f"{self.host}/{self.name}"


def batch_of(items: Sequence[Item], batch_id: str) -> Batch:
    """Return a batch as after fetching and extraction, made of texts."""
    return Batch(batch_id=batch_id, run_id="bench", looks=tuple(_look(item, items[-1].published_at) for item in items))


def _look(item: Item, extracted_at: datetime) -> Look:
    key = item.key
    url = Url.parse(f"https://{key}")
    due = DueUrl(url=url, url_key=key, host=item.host, source_id="wire", attempt=1)
    return Look(due=due, capture=_capture(item, url, key), page=_page(item), extracted_at=extracted_at)


def _capture(item: Item, url: str, key: str) -> Capture:
    return Capture(
        capture_id=item.name, source_id="wire", url=url, final_url=url, url_key=key, fetched_at=item.published_at,
        status=200, mime="text/html", charset="utf-8", payload_digest=f"sha256:{item.name}", payload_size=1,
        outcome=Outcome.OK, reason=None, detail=None, novelty=None, article_id=None, revision=None, warc_key="warc/x",
        warc_offset=0, warc_length=1, etag=None, last_modified=None, elapsed_ms=1, attempt=1, run_id="bench",
    )  # fmt: skip


def _page(item: Item) -> Page:
    return Page(
        page_type=PageType.ARTICLE, title=item.title, text=item.text, lede=None, authors=(),
        published_at=item.published_at, modified_at=None, language="en", section=None, tags=(), image_url=None,
        canonical_url=None, paywalled=None, tdm_reserved=None, word_count=len(item.text.split()), charset="utf-8",
        extractor="bench",
    )  # fmt: skip


def announce(index: Index, batch: Batch, now: datetime) -> None:
    urls = [
        Announcement(
            url=look.due.url, url_key=look.due.url_key, host=look.due.host, source_id="wire", announced_by="bench"
        )
        for look in batch.looks
    ]
    with index.write() as tx:
        announcing.announce(tx, urls, now=now)


def stream(index: Index, items: list[Item]) -> None:
    """Run the texts through the stage in order of publication."""
    items.sort(key=lambda item: (item.published_at, item.name))
    for number, start in enumerate(range(0, len(items), BATCH)):
        batch = batch_of(items[start : start + BATCH], f"b{number}")
        announce(index, batch, items[start].published_at)
        decide_batch(batch, index=index, now=items[start].published_at)


def measure_templates(index: Index) -> dict[str, Any]:
    """Stream pages of templates, each family on its own host; count the pairs mistaken for copies."""
    return _count_found(index, template_pairs(), host_of=lambda sample: f"{sample.name.rpartition('-')[0]}.example")


def measure_editions(index: Index) -> dict[str, Any]:
    """Stream stories and their edited copies, each on its own host; count the pairs found."""
    return _count_found(index, edited_pairs(), host_of=lambda sample: f"{sample.name}.example")


def _count_found(
    index: Index, pairs: Sequence[tuple[Sample, Sample]], *, host_of: Callable[[Sample], str]
) -> dict[str, Any]:
    samples = {one.name: one for pair in pairs for one in pair}
    items = {
        name: Item(name, one.title, one.text, NOW + timedelta(hours=place), host_of(one))
        for place, (name, one) in enumerate(samples.items())
    }
    stream(index, list(items.values()))
    by_edge, _ = _found(index)
    ids = {name: article_id_of(item.key) for name, item in items.items()}
    found = [(a.name, b.name) for a, b in pairs if frozenset((ids[a.name], ids[b.name])) in by_edge]
    return {"pairs": len(pairs), "found": len(found), "share": round(len(found) / len(pairs), 3), "which": found[:10]}


def measure_pairs(index: Index) -> dict[str, Any]:
    """Stream the labelled wire copy; return precision, recall and F1 of edges and of clusters."""
    with gzip.open(SHARED / "articles.jsonl.gz", "rt") as lines:
        items = [
            Item(row["id"], row["title"], row["text"], datetime.fromisoformat(row["published_at"]))
            for row in map(json.loads, lines)
        ]
    stream(index, items)
    by_edge, by_cluster = _found(index)
    pairs = [json.loads(line) for line in (SHARED / "pairs.jsonl").read_text().splitlines()]
    ids = {item.name: article_id_of(f"wire.example/{item.name}") for item in items}
    scores = {}
    for name, kept in (("all", pairs), ("hand", [pair for pair in pairs if pair["how"].startswith("hand")])):
        truth = [(ids[pair["a"]], ids[pair["b"]], pair["same"]) for pair in kept]
        scores[f"{name}, edges"] = _score([(frozenset((a, b)) in by_edge, same) for a, b, same in truth])
        scores[f"{name}, clusters"] = _score([(by_cluster[a] == by_cluster[b], same) for a, b, same in truth])
    return scores


def _found(index: Index) -> tuple[set[frozenset[str]], dict[str, str]]:
    with index.read() as tx:
        found = {frozenset((row.a, row.b)) for row in tx.execute(sa.select(edges.c.a, edges.c.b))}
        rows = tx.execute(
            sa.select(articles_table.c.article_id, articles_table.c.cluster_id, articles_table.c.duplicate_of)
        ).all()
    found |= {frozenset((row.article_id, row.duplicate_of)) for row in rows if row.duplicate_of}
    return found, {row.article_id: row.cluster_id for row in rows}


def _score(answers: Sequence[tuple[bool, bool]]) -> dict[str, float]:
    hits = sum(found and same for found, same in answers)
    found, same = sum(found for found, _ in answers), sum(same for _, same in answers)
    precision, recall = hits / max(found, 1), hits / max(same, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"pairs": len(answers), "precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)}
