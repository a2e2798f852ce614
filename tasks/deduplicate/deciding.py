"""The deduplicate stage: one transaction decides a batch: novelty, clusters, the frontier's rows, what is published.

Asked again for a batch that is decided, it answers what was decided then and changes nothing (single failures were
shown the first time).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from tasks.config.catalogue import SourceRules
from tasks.deduplicate.archive import Archive
from tasks.deduplicate.context import DecisionContext, lock_scripts, read_context
from tasks.deduplicate.corrections import Standing, restated_of, stand
from tasks.deduplicate.days import Read, days_of
from tasks.deduplicate.judge import judge
from tasks.deduplicate.looks import article_row, labelled, prepare_pages, report_of, settle, with_taken
from tasks.deduplicate.neighbours import Comparisons, TooManyComparisons
from tasks.deduplicate.resemblance import article_time
from tasks.deduplicate.restating import restate
from tasks.deduplicate.retry_policy import REVISIT_AFTER, STATES, next_look
from tasks.deduplicate.tallies import Arrival, Looked, arrivals_of, quarantined_of, tallies_of
from tasks.errors import ItemError, TooManyUnexpected, UnexpectedError
from tasks.index import archived, capture_counts, drift, frontier, health, outbox, policies, taken_down
from tasks.index.archived import Shelved
from tasks.index.articles import KnownArticle, article_id_of
from tasks.index.database import Index, Transaction
from tasks.index.frontier import Settlement, State
from tasks.runtime.guarding import check_share, guarded_item, store_rows
from tasks.values.batch import Batch
from tasks.values.look import Look
from tasks.values.page import Page, PreparedPage
from tasks.values.reports import BatchReport
from tasks.values.rows import Article, Capture, Novelty, Outcome
from tasks.values.takedown import KeptOut

NO_RULES: Mapping[str, SourceRules] = MappingProxyType({})


def decide_batch(
    batch: Batch,
    *,
    index: Index,
    now: datetime,
    revisit_after: Sequence[timedelta] = REVISIT_AFTER,
    archive: Archive | None = None,
    rules: Mapping[str, SourceRules] = NO_RULES,
) -> BatchReport:
    """Decide a batch and commit the decisions; raises IndexUnavailable, LakeUnavailable, and then nothing was decided.

    `revisit_after` are the ages at which a young article is looked at again. The `archive` is asked what is stored of an
    article where the index does not know it, or other rules made it; without one the words alone decide there. `rules` are the
    sources', by id.
    """
    batch = prepare_pages(batch)  # all that is costly comes before the lock
    if archive is not None:
        batch = restate(batch, index=index, archive=archive)

    comparisons = Comparisons()
    decide = partial(_decide, now=now, revisit_after=revisit_after, rules=rules, comparisons=comparisons)

    def rehearse(part: Batch) -> None:
        with index.rehearse() as tx:
            decide(part, tx)

    try:
        with guarded_item(f"batch {batch.batch_id}"):
            return _decide_in_lock(batch, index, decide, comparisons)
    except UnexpectedError as error:
        # a statement that fails ends its transaction: who is to blame is found out in others
        comparisons.left = None
        batch = without_culprits(batch, error, rehearse)
    with index.write() as tx:
        return decide(batch, tx)


def _decide_in_lock(
    batch: Batch, index: Index, decide: Callable[[Batch, Transaction], BatchReport], comparisons: Comparisons
) -> BatchReport:
    """Decide with the index locked; where much is to be compared, compare it before, so that the lock is short."""
    try:
        with index.write() as tx:
            return decide(batch, tx)
    except TooManyComparisons:
        comparisons.left = None
    with index.read() as tx:
        _decide_all(batch.captured, _context_of(batch.captured, tx, comparisons))
    with index.write() as tx:
        return decide(batch, tx)


def _decide(
    batch: Batch,
    tx: Transaction,
    *,
    now: datetime,
    revisit_after: Sequence[timedelta],
    rules: Mapping[str, SourceRules],
    comparisons: Comparisons,
) -> BatchReport:
    frontier.hold(tx, (look.due.url_key for look in batch.looks))
    if (decided := outbox.decided_counts(tx, batch.batch_id)) is not None:
        return BatchReport(**decided)
    looks, taken = without_taken(_not_archived_yet(tx, batch.captured), taken_down.read_kept_out(tx))
    lock_scripts(tx, _pages_of(looks))
    context = _context_of(looks, tx, comparisons)
    looks = _decide_all(looks, context)
    rows = context.write(tx, labelled(context.finished_rows(), rules), now=now)
    report = with_taken(report_of(batch.batch_id, looks, rows), taken)
    fetched = [look for look in looks if not look.captured.is_archived]
    _settle(tx, fetched, context, now=now, revisit_after=revisit_after)
    _take_in(tx, [look for look in looks if look.captured.is_archived])
    frontier.defer(tx, {look.due.url_key: look.deferred_until for look in batch.looks if look.deferred_until})
    drift.add_days(tx, days_of(_read(look.captured, look.page) for look in fetched))
    if looks:
        _publish_later(tx, replace(batch, looks=looks), rows, report, now=now)
    return report


def _pages_of(looks: Sequence[Look]) -> list[PreparedPage]:
    return [look.prepared for look in looks if look.prepared is not None]


def _context_of(looks: Sequence[Look], tx: Transaction, comparisons: Comparisons) -> DecisionContext:
    return read_context(tx, (look.due.url_key for look in looks), _pages_of(looks), comparisons)


def _publish_later(
    tx: Transaction, batch: Batch, rows: Sequence[Article], report: BatchReport, *, now: datetime
) -> None:
    """Put a decided batch into the outbox, and count its results: what an archive has says nothing of a source's health."""
    captures = batch.captures
    outbox.append(
        tx,
        batch_id=batch.batch_id,
        run_id=batch.run_id,
        captures=captures,
        articles=rows,
        policies=policies.remember(tx, batch.policies),
        counts=asdict(replace(report, failures=())),
        now=now,
    )
    fetched = [one for one in captures if not one.is_archived]
    capture_counts.count_captures(tx, (one.counted for one in fetched))
    new = (row for row in rows if row.revision == 1 and row.origin_uri is None)
    arrivals = [Arrival(row.source_id, row.published_at, row.first_seen_at) for row in new]
    looks = [Looked(one.source_id, one.fetched_at, one.came_to) for one in fetched]
    health.add_tallies(tx, tallies_of(looks, arrivals, run_id=batch.run_id, now=now))
    health.add_arrivals(tx, arrivals_of(arrivals))
    apart = ((number, one) for number, one in enumerate(captures) if one.outcome is Outcome.QUARANTINED)
    health.note_quarantined(tx, quarantined_of(apart, batch_id=batch.batch_id))


