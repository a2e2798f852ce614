"""Complete, plausible rows of the lake's tables for tests; each field can be changed by name."""

from datetime import UTC, datetime

from tasks.index.outbox import OutboxItem
from tasks.values.rows import Article, Capture, Novelty, Outcome, PageType

FETCHED_AT = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)


def make_capture(**changes) -> Capture:
    return Capture(
        **{
            "capture_id": "c1",
            "source_id": "daily",
            "url": "https://daily.example/a",
            "final_url": "https://daily.example/a",
            "url_key": "daily.example/a",
            "fetched_at": FETCHED_AT,
            "status": 200,
            "mime": "text/html",
            "charset": "utf-8",
            "payload_digest": "sha256:00",
            "payload_size": 2048,
            "outcome": Outcome.OK,
            "reason": None,
            "detail": None,
            "novelty": Novelty.NEW,
            "article_id": "a1",
            "revision": 1,
            "warc_key": "warc/dt=2026-03-01/b1.warc.gz",
            "warc_offset": 300,
            "warc_length": 900,
            "etag": '"x"',
            "last_modified": None,
            "elapsed_ms": 87,
            "attempt": 1,
            "run_id": "r1",
            **changes,
        }
    )


def make_article(**changes) -> Article:
    return Article(
        **{
            "article_id": "a1",
            "revision": 1,
            "url": "https://daily.example/a",
            "canonical_url": None,
            "syndicated_from": None,
            "url_key": "daily.example/a",
            "source_id": "daily",
            "host": "daily.example",
            "title": "Harbour reopens",
            "text": "The harbour reopened on Monday.\nShips are back.",
            "lede": None,
            "authors": ("Ada Byron",),
            "published_at": datetime(2026, 3, 1, 6, tzinfo=UTC),
            "modified_at": None,
            "language": "en",
            "section": "Local",
            "tags": ("harbour", "ships"),
            "image_url": None,
            "word_count": 8,
            "page_type": PageType.ARTICLE,
            "paywalled": None,
            "tdm_reserved": False,
            "noarchive": None,
            "novelty": Novelty.NEW,
            "cluster_id": "k1",
            "is_representative": True,
            "cluster_size": 1,
            "cluster_earliest": "a1",
            "duplicate_of": None,
            "similarity": None,
            "first_seen_at": FETCHED_AT,
            "fetched_at": FETCHED_AT,
            "extracted_at": FETCHED_AT,
            "extractor": "presslake-1",
            "quality": 0.97,
            "text_digest": "1:sha256:00",
            "payload_digest": "sha256:00",
            "warc_key": "warc/dt=2026-03-01/b1.warc.gz",
            "warc_offset": 300,
            "warc_length": 900,
            **changes,
        }
    )


def make_item(sequence: int = 1, *, batch_id: str | None = None, rows: int = 2, **changes) -> OutboxItem:
    """A decided batch of captures, each with its article; `changes` apply to both kinds of row."""
    batch_id = batch_id or f"b{sequence}"
    names = [f"{batch_id}-{n}" for n in range(rows)]
    return OutboxItem(
        sequence=sequence,
        batch_id=batch_id,
        captures=tuple(make_capture(capture_id=name, article_id=name, **changes) for name in names),
        articles=tuple(make_article(article_id=name, **changes) for name in names),
    )
