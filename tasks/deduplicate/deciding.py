"""The deduplicate stage: one transaction decides a batch's novelty, clusters, frontier rows and outbox entry.

Idempotent: deciding a batch again returns the earlier report (without single failures) and changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from tasks.config.catalogue import SourceRules
from tasks.deduplicate.archive import Archive
from tasks.deduplicate.context import DecisionContext, lock_scripts, read_context
from tasks.deduplicate.corrections import ContentVerdict, compare_content, restated_of
from tasks.deduplicate.days import PageResult, days_of
from tasks.deduplicate.judge import judge
from tasks.deduplicate.looks import (
    article_row,
    in_clusters,
    is_same_rendition,
    known_after,
    prepare_pages,
    report_of,
    settle,
    with_source_labels,
    with_taken_down,
    without_culprits,
    without_taken_down,
)
from tasks.deduplicate.neighbours import Comparisons, Match, TooManyComparisons
from tasks.deduplicate.resemblance import Relation, article_time
from tasks.deduplicate.restating import restate
from tasks.deduplicate.retry_policy import REVISIT_AFTER, STATES, next_look
from tasks.deduplicate.tallies import Arrival, LookResult, arrivals_of, quarantined_of, tallies_of
from tasks.errors import UnexpectedError
from tasks.index import (
    archived,
    articles,
    capture_counts,
    clusters,
    drift,
    frontier,
    health,
    outbox,
    policies,
    taken_down,
)
from tasks.index.archived import Shelved
from tasks.index.articles import ELSEWHERE, Alias, KnownArticle, article_id_of
from tasks.index.database import Index, Transaction
from tasks.index.frontier import Settlement, State
from tasks.runtime.guarding import guarded_item
from tasks.values.batch import Batch
from tasks.values.look import Look
from tasks.values.page import Page, PreparedPage
from tasks.values.reports import BatchReport
from tasks.values.rows import Article, Capture, Novelty, Outcome

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
    """Decide a batch and commit the decisions. Raises IndexUnavailable, LakeUnavailable; then nothing is decided.

    `revisit_after`: ages at which a young article is fetched again. `archive` reads an article's stored content if the
    index lacks it or other rules made it; without it, only the words count in that case. `rules`: by source id.
    """
    batch = prepare_pages(batch)  # the costly part, before taking the lock
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
        # a failed statement aborts its transaction, so the faulty pages are identified in separate ones
        comparisons.left = None
        batch = without_culprits(batch, error, rehearse)
    with index.write() as tx:
        return decide(batch, tx)


def _decide_in_lock(
    batch: Batch, index: Index, decide: Callable[[Batch, Transaction], BatchReport], comparisons: Comparisons
) -> BatchReport:
    """Decide with the index locked. If that needs many comparisons, make them first, to keep the lock short."""
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
    looks, taken = without_taken_down(_not_archived_yet(tx, batch.captured), taken_down.read_kept_out(tx))
    lock_scripts(tx, _pages_of(looks))
    context = _context_of(looks, tx, comparisons)
    looks, new = _decide_all(looks, context)
    rows = write_decided(tx, context, with_source_labels(in_clusters(new, context.clusters), rules), now=now)
    report = with_taken_down(report_of(batch.batch_id, looks, rows), taken)
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
    """Add a decided batch to the outbox and count its results. Archive records do not count for a source's health."""
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
    looks = [LookResult(one.source_id, one.fetched_at, one.came_to) for one in fetched]
    health.add_tallies(tx, tallies_of(looks, arrivals, run_id=batch.run_id, now=now))
    health.add_arrivals(tx, arrivals_of(arrivals))
    apart = ((number, one) for number, one in enumerate(captures) if one.outcome is Outcome.QUARANTINED)
    health.note_quarantined(tx, quarantined_of(apart, batch_id=batch.batch_id))