def _not_archived_yet(tx: Transaction, looks: Sequence[Look]) -> tuple[Look, ...]:
    """Leave out records of archives that were taken in before, or twice in the batch."""
    taken = archived.find_archived(tx, (look.captured.capture_id for look in looks if look.captured.is_archived))
    left: dict[str, Look] = {}
    for look in looks:
        if look.captured.capture_id not in taken:
            left.setdefault(look.captured.capture_id, look)
    return tuple(left.values())


def without_taken(looks: Sequence[Look], kept_out: KeptOut) -> tuple[tuple[Look, ...], int]:
    """Return the looks without those at what was taken down while they were being fetched, and the number of those.

    A look at another URL that leads there stays, without anything of what it found.
    """
    if not kept_out:
        return tuple(looks), 0
    left = [look for look in looks if not look.is_kept_out(kept_out)]
    kept = tuple(look.emptied() if any(map(kept_out.has_url, look.names)) else look for look in left)
    return kept, len(looks) - len(kept)


def _take_in(tx: Transaction, looks: Sequence[Look]) -> None:
    """Remember the records of archives, and their URLs where the frontier does not know them."""
    archived.note_archived(tx, (look.captured.capture_id for look in looks))
    archived.shelve(tx, [Shelved(due=look.due, capture=look.captured, state=_shelf(look)) for look in looks])


def _shelf(look: Look) -> State:
    return State.DONE if look.disposition is None else STATES[look.disposition]


def _decide_all(looks: Sequence[Look], context: DecisionContext) -> tuple[Look, ...]:
    """Decide the pages in the order of their own time, so that a copy follows what it is a copy of; then the rest."""
    pages = [(page, number) for number, look in enumerate(looks) if (page := look.prepared) is not None]
    pages.sort(key=lambda one: (one[0].told_at, looks[one[1]].due.url_key))
    decided = {number: _decide_page(looks[number], page, context) for page, number in pages}
    context.neighbours.pack_up()
    return tuple(decided.get(number) or _decide_other(look, context) for number, look in enumerate(looks))


def _decide_other(look: Look, context: DecisionContext) -> Look:
    """Return a look without a page, with the article that its URL has."""
    known = context.by_url_key.get(look.due.url_key)
    if look.captured.outcome is Outcome.NOT_MODIFIED:
        known = known or context.by_url_key.get(context.aliases.get(look.due.url_key, ""))
        return look if known is None else _stamped(look, Novelty.UNCHANGED, known)
    return look if known is None else replace(look, capture=replace(look.captured, article_id=known.article_id))


