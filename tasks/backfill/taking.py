"""A backfill from WARC files: read, cut into units, extracted by any free worker, deduplicated in the plan's order.

A unit is decided after the one before it, so that the tables do not depend on the workers' speed. After a kill at any
instant, the next run reads the archives again, skips what was taken in, and continues with the same units.
"""

import hashlib
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import orjson

from tasks.backfill.choosing import RecordFilter, record_filter_of
from tasks.backfill.config import BackfillConfig
from tasks.backfill.extracting import UnitCount
from tasks.backfill.plan import BackfillPlan, plan_backfill
from tasks.backfill.reading import ReadCounts, cut_units
from tasks.backfill.report import BackfillReport, add_up
from tasks.backfill.units import CUT, PAGES, SEGMENT, CutUnit, UnitCutter, put_cut
from tasks.config.catalogue import Catalogue, SourceRules
from tasks.config.loading import load_catalogue
from tasks.config.settings import Settings
from tasks.errors import ConfigError, ExtractorCrashed
from tasks.index import archived, runs
from tasks.index.database import Index
from tasks.index.leases import LeaseKeeper
from tasks.index.taken_down import read_kept_out
from tasks.lake.keys import scratch_key, scratch_prefix
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.runtime.allocator import limit_retained_memory, release_memory
from tasks.runtime.places import is_there
from tasks.runtime.progress import OnStep
from tasks.runtime.resources import check_lake, index_to_read, opened_index, opened_store, software_name
from tasks.values.reports import BatchReport
from tasks.values.takedown import KeptOut

JOB = runs.BACKFILL
MOST_KEPT = 500_000
"""How many capture ids a first backfill caches, some 60 MB."""

LOST = "unit_lost"
"""The reason for pages of a unit that was not decided; the next run takes them in."""

AHEAD = 2
"""Backpressure: units per worker that may be extracted before earlier ones are decided."""


class Runner(Protocol):
    """Where units are extracted and decided; `workers` is how many are extracted at once."""

    workers: int

    def submit(self, job_id: str, number: int) -> Callable[[], UnitCount]:
        """Start the extraction of a unit; the result raises ExtractorCrashed if its worker died each time."""
        ...

    def decide(self, job_id: str, number: int) -> BatchReport:
        """Deduplicate an extracted unit, and publish it."""
        ...


@dataclass(slots=True, kw_only=True)
class _Job:
    """One backfill in progress."""

    job_id: str
    store: ObjectStore
    index: Index
    runner: Runner
    ahead: int
    batches: list[BatchReport] = field(default_factory=list)
    waiting: deque[tuple[int, CutUnit, Callable[[], UnitCount]]] = field(default_factory=deque)
    is_first: bool = False
    under_way: set[str] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)
    others: int = 0
    troubles: list[str] = field(default_factory=list)

    def is_taken(self, capture_id: str) -> bool:
        """Whether a record was taken in, or is in a unit in progress."""
        if capture_id in self.under_way:
            return True
        if self.is_first:
            return False
        with self.index.read() as tx:
            return bool(archived.find_archived(tx, [capture_id]))

    def begin(self, number: int, unit: CutUnit) -> None:
        """Start the extraction of a unit; first decide the oldest one if too many are in progress."""
        if len(self.waiting) >= self.ahead:
            self.finish_oldest()
        put_cut(self.store, self.job_id, number, unit)
        content = replace(unit, segment=b"")
        self.under_way.update(one.capture.capture_id for one in content.content.pages)
        self.waiting.append((number, content, self.runner.submit(self.job_id, number)))

    def finish_oldest(self) -> None:
        """Wait for the oldest unit and decide it; a unit whose workers died is counted as failed, and the next run takes it in."""
        number, unit, result = self.waiting.popleft()
        try:
            self.others += self._extracted(number, result).others
            self.batches.append(self.runner.decide(self.job_id, number))
        except (ExtractorCrashed, MissingObject) as error:  # `forget` may have deleted it from scratch/
            self.lost[LOST] += len(unit.content.pages)
            self.troubles.append(f"unit {number} will be retried by the next run: {error}"[:300])
        # in the first backfill of an index the cache of ids is enough, without asking the index for each record
        self.is_first &= len(self.under_way) < MOST_KEPT
        if not self.is_first:
            self.under_way.difference_update(one.capture.capture_id for one in unit.content.pages)
        for ending in (SEGMENT, CUT, PAGES):
            self.store.delete(scratch_key(self.job_id, number, ending))
        release_memory()

    def _extracted(self, number: int, result: Callable[[], UnitCount]) -> UnitCount:
        """Return a unit's counts, trying it once more if its worker died. Raises ExtractorCrashed."""
        try:
            return result()
        except ExtractorCrashed:
            return self.runner.submit(self.job_id, number)()