def _not_archived_yet(tx: Transaction, looks: Sequence[Look]) -> tuple[Look, ...]:
    """Leave out archive records that were imported before or are repeated in the batch."""
    taken = archived.find_archived(tx, (look.captured.capture_id for look in looks if look.captured.is_archived))
    left: dict[str, Look] = {}
    for look in looks:
        if look.captured.capture_id not in taken:
            left.setdefault(look.captured.capture_id, look)
    return tuple(left.values())


def _take_in(tx: Transaction, looks: Sequence[Look]) -> None:
    """Record the archive records as imported, and add their URLs to the frontier if they are missing."""
    archived.note_archived(tx, (look.captured.capture_id for look in looks))
    archived.shelve(tx, [Shelved(due=look.due, capture=look.captured, state=_shelf(look)) for look in looks])


def _shelf(look: Look) -> State:
    return State.DONE if look.disposition is None else STATES[look.disposition]


def _decide_all(looks: Sequence[Look], context: DecisionContext) -> tuple[tuple[Look, ...], list[Article]]:
    """Decide the pages in order of publication, so that copies follow their original; then the others.

    Returns the looks in their original order, and the new revisions in the order of decisions.
    """
    pages = [(page, number) for number, look in enumerate(looks) if (page := look.prepared) is not None]
    pages.sort(key=lambda one: (one[0].told_at, looks[one[1]].due.url_key))
    decided = {number: _decide_page(looks[number], page, context) for page, number in pages}
    context.neighbours.pack_up()
    rows = [row for _, row in decided.values() if row is not None]
    every = (
        decided[number][0] if number in decided else _decide_other(look, context) for number, look in enumerate(looks)
    )
    return tuple(every), rows


def known_at(context: DecisionContext, url_key: str) -> KnownArticle | None:
    """Return the article at a URL."""
    return context.known.get(context.ids.get(url_key) or article_id_of(url_key))


def _decide_other(look: Look, context: DecisionContext) -> Look:
    """Return a look without a page, with the article at its URL, if any."""
    known = known_at(context, look.due.url_key)
    if look.captured.outcome is Outcome.NOT_MODIFIED:
        known = known or known_at(context, context.aliases.get(look.due.url_key, ""))
        return look if known is None else _stamped(look, Novelty.UNCHANGED, known)
    return look if known is None else replace(look, capture=replace(look.captured, article_id=known.article_id))


def _decide_page(look: Look, page: PreparedPage, context: DecisionContext) -> tuple[Look, Article | None]:
    """Return the look with its verdict, and the new revision, if any, which is added to the context."""
    look = replace(look, capture=replace(look.captured, charset=look.extracted.charset))
    key, known, is_same_page = _article_of(look, page, context)
    standing = ContentVerdict()
    if known is not None and is_same_page:
        standing = compare_content(page, known, extractor=look.extracted.extractor)
        _learn(page, known, standing, context)
    if known is not None and (standing.revision is not None or not is_same_page):
        context.see(known, look.captured.fetched_at)
        return _stamped(look, Novelty.UNCHANGED, known, revision=standing.revision), None
    is_older = known is not None and look.captured.fetched_at < known.fetched_at
    row = _new_revision(look, page, context, known, url_key=key, changes=None if is_older else standing.changes)
    capture = replace(look.captured, novelty=row.novelty, article_id=row.article_id, revision=row.revision)
    return replace(look, capture=capture), row


def _article_of(look: Look, page: PreparedPage, context: DecisionContext) -> tuple[str, KnownArticle | None, bool]:
    """Return the key of the page's article, the known article or None, and whether both are the same rendition."""
    key = look.due.url_key
    if (known := known_at(context, key)) is not None:
        return key, known, True
    if (found := _alias_target(key, page, context)) is not None:
        return found
    key, known = _rotated_target(look, page, context) or (key, None)
    return key, known, True


def _alias_target(asked: str, page: PreparedPage, context: DecisionContext) -> tuple[str, KnownArticle, bool] | None:
    """Return the article that a URL is an alias of, if either side claims it and the texts are equal.

    The result is the article's URL key, the article, and whether both URLs lead to the same rendition, so that any
    difference is a correction.
    """
    for name, how in (*page.names.items(), (asked, "")):
        key = context.aliases.get(name, name)
        known = known_at(context, key)
        if known and key != asked and page.text.has_words and known.text_digest == page.text.digest:
            context.claim(asked, key, page.names.get(key, "canonical"))
            return key, known, bool(how) and is_same_rendition(asked, name, how, key)
    return None


