"""Extract units on this machine, in the same process pool as sweeps, while others are read and deduplicated."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Self

from tasks.backfill.config import BackfillConfig
from tasks.backfill.extracting import UnitCount, extract_unit
from tasks.backfill.plan import BackfillPlan
from tasks.backfill.report import BackfillReport
from tasks.backfill.taking import backfill_warc, read_rules
from tasks.backfill.units import PAGES, decode
from tasks.config.catalogue import SourceRules
from tasks.config.settings import Settings
from tasks.deduplicate.archive import Archive
from tasks.deduplicate.deciding import decide_batch
from tasks.extract.again import extract_again
from tasks.extract.shared_pool import close_pool, shared_pool
from tasks.forget.records import entomb_taken_down
from tasks.index.database import Index
from tasks.lake.keys import scratch_key
from tasks.lake.objects.stores import ObjectStore
from tasks.runtime.progress import OnStep
from tasks.runtime.resources import close_opened, opened_index, opened_store
from tasks.runtime.shutdown import stopping
from tasks.store.publishing import publish_all
from tasks.values.page import Page
from tasks.values.reports import BatchReport
from tasks.values.rows import Article

EXTRACTED_AT_ONCE = 2
"""Units in extraction: one in progress and one queued, so that no process waits."""


class LocalRunner:
    """Extracts units in threads that share this process's pool; a context manager."""

    workers = 1

    def __init__(self, settings: Settings, rules: Mapping[str, SourceRules]) -> None:
        self._settings, self._rules = settings, rules
        self._threads = ThreadPoolExecutor(EXTRACTED_AT_ONCE, thread_name_prefix="units")

    def submit(self, job_id: str, number: int) -> Callable[[], UnitCount]:
        return self._threads.submit(extract_here, job_id, number, self._settings).result

    def decide(self, job_id: str, number: int) -> BatchReport:
        return decide_here(job_id, number, self._rules, self._settings)

    def __enter__(self) -> Self:
        stopping.clear()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            stopping.set()
        close_pool()  # ends the threads that wait for it
        self._threads.shutdown(cancel_futures=True)


def backfill_here(
    config: BackfillConfig,
    settings: Settings,
    *,
    run_id: str,
    on_step: OnStep,
    on_plan: Callable[[BackfillPlan], None] = lambda _: None,
) -> BackfillReport:
    """Import the archives on this machine alone; raises as `backfill_warc` does."""
    try:
        with LocalRunner(settings, read_rules(settings, config)) as runner:
            return backfill_warc(config, settings, runner, run_id=run_id, on_step=on_step, on_plan=on_plan)
    finally:
        close_opened()


def extract_here(job_id: str, number: int, settings: Settings) -> UnitCount:
    """Extract a unit in this process's pool."""
    store, pool = opened_store(settings), shared_pool(settings)
    return extract_unit(job_id, number, store=store, pool=pool, now=datetime.now(UTC))


def decide_here(job_id: str, number: int, rules: Mapping[str, SourceRules], settings: Settings) -> BatchReport:
    """Deduplicate a unit in this process."""
    return decide_unit(
        job_id,
        number,
        index=opened_index(settings),
        store=opened_store(settings),
        archive=stored_archive(rules, settings),
        rules=rules,
        now=datetime.now(UTC),
    )


def stored_archive(sources: Mapping[str, SourceRules], settings: Settings) -> Archive:
    """Return a reader of stored articles, which extracts their pages again by their source's current rules."""
    store = opened_store(settings)

    def again(rows: Sequence[Article]) -> dict[str, Page]:
        if not rows:
            return {}
        return extract_again(
            rows,
            pool=shared_pool(settings),
            store=store,
            options={source_id: one.extract for source_id, one in sources.items()},
            rendered={source_id for source_id, one in sources.items() if one.render != "none"},
        )

    return Archive(store, again)


def decide_unit(
    job_id: str,
    number: int,
    *,
    index: Index,
    store: ObjectStore,
    archive: Archive,
    rules: Mapping[str, SourceRules],
    now: datetime,
) -> BatchReport:
    """Decide a unit and publish it; raises IndexUnavailable, LakeUnavailable."""
    content = decode(store.get(scratch_key(job_id, number, PAGES)))
    batch = content.batch()
    report = decide_batch(batch, index=index, now=now, archive=archive, rules=rules)
    entomb_taken_down(report, batch.captures, index=index, store=store)
    publish_all(index, store)
    return report