def _decide_page(look: Look, page: PreparedPage, context: DecisionContext) -> Look:
    """Return the look with its verdict, and enter the new revision, if it is one, into the context."""
    look = replace(look, capture=replace(look.captured, charset=look.extracted.charset))
    asked = look.due.url_key
    known, standing = context.by_url_key.get(asked), Standing()
    if known is None:
        target, is_one_page = context.alias_target(asked, page) or (None, True)
        if target is not None and not is_one_page:
            context.see(target, look.captured.fetched_at)
            return _stamped(look, Novelty.UNCHANGED, target)
        known = target or _rotated_target(look, page, context)
    if known is not None:
        standing = stand(page, known, extractor=look.extracted.extractor)
        _learn(page, known, standing, context)
    if known is not None and standing.revision is not None:
        context.see(known, look.captured.fetched_at)
        return _stamped(look, Novelty.UNCHANGED, known, revision=standing.revision)
    is_older = known is not None and look.captured.fetched_at < known.fetched_at
    row = _new_revision(look, page, context, known, changes=None if is_older else standing.changes)
    capture = replace(look.captured, novelty=row.novelty, article_id=row.article_id, revision=row.revision)
    return replace(look, capture=capture)


def _rotated_target(look: Look, page: PreparedPage, context: DecisionContext) -> KnownArticle | None:
    if not page.names:
        return None
    matches = context.matches(article_id_of(look.due.url_key), page)
    return context.rotated_target(look.due.url_key, page, title=look.extracted.title, matches=matches)


def _learn(page: PreparedPage, known: KnownArticle, standing: Standing, context: DecisionContext) -> None:
    """Note what the lake said of an article, so that it is asked once."""
    restated = restated_of(page, known)
    contents = restated.contents if restated else ()
    if standing.revision is not None:
        contents = (*contents, (standing.revision, page.content))
    context.learn(known, contents)


def _new_revision(
    look: Look,
    page: PreparedPage,
    context: DecisionContext,
    known: KnownArticle | None,
    *,
    changes: tuple[str, ...] | None,
) -> Article:
    article_id = known.article_id if known else article_id_of(look.due.url_key)
    twin, matches = context.twin(page.text), context.matches(article_id, page)
    since = article_time(known.published_at, known.first_seen_at) if known else None
    verdict = judge(
        article_id=article_id,
        known=known,
        twin=twin,
        # what was there first is no copy of its copies when it is revised
        matches=[one for one in matches if since is None or one.told_at < since],
    )
    row = article_row(look, page, verdict, known=known, changes=changes)
    context.enter(row, page, twin=twin, matches=matches)
    return row


def _read(capture: Capture, page: Page | None) -> Read:
    return Read(source_id=capture.source_id, day=capture.dt, reason=capture.reason, page=page)


def _stamped(look: Look, novelty: Novelty, known: KnownArticle, *, revision: int | None = None) -> Look:
    capture = replace(look.captured, novelty=novelty, article_id=known.article_id, revision=revision or known.revision)
    return replace(look, capture=capture)


def _settle(
    tx: Transaction,
    looks: Sequence[Look],
    context: DecisionContext,
    *,
    now: datetime,
    revisit_after: Sequence[timedelta],
) -> None:
    by_id = {known.article_id: known for known in context.by_url_key.values()}

    def settled(look: Look) -> Settlement:
        known = by_id.get(look.captured.article_id or "")
        return settle(
            look.captured,
            look.disposition,
            now=now,
            previous_digest=look.due.payload_digest,
            partial=look.partial,
            look_again_at=next_look(known.first_seen_at, known.published_at, now=now, revisit_after=revisit_after)
            if known
            else None,
        )

    frontier.settle(tx, map(settled, looks))


def without_culprits(batch: Batch, error: ItemError, rehearse: Callable[[Batch], None]) -> Batch:
    """Return the batch with those looks in quarantine that alone meet an exception, after all together met `error`.

    `rehearse` decides a part of the batch and takes it all back. Raises TooManyUnexpected, also where no look alone is
    to blame.
    """

    def rehearse_part(looks: Sequence[Look]) -> None:
        rehearse(replace(batch, looks=tuple(looks)))

    found = store_rows(batch.captured, rehearse_part)
    if not found:
        raise TooManyUnexpected(
            f"batch {batch.batch_id}, and no part of it, met an exception: {error.detail}"
        ) from error
    check_share([met for _, met in found], of=len(batch.captured), what="captures")
    looks = (next((one.labelled(met) for one, met in found if one is look), look) for look in batch.looks)
    return replace(batch, looks=tuple(looks))
