"""The sweep: discover, fetch, extract, deduplicate, store, report."""

import time
from collections.abc import Iterator
from typing import Any, TypeVar, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import opaque

from flows.sweep import Sweep, begun
from flows.sweep_progress import shown_progress
from tasks.deduplicate.task import deduplicate
from tasks.discover.task import discover
from tasks.extract.task import extract
from tasks.fetch.task import fetch
from tasks.models import BatchReport, DiscoverReport, FetchedBatch
from tasks.parameters import IngestConfig
from tasks.report.run_report import add_up, headline, shortfall
from tasks.report.task import report
from tasks.settings import load_settings
from tasks.store.task import store
from tasks.tracing import batch_span

EVERYTHING = IngestConfig()
T = TypeVar("T")


@flow(name="ingest", flow_run_name="sweep", persist_result=False, task_runner=ThreadPoolTaskRunner(max_workers=10))  # type: ignore[arg-type]
def ingest(config: IngestConfig = EVERYTHING) -> State[Any]:
    """Sweep once: poll the feeds, fetch what is due, extract, deduplicate, store, and report.

    Args:
        config: What to look at; nothing filled in means every source of the catalogue.
    """
    started = time.monotonic()
    with begun(load_settings(), config, run_id=str(flow_run.id)) as sweep:
        store(sweep.settings)  # what an earlier run decided and did not live to publish
        discovered = _discover(sweep)
        batches = [_decide_and_store(fetched, sweep) for fetched in shown_progress(_fetched_ahead(sweep), sweep)]
        health = sweep.health()
        run = add_up(
            run_id=sweep.run_id,
            discovered=discovered,
            batches=batches,
            pending=sweep.pending(),
            seconds=time.monotonic() - started,
            fell_short=None,
            drifted=health.drifted,
            lake=sweep.settings.lake,
        )
        report(_whole(run), _whole(health))
        sweep.end(run)
    name = "CompletedWithFailures" if shortfall(run) else "Completed"
    return Completed(name=name, message=shortfall(run) or headline(run), data=run)


def _discover(sweep: Sweep) -> DiscoverReport:
    """Announce the plan's URLs, then poll its feeds, all of them in one task."""
    announced = sweep.announce_urls()
    feeds = sweep.due_feeds()
    return discover(_whole(feeds), _whole(sweep.plan.rules), announced, sweep.settings)


def _fetched_ahead(sweep: Sweep) -> Iterator[FetchedBatch]:
    """Give batches as they are fetched; while one is extracted, the next ones are on their way."""
    under_way: list[PrefectFuture[Any]] = []
    while True:
        while len(under_way) < sweep.settings.batches_ahead and (batch := sweep.claim()):
            under_way.append(fetch.submit(_whole(batch), _whole(sweep.plan.rules), sweep.settings))
        if not under_way:
            return
        done = next(iter(as_completed(under_way)))
        under_way.remove(done)
        yield done.result()


def _decide_and_store(fetched: FetchedBatch, sweep: Sweep) -> BatchReport:
    with batch_span(fetched.batch.batch_id) as note:
        extracted = extract(_whole(fetched), _whole(sweep.plan.rules), sweep.settings)
        decided = deduplicate(_whole(extracted), sweep.settings)
        store(sweep.settings)
        note(fetched=decided.fetched, not_modified=decided.not_modified, failed=sum(decided.failed.values()))
    return decided


def _whole(value: T) -> T:
    """Hand a value to a task as it is: Prefect would walk through every row of it to look for futures."""
    return cast("T", opaque(value))
