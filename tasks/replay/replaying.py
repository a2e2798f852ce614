"""Replay: extract stored captures again with the current rules, from the lake alone, and supersede what differs."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from tasks.config.catalogue import SourceRules
from tasks.config.loading import load_catalogue
from tasks.config.settings import Settings
from tasks.deduplicate.looks import prepare_pages
from tasks.errors import ConfigError
from tasks.extract.extraction import Extractor
from tasks.extract.rules import rules_name
from tasks.extract.shared_pool import shared_pool
from tasks.index import replayed, runs
from tasks.index.database import Index
from tasks.index.runs import MEND, REPLAY
from tasks.lake.objects.stores import ObjectStore
from tasks.replay.comparing import ComparedCapture, Result, compare_reading
from tasks.replay.config import ReplayConfig
from tasks.replay.deciding import Deciding, decide_unit
from tasks.replay.reading import Reading, Rules, StoredCapture, read_unit
from tasks.replay.report import ReplayReport, Tally
from tasks.replay.selection import OlderRules, Plan, make_plan, read_extractors
from tasks.replay.state import Reader, Revisions
from tasks.runtime.places import is_there
from tasks.runtime.progress import OnStep
from tasks.runtime.resources import check_known_lake, opened_index, opened_store
from tasks.store.publishing import publish_all
from tasks.values.batch import Batch
from tasks.values.rows import Article, Capture

UNITS_A_PUBLICATION = 10
"""Units per rewrite of a day's file."""

MOST_SHOWN = 200_000
"""The most revisions cached for captures that show them; the oldest are dropped (50 MB)."""

FIRST = 200
"""The number of pages after which a replay stops if too many have failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayContext:
    """The context of a replay: the stores, the workers, the sources' rules, and the revisit schedule of young articles."""

    index: Index
    store: ObjectStore
    pool: Extractor
    workers: int
    sources: Mapping[str, SourceRules]
    revisit_after: Sequence[timedelta]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def replay_lake(config: ReplayConfig, settings: Settings, *, on_step: OnStep) -> ReplayReport:
    """Replay the lake that the settings name; raises ConfigError, and as `replay` does."""
    check_known_lake(settings)
    catalogue = load_catalogue(settings.catalogue) if is_there(settings.catalogue) else None
    context = ReplayContext(
        index=opened_index(settings),
        store=opened_store(settings),
        pool=shared_pool(settings),
        workers=settings.extract_workers,
        sources=catalogue.rules() if catalogue else {},
        revisit_after=[timedelta(hours=hours) for hours in settings.revisit_after_h],
    )
    return replay(config, context, on_step=on_step)


def replay(config: ReplayConfig, context: ReplayContext, *, on_step: OnStep) -> ReplayReport:
    """Extract the captures of a selection again and supersede what differs; idempotent.

    Raises ConfigError if another replay or a repair runs, LakeUnavailable, IndexUnavailable, DamagedTable.
    """
    begun, tally, run_id = time.monotonic(), Tally(), f"{REPLAY}{uuid.uuid4().hex}"
    with _registered(context, run_id, is_dry_run=config.dry_run):
        if not config.dry_run:
            publish_all(context.index, context.store)  # decisions of a killed replay
        on_step("selecting pages", 0, 0)
        plan = make_plan(context.store, config, _older(config, context))
        stopped = _carry_out(plan, context, tally, run_id=run_id, on_step=on_step)
    return ReplayReport(
        is_dry_run=config.dry_run,
        pages=tally.total(),
        **{one.value: tally.total(one) for one in Result},
        by_source=tally.by_source(),
        failures=dict(tally.failures.most_common()),
        differences=tuple(tally.largest),
        rows_changed=tally.rows_changed,
        rows_gone=tally.rows_gone,
        estimated_s=plan.estimated_s(context.workers),
        seconds=round(time.monotonic() - begun, 3),
        stopped=stopped,
    )


def _older(config: ReplayConfig, context: ReplayContext) -> OlderRules | None:
    if not config.older:
        return None
    with context.index.read() as tx:
        read = frozenset(replayed.find_read(tx, rules=rules_name(), knowledge=0))
    return OlderRules(current=rules_name(), read=read, extractors=read_extractors(context.store, config.days))