def backfill_warc(
    config: BackfillConfig,
    settings: Settings,
    runner: Runner,
    *,
    run_id: str,
    on_step: OnStep,
    on_plan: Callable[[BackfillPlan], None] = lambda _: None,
) -> BackfillReport:
    """Import the archives; raises ConfigError, LakeUnavailable, IndexUnavailable, TooManyUnexpected."""
    limit_retained_memory()
    begun, now = time.monotonic(), datetime.now(UTC)
    choice = record_filter_of(config, _catalogue(settings, config), max_size=settings.max_decoded_size, now=now)
    plan = plan_backfill(config.paths, settings, now=now, on_step=on_step)
    on_plan(plan)
    counts = ReadCounts()
    cutter = _cutter(config, choice, run_id)
    refused = [f"{one.uri}: {one.why}" for one in plan.refused]
    if config.dry_run:
        _only_count(plan, choice, cutter, counts=counts, settings=settings, on_step=on_step)
        return add_up(
            run_id=run_id, is_dry_run=True, archives=len(plan.archives), read=counts, batches=(), others=0,
            lost=Counter(), refused=refused, seconds=time.monotonic() - begun,
        )  # fmt: skip
    check_lake(settings)
    with _job(settings, runner, config, run_id) as job:
        cut = cut_units(
            plan, replace(choice, kept_out=_kept_out(job.index)), cutter, counts=counts, settings=settings, is_taken=job.is_taken,
            on_archive=lambda number: on_step("archives", number, len(plan.archives)),
        )  # fmt: skip
        for number, unit in enumerate(cut):
            job.begin(number, unit)
            on_step("pages", counts.pages, 0)
        while job.waiting:
            job.finish_oldest()
        counts.troubles += job.troubles
        report = add_up(
            run_id=run_id, is_dry_run=False, archives=len(plan.archives), read=counts, batches=job.batches,
            others=job.others, lost=job.lost, refused=refused, seconds=time.monotonic() - begun,
        )  # fmt: skip
        _end(job.index, run_id, report)
    return report


@contextmanager
def _job(settings: Settings, runner: Runner, config: BackfillConfig, run_id: str) -> Iterator[_Job]:
    """Open a backfill: one at a time per index; its objects in scratch/ are deleted at the end."""
    index, store = opened_index(settings), opened_store(settings)
    with index.write() as tx:
        now = datetime.now(UTC)
        runs.release_dead_runs(tx, now=now)
        for kind, what in ((JOB, "another backfill"), (runs.MEND, "a mend (`verify --mend`)")):
            if other := runs.find_working(tx, kind=kind, now=now):
                raise ConfigError(f"{what} is running on this index (run {other}): start the backfill after it ends")
        runs.begin_run(tx, run_id=run_id, now=now)
        is_first = archived.is_empty(tx)
    job_id = f"{JOB}{uuid.uuid4().hex}"
    job = _Job(
        job_id=job_id,
        store=store,
        index=index,
        runner=runner,
        is_first=is_first,
        ahead=AHEAD * (config.workers or runner.workers),
    )
    try:
        with LeaseKeeper(index, run_id=run_id, lease_s=settings.lease_s):
            yield job
    except BaseException:
        _end(index, run_id, None)
        raise
    finally:
        for one in list(store.list(scratch_prefix(job_id))):
            store.delete(one.key)


def _end(index: Index, run_id: str, report: BackfillReport | None) -> None:
    summary = orjson.dumps(report.summary()).decode() if report else None
    with index.write() as tx:
        runs.end_run(tx, run_id=run_id, now=datetime.now(UTC), summary=summary)


def _only_count(
    plan: BackfillPlan,
    choice: RecordFilter,
    cutter: UnitCutter,
    *,
    counts: ReadCounts,
    settings: Settings,
    on_step: OnStep,
) -> None:
    """Read the archives and only count; without an index, nothing was taken in before."""
    seen = set[str]()

    def count(is_known: Callable[[str], bool]) -> None:
        def is_taken(capture_id: str) -> bool:
            is_again = capture_id in seen or is_known(capture_id)
            seen.add(capture_id)
            return is_again

        for _ in cut_units(plan, choice, cutter, counts=counts, settings=settings, is_taken=is_taken):
            on_step("pages", counts.pages, 0)

    try:
        opened = index_to_read(settings)
        with opened as index:
            count(lambda capture_id: _is_known(index, capture_id))
    except ConfigError:
        count(lambda _: False)


def _kept_out(index: Index) -> KeptOut:
    with index.read() as tx:
        return read_kept_out(tx)


def _is_known(index: Index, capture_id: str) -> bool:
    with index.read() as tx:
        return bool(archived.find_archived(tx, [capture_id]))


def _cutter(config: BackfillConfig, choice: RecordFilter, run_id: str) -> UnitCutter:
    # archives are read in the plan's order, so that the order of arguments does not change the segments
    sorted_paths = config.model_copy(update={"paths": tuple(sorted(config.paths))})
    chosen = sorted_paths.model_dump_json(exclude={"runner", "address", "workers", "dry_run"})
    return UnitCutter(
        seed=hashlib.sha256(chosen.encode()).hexdigest(),
        run_id=run_id,
        software=software_name(),
        pages=config.unit_pages,
        options={source_id: one.extract for source_id, one in choice.rules.items()},
        languages=choice.languages,
    )


def read_rules(settings: Settings, config: BackfillConfig) -> Mapping[str, SourceRules]:
    """Return the rules of the catalogue's sources; raises CatalogueError."""
    catalogue = _catalogue(settings, config)
    return catalogue.rules() if catalogue else {}


def _catalogue(settings: Settings, config: BackfillConfig) -> Catalogue | None:
    """Return the catalogue; None if there is none and none was configured."""
    if "catalogue" not in settings.model_fields_set and not config.sources and not is_there(settings.catalogue):
        return None
    return load_catalogue(settings.catalogue)
