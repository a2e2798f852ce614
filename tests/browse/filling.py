"""Write a small lake and its index as sweeps do, with data for every page; texts from the web are hostile.

We wrote the texts. `NOW` is the time at which pages are requested.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import orjson
from sqlalchemy import insert

from tasks.index import articles, feeds, health, relations, runs
from tasks.index.articles import KnownArticle, article_id_of
from tasks.index.database import bind_lake, open_index
from tasks.index.feeds import FeedAddress, PollRecord
from tasks.index.health import ArrivalDay, Tally, TallyKind
from tasks.index.outbox import OutboxItem
from tasks.index.relations import Edge
from tasks.index.schema import frontier
from tasks.lake.keys import warc_key
from tasks.lake.objects.stores import S3Config, open_lake, open_store
from tasks.lake.warc import SegmentWriter
from tasks.store.publishing import publish
from tasks.values.feed import FeedKind
from tasks.values.rows import Article, Capture, Novelty, Outcome, Signal
from tasks.values.url import url_key
from tests.rows import make_article, make_capture

NOW = datetime(2026, 11, 29, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVIL = "<script>document.title='owned'</script>"
RIGHTS = (
    Signal(signal="content-signal", scope=EVIL, value="ai-train=n", raw=EVIL, policy_id="a" * 32),
    Signal(signal="robots-directive", scope="meta", value=EVIL, raw=EVIL, policy_id=None),
)


@dataclass(frozen=True, kw_only=True)
class Print:
    """One published revision. `story` is the slug of its story's first article, `of` the slug of the article it copies."""

    source: str
    slug: str
    title: str
    text: str
    published_at: datetime | None
    fetched_at: datetime
    revision: int = 1
    story: str = ""
    of: str = ""
    score: float = 1.0
    language: str = "en"
    section: str | None = None
    authors: tuple[str, ...] = ()
    lede: str | None = None
    changes: tuple[str, ...] | None = None
    html: str = ""
    quality: float = 0.97

    @property
    def url(self) -> str:
        return f"https://{self.source}.example/{self.slug}"

    @property
    def article_id(self) -> str:
        return article_id_of(url_key(self.url))

    @property
    def page(self) -> bytes:
        body = "".join(f"<p>{one}</p>" for one in self.text.split("\n"))
        made = (
            f"<!DOCTYPE html><html lang={self.language}><head><title>{self.title}</title><style>body{{max-width:38rem;"
            f"margin:0 auto;padding:1rem;font-family:Georgia,serif}}header{{border-bottom:3px double #444}}</style></head><body>"
            f"<header><strong>The {self.source.title()}</strong></header><h1>{self.title}</h1>{body}</body></html>"
        )
        return (self.html or made).encode()


@dataclass(frozen=True, kw_only=True)
class NoPrint:
    """A URL whose fetch gave no page."""

    source: str
    slug: str
    reason: str
    outcome: Outcome
    state: str
    status: int | None
    captured_at: datetime
    detail: str | None = None
    announced_title: str = "What the feed calls it"

    @property
    def url(self) -> str:
        return f"https://{self.source}.example/{self.slug}"


