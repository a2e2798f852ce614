"""Work through a run's batches: fetch and extract them ahead, then decide and store them one by one."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from prefect.futures import PrefectFuture, as_completed
from prefect.utilities.annotations import opaque

from flows.server.away import AWAY
from flows.sweep.session import Sweep
from tasks.health.judgement import HealthReport
from tasks.report.run_report import RunReport
from tasks.runtime.allocator import release_memory, trim
from tasks.runtime.reading import close_reader
from tasks.runtime.tracing import batch_span
from tasks.tasks import deduplicate, extract, fetch, report, store
from tasks.values.batch import Batch
from tasks.values.reports import BatchReport
from tasks.values.text.escape import as_plain

T = TypeVar("T")
Handed = list[Batch]
"""One batch, in a list of one: the step that decides it pops it, so that nothing else keeps its texts in memory."""

Shown = Callable[[Iterator[Handed], Sweep], Iterator[Handed]]

EXTRACTED_AT_ONCE = 2
"""Batches in extraction: one in progress and one queued, so that no process waits."""


def work_through(sweep: Sweep, shown: Shown = lambda batches, _: batches) -> list[BatchReport]:
    """Fetch, extract, decide and store until nothing is due or the limit is reached; return one report per batch.

    The batches pass through `shown`, which may report progress.
    """
    close_reader()  # all feeds are parsed; a long robots.txt starts the processes again
    release_memory()
    gc.freeze()  # cached objects of the feeds live until the sweep ends, and would be traversed after each batch
    return list(map(partial(_decide_and_store, sweep=sweep), shown(_extracted_ahead(sweep), sweep)))


def show(run: RunReport, health: HealthReport | None = None) -> RunReport:
    """Create a run's artifacts in Prefect, and return the run; if the server does not answer, note that in the report."""
    try:
        report(whole(run), whole(health))
    except AWAY as error:
        why = f"its report is missing from Prefect, whose server does not respond ({as_plain(str(error)) or type(error).__name__})"
        return replace(run, fell_short="; ".join(filter(None, (run.fell_short, why))))
    return run


def whole(value: T) -> T:
    """Mark a task's argument as opaque: otherwise Prefect searches each of its rows for futures."""
    return cast("T", opaque(value))


def _extracted_ahead(sweep: Sweep) -> Iterator[Handed]:
    """Yield batches as they are extracted; while one is decided and stored, fetch and extract the next ones."""
    fetching: list[PrefectFuture[Any]] = []
    extracting: list[PrefectFuture[Any]] = []
    settings, rules, owners = whole(sweep.settings), whole(sweep.plan.rules), whole(sweep.plan.owners)
    ahead = sweep.settings.batches_ahead
    while True:
        while len(fetching) < ahead and len(extracting) < EXTRACTED_AT_ONCE and (batch := sweep.claim()):
            fetching.append(fetch.submit(whole(batch), rules, owners, settings))
        if not fetching and not extracting:
            return
        done = next(iter(as_completed([*extracting, *fetching])))
        if done in extracting:
            extracting.remove(done)
            handed = [done.result()]
            del done
            sweep.clock.note([look.due.source_id for look in handed[0].looks])
            yield handed
        else:
            fetching.remove(done)
            extracting.append(extract.submit(whole(done.result()), rules, settings))


def _decide_and_store(extracted: Handed, sweep: Sweep) -> BatchReport:
    with batch_span(extracted[0].batch_id) as note:
        decided = deduplicate(whole(extracted.pop()), whole(sweep.plan.rules), whole(sweep.settings))
        release_memory()
        store(whole(sweep.settings))
        note(fetched=decided.fetched, not_modified=decided.not_modified, failed=sum(decided.failed.values()))
    trim()  # publishing leaves no reference cycles, so a collection would find nothing
    return decided
