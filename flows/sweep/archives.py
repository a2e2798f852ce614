"""Walk through the sources' own archives, then fetch with the lowest priority, in a session with its own time budget."""

import time
from dataclasses import replace

from flows.sweep.batches import show, whole, work_through
from flows.sweep.clock import SweepClock
from flows.sweep.progress import shown_progress
from flows.sweep.session import Sweep, begun
from tasks.backfill.config import BackfillConfig
from tasks.backfill.dated import Window
from tasks.backfill.report import BackfillReport
from tasks.backfill.walking import WalkReport
from tasks.config.catalogue import Source
from tasks.config.loading import load_catalogue
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings
from tasks.report.run_report import RunReport, add_up
from tasks.tasks import store, walk
from tasks.values.reports import DiscoverReport


def backfill_sources(settings: Settings, config: BackfillConfig, *, run_id: str) -> BackfillReport:
    """Find and fetch the articles that the sources published in the requested days.

    URLs still pending when the time or the limit is reached wait for the next run. Raises ConfigError if the catalogue is
    wrong or has none of the named sources.
    """
    started = time.monotonic()
    sources = load_catalogue(settings.catalogue).select(config.sources).sources
    budgeted = settings.model_copy(update={"sweep_s": config.hours * 3600})
    with begun(budgeted, IngestConfig(sources=config.sources, limit=config.limit), run_id=run_id) as session:
        sweep = _of_archives(session, config)
        store(sweep.settings)
        walked = _walk(sweep, sources, config)
        batches = [] if config.dry_run else work_through(sweep, shown_progress)
        run = add_up(
            run_id=run_id,
            discovered=DiscoverReport(polled=walked.read, discovered=walked.discovered),
            batches=batches,
            pending=sweep.pending(),
            seconds=time.monotonic() - started,
            fell_short=None,
            lake=settings.lake,
        )
        run = show(run)
        sweep.end(run)
    return _report(run, walked, config)


def _of_archives(sweep: Sweep, config: BackfillConfig) -> Sweep:
    selection = replace(sweep.plan.selection, is_archive=True)
    clock = SweepClock(config.hours * 3600, {})
    return replace(sweep, plan=replace(sweep.plan, selection=selection), clock=clock)


def _walk(sweep: Sweep, sources: tuple[Source, ...], config: BackfillConfig) -> WalkReport:
    since, until = config.since_at(sweep.begun_at), config.until_at(sweep.begun_at)
    wanted = Window((since or sweep.begun_at).date(), (until or sweep.begun_at).date())
    return walk(whole(sources), whole(sweep.plan), wanted, sweep.settings, sweep.ends_at)


def _report(run: RunReport, walked: WalkReport, config: BackfillConfig) -> BackfillReport:
    return BackfillReport(
        run_id=run.run_id,
        is_dry_run=config.dry_run,
        archives=walked.read,
        units=0,
        records=walked.found,
        pages=run.fetched + run.not_modified,
        articles=run.articles,
        skipped=_sum(run.skipped, walked.skipped),
        failed=_sum(run.failed, walked.failed),
        quarantined=run.quarantined,
        troubles=walked.troubles,
        seconds=run.seconds,
        pending=run.pending,
    )


def _sum(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in sorted(first.keys() | second.keys())}
