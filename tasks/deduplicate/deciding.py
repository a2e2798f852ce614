"""The deduplicate stage: one transaction decides a batch: novelty, clusters, the frontier's rows, what is published.

Asked again for a batch that is decided, it answers what was decided then and changes nothing (single failures were
shown the first time).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tasks.deduplicate.context import DecisionContext, read_context
from tasks.deduplicate.days import days_of
from tasks.deduplicate.judge import judge
from tasks.deduplicate.prepared_page import PreparedPage
from tasks.deduplicate.quarantining import read_pages, without_culprits
from tasks.deduplicate.resemblance import told_at
from tasks.deduplicate.retry_policy import REVISIT_AFTER, next_look, settle
from tasks.deduplicate.rows import article_row, report_of
from tasks.deduplicate.tallies import arrivals_of, quarantined_of, tallies_of
from tasks.errors import UnexpectedError
from tasks.index import capture_counts, drift, frontier, health, outbox
from tasks.index.articles import KnownArticle
from tasks.index.database import Index
from tasks.runtime.guarding import guarded_item
from tasks.values.batch import ExtractedBatch
from tasks.values.reports import BatchReport
from tasks.values.rows import Article, Capture, Novelty, Outcome


def decide_batch(
    extracted: ExtractedBatch, *, index: Index, now: datetime, revisit_after: Sequence[timedelta] = REVISIT_AFTER
) -> BatchReport:
    """Decide a batch and commit the decisions; raises IndexUnavailable, and then nothing was decided.

    `revisit_after` are the ages at which a young article is looked at again.
    """
    extracted, prepared_pages = read_pages(extracted)  # all that is costly comes before the lock

    def decide(part: ExtractedBatch, tx: Connection) -> BatchReport:
        own = {one.capture_id: prepared_pages[one.capture_id] for one in part.captures if one.capture_id in part.pages}
        return _decide(part, own, tx, now=now, revisit_after=revisit_after)

    def rehearse(part: ExtractedBatch) -> None:
        with index.rehearse() as tx:
            decide(part, tx)

    try:
        with guarded_item(f"batch {extracted.fetched.batch.batch_id}"), index.write() as tx:
            return decide(extracted, tx)
    except UnexpectedError as error:
        # a statement that fails ends its transaction: who is to blame is found out in others
        extracted = without_culprits(extracted, error, rehearse)
    with index.write() as tx:
        return decide(extracted, tx)


def _decide(
    extracted: ExtractedBatch,
    prepared_pages: Mapping[str, PreparedPage],
    tx: Connection,
    *,
    now: datetime,
    revisit_after: Sequence[timedelta],
) -> BatchReport:
    batch = extracted.fetched.batch
    frontier.hold(tx, (due.url_key for due in batch.urls))
    if (decided := outbox.decided_counts(tx, batch.batch_id)) is not None:
        return BatchReport(**decided)
    context = read_context(tx, (one.url_key for one in extracted.captures), prepared_pages.values())
    captures = _decide_all(extracted, context, prepared_pages)
    rows = context.write(tx, context.finished_rows(), now=now)
    report = report_of(batch.batch_id, captures, extracted.dispositions, rows)
    _settle(tx, extracted, captures, context, now=now, revisit_after=revisit_after)
    drift.add_days(tx, days_of(extracted))
    if captures:
        counts = asdict(replace(report, failures=()))
        outbox.append(
            tx,
            batch_id=batch.batch_id,
            run_id=batch.run_id,
            captures=captures,
            articles=rows,
            counts=counts,
            now=now,
        )
        capture_counts.count_captures(tx, captures)
        health.add_tallies(tx, tallies_of(captures, rows, run_id=batch.run_id, now=now))
        health.add_arrivals(tx, arrivals_of(rows))
        health.note_quarantined(tx, quarantined_of(captures, batch_id=batch.batch_id))
    return report


def _decide_all(
    extracted: ExtractedBatch, context: DecisionContext, prepared_pages: Mapping[str, PreparedPage]
) -> tuple[Capture, ...]:
    """Decide the pages in the order of their own time, so that a copy follows what it is a copy of."""
    pages = [one for one in extracted.captures if one.capture_id in prepared_pages]
    pages.sort(key=lambda one: (prepared_pages[one.capture_id].told_at, one.url_key))
    decided = {one.capture_id: _decide_page(one, prepared_pages[one.capture_id], extracted, context) for one in pages}
    return tuple(decided.get(one.capture_id) or _decide_other(one, context) for one in extracted.captures)


def _decide_other(capture: Capture, context: DecisionContext) -> Capture:
    """Return a capture without a page, with the article that its URL has."""
    known = context.by_url_key.get(capture.url_key)
    if capture.outcome is Outcome.NOT_MODIFIED:
        known = known or context.by_url_key.get(context.aliases.get(capture.url_key, ""))
        return capture if known is None else _stamped(capture, Novelty.UNCHANGED, known)
    return capture if known is None else replace(capture, article_id=known.article_id)


def _decide_page(
    capture: Capture, prepared: PreparedPage, extracted: ExtractedBatch, context: DecisionContext
) -> Capture:
    """Return the capture with its verdict, and enter the new revision, if it is one, into the ledger."""
    capture = replace(capture, charset=extracted.pages[capture.capture_id].charset)
    known = context.by_url_key.get(capture.url_key)
    if known is None and (target := context.alias_target(prepared)) is not None:
        return _stamped(capture, Novelty.UNCHANGED, target)
    if known is not None and known.text_digest == prepared.text.digest:
        return _stamped(capture, Novelty.UNCHANGED, known)
    row = _new_revision(capture, prepared, extracted, context, known)
    return replace(capture, novelty=row.novelty, article_id=row.article_id, revision=row.revision)


def _new_revision(
    capture: Capture,
    prepared: PreparedPage,
    extracted: ExtractedBatch,
    context: DecisionContext,
    known: KnownArticle | None,
) -> Article:
    twin, matches = context.twin(prepared), context.matches(prepared)
    since = told_at(known.published_at, known.first_seen_at) if known else None
    verdict = judge(
        url_key=capture.url_key,
        text_digest=prepared.text.digest,
        known=known,
        twin=twin,
        # what was there first is no copy of its copies when it is revised
        matches=[one for one in matches if since is None or one.told_at < since],
    )
    row = article_row(
        next(due for due in extracted.fetched.batch.urls if due.url_key == capture.url_key),
        capture,
        extracted.pages[capture.capture_id],
        verdict,
        text_digest=prepared.text.digest,
        known=known,
        extracted_at=extracted.extracted_at,
    )
    context.enter(row, prepared, twin=twin, matches=matches)
    return row


def _stamped(capture: Capture, novelty: Novelty, known: KnownArticle) -> Capture:
    return replace(capture, novelty=novelty, article_id=known.article_id, revision=known.revision)


def _settle(
    tx: Connection,
    extracted: ExtractedBatch,
    captures: Sequence[Capture],
    context: DecisionContext,
    *,
    now: datetime,
    revisit_after: Sequence[timedelta],
) -> None:
    due = {one.url_key: one for one in extracted.fetched.batch.urls}
    by_id = {known.article_id: known for known in context.by_url_key.values()}
    settlements = []
    for capture in captures:
        known = by_id.get(capture.article_id or "")
        settlements.append(
            settle(
                capture,
                extracted.dispositions.get(capture.url_key),
                now=now,
                previous_digest=due[capture.url_key].payload_digest,
                look_again_at=next_look(known, now=now, revisit_after=revisit_after) if known else None,
            )
        )
    frontier.settle(tx, settlements)
    frontier.defer(tx, extracted.fetched.deferred)
