"""The sweep: discover, fetch, extract, deduplicate, store, report."""

import time
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.sweep.batches import show, whole, work_through
from flows.sweep.dry_run import preview_sweep
from flows.sweep.interrupting import interruptible
from flows.sweep.naming import named, sweep_name
from flows.sweep.progress import shown_progress
from flows.sweep.session import Sweep, begun
from flows.sweep.shards import shared_out
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings, load_settings
from tasks.report.run_report import add_up, shortfall, summary_line
from tasks.tasks import discover, store
from tasks.values.reports import DiscoverReport

EVERYTHING = IngestConfig()


@flow(
    name="ingest",
    flow_run_name=named(sweep_name),
    persist_result=False,
    task_runner=ThreadPoolTaskRunner(max_workers=10),  # type: ignore[arg-type]
)
def ingest(config: IngestConfig = EVERYTHING) -> State[Any]:
    """Sweep once: poll the feeds, fetch what is due, extract, deduplicate, store, and report.

    Args:
        config: What to fetch; without a choice, every source of the catalogue.
    """
    settings, run_id = load_settings(), str(flow_run.id)
    if config.dry_run:
        return interruptible(lambda: preview_sweep(settings, config, run_id=run_id))
    return interruptible(lambda: _sweep(settings, config, run_id))


def _sweep(settings: Settings, config: IngestConfig, run_id: str) -> State[Any]:
    started = time.monotonic()
    with begun(settings, config, run_id=run_id) as sweep, shared_out(sweep) as others:
        store(whole(settings))  # a run killed between its decision and its publication leaves rows in the outbox
        before = sweep.published_upto()
        discovered = _discover(sweep)
        others.start()
        batches = work_through(sweep, shown_progress)
        for number in others.left_behind():
            batches += work_through(sweep.taking(number))
        health, pending = sweep.health(), sweep.pending()
        run = add_up(
            run_id=run_id,
            discovered=discovered,
            batches=[*batches, *others.batches()],
            pending=pending,
            seconds=time.monotonic() - started,
            fell_short=others.shortfall(),
            drifted=health.drifted,
            lake=settings.lake,
            limits=tuple(sweep.clock.limits(pending)),
            headlines=sweep.headlines(),
            published=sweep.published(since=before),
        )
        run = show(run, health)
        sweep.end(run)
    name = "CompletedWithFailures" if shortfall(run) else "Completed"
    return Completed(name=name, message=summary_line(run), data=run)


def _discover(sweep: Sweep) -> DiscoverReport:
    """Announce the plan's URLs, then poll all of its feeds in one task."""
    announced = sweep.announce_urls()
    feeds = sweep.due_feeds()
    return discover(
        whole(feeds), whole(sweep.plan), announced, whole(sweep.settings), run_id=sweep.run_id, until=sweep.ends_at
    )