def _rotated_target(look: Look, page: PreparedPage, context: DecisionContext) -> tuple[str, KnownArticle] | None:
    """Return the key and article known under another link to the same page, if the texts resemble each other.

    Links with a rotating token lead to one page, which redirects to one URL or declares it canonical. Careless
    templates declare the same URL on all pages, so similar text is also required.
    """
    if not page.names:
        return None
    asked, title = look.due.url_key, look.extracted.title
    matches = context.matches(article_id_of(asked), page)
    alike = {one.article_id for one in matches if one.relation is Relation.NEAR_DUPLICATE}
    for name, how in page.names.items():
        key = context.aliases.get(name, name)
        known = known_at(context, key)
        if known is None or key == asked or not is_same_rendition(asked, name, how, key):
            continue
        is_short = page.text.shape is None
        if known.article_id in alike or (is_short and known.title is not None and known.title == title):
            context.claim(asked, key, how)
            return key, known
    return None


def _learn(page: PreparedPage, known: KnownArticle, standing: ContentVerdict, context: DecisionContext) -> None:
    """Record what was read from the lake about an article, so that it is read only once."""
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
    url_key: str,
    changes: tuple[str, ...] | None,
) -> Article:
    article_id = known.article_id if known else article_id_of(look.due.url_key)
    twin, matches = context.twin(page.text), context.matches(article_id, page)
    since = article_time(known.published_at, known.first_seen_at) if known else None
    verdict = judge(
        article_id=article_id,
        known=known,
        twin=twin,
        # an original does not become a copy of its copies when it is revised
        matches=[one for one in matches if since is None or one.told_at < since],
    )
    row = article_row(look, page, verdict, url_key=url_key, known=known, changes=changes)
    enter_revision(context, row, page, twin=twin, matches=matches)
    return row


def enter_revision(
    context: DecisionContext,
    row: Article,
    page: PreparedPage,
    *,
    twin: KnownArticle | None,
    matches: Iterable[Match],
) -> None:
    """Add a new revision and its page's aliases to the context, so that later pages of the batch see them."""
    before = context.known.get(row.article_id)
    known = known_after(row, before)
    context.enter(known, page, is_newest=known.revision == row.revision, twin=twin, matches=matches)
    if before is not None:
        context.see(before, row.fetched_at)
    for name, how in page.names.items():
        if known_at(context, name) is None:
            context.claim(name, row.url_key, how)
    context.claims += [Alias(url_key=one, article_key=row.url_key, how=ELSEWHERE) for one in page.elsewhere]


def write_decided(
    tx: Transaction, context: DecisionContext, rows: Sequence[Article], *, now: datetime
) -> tuple[Article, ...]:
    """Write what the decisions added, new revisions first; returns these with the sizes of their clusters."""
    last: dict[str, Article] = {}
    for row in rows:
        if row.article_id not in last or row.revision == context.known[row.article_id].revision:
            last[row.article_id] = row
    articles.remember(tx, ((row, _in_its_cluster(context.known[one], row)) for one, row in last.items()))
    context.write(tx, now=now)
    sizes = clusters.mark_changed(tx, (row.cluster_id for row in rows))
    return tuple(replace(row, cluster_size=sizes[row.cluster_id]) for row in rows)


def _in_its_cluster(known: KnownArticle, row: Article) -> KnownArticle:
    return replace(known, cluster_id=row.cluster_id, is_representative=row.is_representative)


def _read(capture: Capture, page: Page | None) -> PageResult:
    return PageResult(source_id=capture.source_id, day=capture.dt, reason=capture.reason, page=page)


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
    def settled(look: Look) -> Settlement:
        known = context.known.get(look.captured.article_id or "")
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
