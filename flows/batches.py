"""The work of a run: batches off the frontier, fetched ahead, extracted, decided and stored."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar, cast

from prefect.futures import PrefectFuture, as_completed
from prefect.utilities.annotations import opaque

from flows.away import AWAY
from flows.sweep import Sweep
from tasks.deduplicate.task import deduplicate
from tasks.extract.task import extract
from tasks.fetch.task import fetch
from tasks.models import BatchReport, FetchedBatch
from tasks.report.escape import as_plain
from tasks.report.health import HealthReport
from tasks.report.run_report import RunReport
from tasks.report.task import report
from tasks.store.task import store
from tasks.tracing import batch_span

T = TypeVar("T")
Shown = Callable[[Iterator[FetchedBatch], Sweep], Iterator[FetchedBatch]]


def work_through(sweep: Sweep, shown: Shown = lambda batches, _: batches) -> list[BatchReport]:
    """Fetch, extract, decide and store until nothing is due or the limit is reached; returns what each batch came to.

    The batches pass through `shown`, which may tell how far they are.
    """
    return [_decide_and_store(fetched, sweep) for fetched in shown(_fetched_ahead(sweep), sweep)]


def show(run: RunReport, health: HealthReport | None = None) -> RunReport:
    """Show a run in Prefect, and return it; one that could not be shown says so and is no worse for it."""
    try:
        report(whole(run), whole(health))
    except AWAY as error:
        why = f"its report is not in Prefect, whose server does not answer ({as_plain(str(error)) or type(error).__name__})"
        return replace(run, fell_short="; ".join(filter(None, (run.fell_short, why))))
    return run


def whole(value: T) -> T:
    """Hand a value to a task as it is: Prefect would walk through every row of it to look for futures."""
    return cast("T", opaque(value))


def _fetched_ahead(sweep: Sweep) -> Iterator[FetchedBatch]:
    """Give batches as they are fetched; while one is extracted, the next ones are on their way."""
    under_way: list[PrefectFuture[Any]] = []
    while True:
        while len(under_way) < sweep.settings.batches_ahead and (batch := sweep.claim()):
            under_way.append(fetch.submit(whole(batch), whole(sweep.plan.rules), sweep.settings))
        if not under_way:
            return
        done = next(iter(as_completed(under_way)))
        under_way.remove(done)
        yield done.result()


def _decide_and_store(fetched: FetchedBatch, sweep: Sweep) -> BatchReport:
    with batch_span(fetched.batch.batch_id) as note:
        extracted = extract(whole(fetched), whole(sweep.plan.rules), sweep.settings)
        decided = deduplicate(whole(extracted), sweep.settings)
        store(sweep.settings)
        note(fetched=decided.fetched, not_modified=decided.not_modified, failed=sum(decided.failed.values()))
    return decided
