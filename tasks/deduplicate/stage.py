"""The deduplicate stage: one transaction decides a batch: novelty, the frontier's rows, and what is to be published.

Asked again for a batch that is decided, it answers what was decided then and changes nothing (single failures were
shown the first time).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from tasks.deduplicate.judge import judge
from tasks.deduplicate.outlook import settle
from tasks.deduplicate.rows import article_row, known_after, report_of
from tasks.deduplicate.text_identity import text_digest
from tasks.index import articles, frontier, outbox
from tasks.index.articles import KnownArticle
from tasks.index.database import Index
from tasks.models import Article, BatchReport, Capture, DueUrl, ExtractedBatch, Novelty, Outcome


def decide_batch(extracted: ExtractedBatch, *, index: Index, now: datetime) -> BatchReport:
    """Decide a batch and commit the decisions; raises IndexUnavailable, and then nothing was decided."""
    batch = extracted.fetched.batch
    digests = {capture_id: text_digest(page.text) for capture_id, page in extracted.pages.items()}  # before the lock
    with index.write() as tx:
        if (decided := outbox.decided_counts(tx, batch.batch_id)) is not None:
            return BatchReport(**decided)
        ledger = _read_ledger(tx, extracted, digests)
        captures = tuple(_decide(capture, ledger, extracted, digests) for capture in extracted.captures)
        report = report_of(batch.batch_id, captures, extracted.dispositions)
        articles.remember(tx, (known_after(article) for article in ledger.new_rows))
        _settle(tx, extracted, captures, ledger.due, now=now)
        if captures:
            counts = asdict(replace(report, failures=()))
            outbox.append(
                tx,
                batch_id=batch.batch_id,
                run_id=batch.run_id,
                captures=captures,
                articles=ledger.new_rows,
                counts=counts,
                now=now,
            )
    return report


@dataclass(slots=True, kw_only=True)
class _Ledger:
    """What is known while a batch is decided; pages of one batch see each other."""

    due: Mapping[str, DueUrl]
    by_url_key: dict[str, KnownArticle]
    by_text: dict[str, KnownArticle]
    new_rows: list[Article] = field(default_factory=list)

    def enter(self, row: Article) -> None:
        """Make a new revision known to the pages that follow in the batch."""
        self.new_rows.append(row)
        known = known_after(row)
        self.by_url_key[row.url_key] = known
        self.by_text.setdefault(row.text_digest, known)


def _read_ledger(tx: Connection, extracted: ExtractedBatch, digests: Mapping[str, str]) -> _Ledger:
    return _Ledger(
        due={due.url_key: due for due in extracted.fetched.batch.urls},
        by_url_key=articles.find_by_url_key(tx, (capture.url_key for capture in extracted.captures)),
        by_text=articles.find_by_text(tx, digests.values()),
    )


def _decide(capture: Capture, ledger: _Ledger, extracted: ExtractedBatch, digests: Mapping[str, str]) -> Capture:
    """Return the capture with its verdict, and enter the new revision, if it is one, into the ledger."""
    known = ledger.by_url_key.get(capture.url_key)
    if capture.outcome is Outcome.NOT_MODIFIED:
        return (
            capture
            if known is None
            else replace(capture, novelty=Novelty.UNCHANGED, article_id=known.article_id, revision=known.revision)
        )
    page = extracted.pages.get(capture.capture_id)
    if capture.outcome is not Outcome.OK or page is None:
        return capture if known is None else replace(capture, article_id=known.article_id)
    digest = digests[capture.capture_id]
    verdict = judge(url_key=capture.url_key, text_digest=digest, known=known, twin=ledger.by_text.get(digest))
    if verdict.novelty is not Novelty.UNCHANGED:
        due = ledger.due[capture.url_key]
        row = article_row(
            due, capture, page, verdict, text_digest=digest, known=known, extracted_at=extracted.extracted_at
        )
        ledger.enter(row)
    return replace(
        capture, novelty=verdict.novelty, article_id=verdict.article_id, revision=verdict.revision, charset=page.charset
    )


def _settle(
    tx: Connection,
    extracted: ExtractedBatch,
    captures: tuple[Capture, ...],
    due: Mapping[str, DueUrl],
    *,
    now: datetime,
) -> None:
    settlements = [
        settle(
            capture,
            extracted.dispositions.get(capture.url_key),
            now=now,
            previous_digest=due[capture.url_key].payload_digest,
        )
        for capture in captures
    ]
    frontier.settle(tx, settlements)
    frontier.defer(tx, extracted.fetched.deferred)