def fill(home: Path, prints: list[Print], no_prints: list[NoPrint], *, now: datetime = NOW) -> None:
    """Create `lake` and `index.db` in a folder, as sweeps of these pages would."""
    store = open_store(str(home / "lake"), s3=S3Config(endpoint_url=None, region=None))
    lake_id = open_lake(store)
    with open_index(f"sqlite:///{home / 'index.db'}") as index:
        bind_lake(index, lake_id=lake_id, lake_uri=store.uri)
        by_slug = {name: one for one in prints for name in (one.slug, f"{one.slug}#{one.revision}")}
        looks = sorted([*prints, *no_prints], key=_looked_at)
        for number, (day, several) in enumerate(groupby(looks, key=lambda one: _looked_at(one).date()), 1):
            batch_id = f"b{number}"
            writer = SegmentWriter(warc_key(batch_id, day), software="tests", created_at=now)
            captures, rows = [], []
            for look in several:
                capture, row = _rows(look, writer, warc_key(batch_id, day), by_slug)
                captures.append(capture)
                rows += row
            store.put(warc_key(batch_id, day), writer.to_bytes())
            item = OutboxItem(sequence=number, batch_id=batch_id, captures=tuple(captures), articles=tuple(rows))
            publish([item], store=store, index_id=index.index_id)
        with index.write() as tx:
            articles.remember(tx, (_known(one, prints, by_slug) for one in prints))
            relations.add_edges(tx, filter(None, (_edge(one, by_slug) for one in prints)), now=now)
            tx.execute(insert(frontier), [_frontier(one) for one in _latest(looks)])
            _count(tx, prints, no_prints, now)
            _know_feeds(tx, sorted({one.source for one in prints}), now)
            runs.begin_run(tx, run_id="20261129T102000Z-4f1c", now=now - timedelta(minutes=10))
            summary = {"fetched": 9, "articles": {"new": 4}, "failed": {"http_404": 1}, "seconds": 12.5}
            runs.end_run(
                tx,
                run_id="20261129T102000Z-4f1c",
                now=now - timedelta(minutes=9),
                summary=orjson.dumps(summary).decode(),
            )


def _looked_at(one: Print | NoPrint) -> datetime:
    return one.fetched_at if isinstance(one, Print) else one.captured_at


def _rows(
    one: Print | NoPrint, writer: SegmentWriter, key: str, by_slug: dict[str, Print]
) -> tuple[Capture, list[Article]]:
    if isinstance(one, NoPrint):
        return make_capture(
            capture_id=f"{one.source}-{one.slug}", source_id=one.source, url=one.url, final_url=one.url,
            url_key=url_key(one.url), fetched_at=one.captured_at, status=one.status, outcome=one.outcome, reason=one.reason,
            detail=one.detail, novelty=None, article_id=None, revision=None, warc_key=None, warc_offset=None,
            warc_length=None, payload_digest=None, payload_size=None,
        ), []  # fmt: skip
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    record = writer.add_exchange(
        url=one.url,
        request_head=b"GET / HTTP/1.1\r\n\r\n",
        response_head=head,
        body=one.page,
        fetched_at=one.fetched_at,
    )
    place = {"warc_key": key, "warc_offset": record.offset, "warc_length": record.length}
    shared = {
        "source_id": one.source, "url": one.url, "url_key": url_key(one.url), "fetched_at": one.fetched_at,
        "article_id": one.article_id, "revision": one.revision, "novelty": _novelty(one), **place,
    }  # fmt: skip
    first = by_slug[one.story or one.slug]
    row = make_article(
        **shared, host=f"{one.source}.example", title=one.title, text=one.text, lede=one.lede, authors=one.authors,
        published_at=one.published_at, language=one.language, section=one.section, word_count=len(one.text.split()),
        first_seen_at=_first_seen(one, by_slug), quality=one.quality, changes=one.changes, extracted_at=one.fetched_at,
        extractor="presslake/7 trafilatura/2.3.0 fast", cluster_id=first.article_id, cluster_earliest=first.article_id,
        is_representative=first.article_id == one.article_id, duplicate_of=by_slug[one.of].article_id if one.of else None,
        markdown=one.text.replace("\n", "\n\n"), source_tags=("local",), rights=RIGHTS,
    )  # fmt: skip
    capture = make_capture(
        capture_id=f"{one.source}-{one.slug}-{one.revision}", **shared, final_url=one.url, payload_size=len(one.page)
    )
    return capture, [row]


def _novelty(one: Print) -> Novelty:
    if one.revision > 1:
        return Novelty.REVISION
    return Novelty.NEAR_DUPLICATE if one.of and one.score < 1 else Novelty.DUPLICATE if one.of else Novelty.NEW


def _first_seen(one: Print, by_slug: dict[str, Print]) -> datetime:
    return one.fetched_at if one.revision == 1 else by_slug[f"{one.slug}#1"].fetched_at


