"""The work of a run: batches of the frontier are fetched and extracted ahead, then decided and stored one by one."""

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
from tasks.runtime.allocator import give_back, trim
from tasks.runtime.reading import close_reader
from tasks.runtime.tracing import batch_span
from tasks.tasks import deduplicate, extract, fetch, report, store
from tasks.values.batch import Batch
from tasks.values.reports import BatchReport
from tasks.values.text.escape import as_plain

T = TypeVar("T")
Handed = list[Batch]
"""One batch on its way: the step that decides it takes it out, so that nothing holds its texts any longer."""

Shown = Callable[[Iterator[Handed], Sweep], Iterator[Handed]]

EXTRACTED_AT_ONCE = 2
"""Batches in extraction: one in progress, and one behind it, so that no process waits."""


def work_through(sweep: Sweep, shown: Shown = lambda batches, _: batches) -> list[BatchReport]:
    """Fetch, extract, decide and store until nothing is due or the limit is reached; returns each batch's report.

    The batches pass through `shown`, which may show the progress.
    """
    close_reader()  # the feeds are read; a long robots.txt starts its processes again
    give_back()
    gc.freeze()  # what the feeds have left in caches stays until the sweep ends, and would be looked at after each batch
    return list(map(partial(_decide_and_store, sweep=sweep), shown(_extracted_ahead(sweep), sweep)))


def show(run: RunReport, health: HealthReport | None = None) -> RunReport:
    """Show a run in Prefect, and return it; if Prefect cannot show it, the report says so, and nothing else is lost."""
    try:
        report(whole(run), whole(health))
    except AWAY as error:
        why = f"its report is missing from Prefect, whose server does not respond ({as_plain(str(error)) or type(error).__name__})"
        return replace(run, fell_short="; ".join(filter(None, (run.fell_short, why))))
    return run


def whole(value: T) -> T:
    """Pass a value to a task as opaque: Prefect would walk through each of its rows to find futures."""
    return cast("T", opaque(value))


def _extracted_ahead(sweep: Sweep) -> Iterator[Handed]:
    """Yield batches as they are extracted; while one is decided and stored, others are extracted and fetched."""
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
        give_back()
        store(whole(sweep.settings))
        note(fetched=decided.fetched, not_modified=decided.not_modified, failed=sum(decided.failed.values()))
    trim()  # publishing leaves no cycles
    return decided