def _carry_out(plan: Plan, context: ReplayContext, tally: Tally, *, run_id: str, on_step: OnStep) -> str | None:
    """Read and decide unit by unit; returns why it stopped early, or None."""
    deciding = Deciding(
        index=context.index,
        store=context.store,
        run_id=run_id,
        rules=context.sources,
        revisit_after=context.revisit_after,
    )
    shown = _Shown()
    for number, unit in enumerate(plan.units()):
        on_step("extracting pages", tally.total(), plan.captures)
        compared = shown.compare(_read(unit, context))
        tally.add(compared)
        if stopped := _too_many_failed(tally, plan):
            return stopped
        if plan.config.dry_run:
            continue
        changes = decide_unit(compared, deciding, batch_id=f"{run_id}-{number}", now=context.now())
        tally.rows_changed += len(changes.articles)
        tally.rows_gone += len(changes.gone_articles)
        with context.index.write(is_durable=False) as tx:
            runs.record_heartbeat(tx, run_id=run_id, now=context.now())
        if number % UNITS_A_PUBLICATION == UNITS_A_PUBLICATION - 1:
            publish_all(context.index, context.store)
    if not plan.config.dry_run:
        publish_all(context.index, context.store)
    return None


def _too_many_failed(tally: Tally, plan: Plan) -> str | None:
    pages, failed = tally.total(), tally.total(Result.FAILED)
    if pages > FIRST * 2 or pages < min(FIRST, plan.captures) or failed <= plan.config.max_failed * pages:
        return None
    reason, number = tally.failures.most_common(1)[0]
    return f"{failed} of the first {pages} pages failed, {number} of them with {reason}"


def _read(unit: Sequence[Capture], context: ReplayContext) -> list[Reading]:
    """Return the readings of a unit, with the stored rows of its pages."""
    with context.index.read() as tx:
        homes = replayed.find_notes(tx, (one.capture_id for one in unit))
        urls = replayed.find_urls(tx, (one.url_key for one in unit))
    rows = Reader(context.store).revisions(_spans(unit))
    stored = [StoredCapture(capture=one, row=_row_of(one, rows), home=homes.get(one.capture_id)) for one in unit]
    rules = Rules(sources=context.sources, pool=context.pool, store=context.store)
    read = read_unit(stored, rules, urls=urls, now=context.now(), read_one=lambda: None)
    looks = prepare_pages(Batch(batch_id="replay", run_id="replay", looks=tuple(one.look for one in read))).looks
    return [replace(one, look=look) for one, look in zip(read, looks, strict=True)]


def _spans(unit: Iterable[Capture]) -> dict[str, tuple[date, date]]:
    """Return the days of the rows made from these captures, by article."""
    spans: dict[str, tuple[date, date]] = {}
    for one in unit:
        if one.article_id and one.revision is not None:
            held = spans.get(one.article_id, (one.dt, one.dt))
            spans[one.article_id] = (min(held[0], one.dt), max(held[1], one.dt))
    return spans


def _row_of(capture: Capture, rows: Revisions) -> Article | None:
    """Return the row made from a capture's page, not the row that an `unchanged` capture shows."""
    row = rows.get(capture.article_id or "", {}).get(capture.revision or 0)
    is_its = row is not None and (row.warc_key, row.warc_offset) == (capture.warc_key, capture.warc_offset)
    return row if is_its else None


class _Shown:
    """The revisions read in this replay, under the current rules."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], tuple[str, str]] = {}

    def compare(self, readings: Sequence[Reading]) -> list[ComparedCapture]:
        """Compare a unit's captures; those that show revisions of the unit come last."""
        found: dict[str, ComparedCapture] = {}
        for one in readings:
            if one.stored.row is not None:
                found[one.stored.capture.capture_id] = self._note(compare_reading(one))
        for one in readings:
            capture = one.stored.capture
            if one.stored.row is None:
                found[capture.capture_id] = compare_reading(one, shown=self._find(capture))
        return [found[one.stored.capture.capture_id] for one in readings]

    def _note(self, compared: ComparedCapture) -> ComparedCapture:
        if compared.row is not None:
            row = compared.row
            self._rows[row.article_id, row.revision] = (str(row.content_digest), row.text_digest)
            if len(self._rows) > MOST_SHOWN:
                del self._rows[next(iter(self._rows))]
        return compared

    def _find(self, capture: Capture) -> tuple[str, str] | None:
        return self._rows.get((capture.article_id or "", capture.revision or 0))


@contextmanager
def _registered(context: ReplayContext, run_id: str, *, is_dry_run: bool) -> Iterator[None]:
    """Keep other replays and repairs from running meanwhile; a dry run changes nothing, so it needs no lock."""
    if is_dry_run:
        yield
        return
    now = context.now()
    with context.index.write() as tx:
        for kind, what in ((REPLAY, "another replay"), (MEND, "a mend (`verify --mend`)")):
            if other := runs.find_working(tx, kind=kind, now=now):
                raise ConfigError(f"{what} is running on this index (run {other}): start the replay after it ends")
        runs.begin_run(tx, run_id=run_id, now=now)
    try:
        yield
    finally:
        with context.index.write() as tx:
            runs.end_run(tx, run_id=run_id, now=context.now(), summary=None)