def _known(one: Print, prints: list[Print], by_slug: dict[str, Print]) -> tuple[Article, KnownArticle]:
    newest = max((other for other in prints if other.url == one.url), key=lambda other: other.revision)
    oldest = min((other for other in prints if other.url == one.url), key=lambda other: other.revision)
    first = by_slug[newest.story or newest.slug]
    row = make_article(article_id=one.article_id, revision=newest.revision, url_key=url_key(one.url), url=one.url)
    return row, KnownArticle(
        article_id=one.article_id, source_id=one.source, language=one.language,
        title=newest.title, revision=newest.revision, text_digest=f"t1:{one.slug}", published_at=newest.published_at,
        first_seen_at=oldest.fetched_at, fetched_at=newest.fetched_at, cluster_id=first.article_id,
        duplicate_of=by_slug[one.of].article_id if one.of else None, is_representative=first.article_id == one.article_id,
    )  # fmt: skip


def _edge(one: Print, by_slug: dict[str, Print]) -> Edge | None:
    if not one.of or one.score >= 1:
        return None
    a, b = sorted((one.article_id, by_slug[one.of].article_id))
    return Edge(a=a, b=b, kind="near_duplicate", score=one.score)


def _latest(looks: list[Print | NoPrint]) -> list[Print | NoPrint]:
    return list({one.url: one for one in looks}.values())


def _frontier(one: Print | NoPrint) -> dict[str, object]:
    is_print = isinstance(one, Print)
    looked_at = _looked_at(one)
    return {
        "url_key": url_key(one.url), "url": one.url, "host": f"{one.source}.example", "source_id": one.source,
        "state": "done" if is_print else one.state, "priority": 0, "due_at": looked_at + 24 * HOUR, "attempts": 1,
        "captured_at": looked_at, "article_id": one.article_id if is_print else None,
        "outcome": "ok" if is_print else one.outcome.value, "reason": None if is_print else one.reason,
        "announced_by": f"https://{one.source}.example/feed.xml", "announced_title": one.title if is_print else one.announced_title,
        "discovered_at": looked_at - HOUR, "shard": 1,
    }  # fmt: skip


def _count(tx, prints: list[Print], no_prints: list[NoPrint], now: datetime) -> None:
    looks: Counter[tuple[str, object, str]] = Counter()
    hours: dict[tuple[str, object], list[int]] = {}
    for one in prints:
        looks[one.source, one.fetched_at.date(), _novelty(one).value] += 1
        at = one.published_at if one.published_at and one.published_at <= one.fetched_at else one.fetched_at
        if one.revision == 1:
            hours.setdefault((one.source, at.date()), [0] * 24)[at.hour] += 1
    for one in no_prints:
        looks[one.source, one.captured_at.date(), one.reason] += 1
    health.add_tallies(
        tx,
        [
            Tally(source_id=source, day=day, kind=TallyKind.LOOK, what=what, number=number, last_at=now - HOUR, run_id="r",
                  run_number=number)
            for (source, day, what), number in looks.items()
        ],
    )  # fmt: skip
    health.add_arrivals(
        tx,
        [
            ArrivalDay(source_id=source, day=day, hours=tuple(several), newest_at=now - HOUR)
            for (source, day), several in hours.items()
        ],
    )


def _know_feeds(tx, sources: list[str], now: datetime) -> None:
    urls = {source: f"https://{source}.example/feed.xml" for source in sources}
    feeds.add_feeds(
        tx, [FeedAddress(feed_url=url, source_id=source, kind=FeedKind.FEED) for source, url in urls.items()], now=now
    )
    feeds.record_polls(
        tx,
        [
            replace(
                PollRecord(
                    feed_url=url, due_at=now + HOUR, polled_at=now, interval_s=3600.0, failures=0, reason=None, entries=12,
                    etag=None, last_modified=None, body_digest=None,
                ),
                **({"failures": 4, "reason": "http_503", "entries": None} if number == 0 else {}),
            )
            for number, url in enumerate(urls.values())
        ],
    )  # fmt: skip
