"""The session of a sweep: its index and store, its run record, its leases, its plan."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from prefect import get_run_logger

from flows.sweep.clock import SweepClock
from tasks.config.loading import read_catalogue
from tasks.config.parameters import IngestConfig, ShardConfig
from tasks.config.settings import Settings
from tasks.discover.asking import probe_settings
from tasks.discover.plan import SweepPlan, plan_sweep
from tasks.errors import ConfigError, IndexUnavailable, LakeUnavailable
from tasks.extract.shared_pool import close_pool
from tasks.fetch.claim import claim_batch
from tasks.health.judgement import HealthReport
from tasks.health.judging import judge_sources
from tasks.index import announcing, feeds, frontier, history, outbox, runs
from tasks.index.clocks import cap_future_times
from tasks.index.database import Index
from tasks.index.frontier import Selection
from tasks.index.leases import LeaseKeeper
from tasks.index.shards import Shard
from tasks.index.turns import Turns
from tasks.index.upkeep import prune_daily
from tasks.lake.keys import TABLES
from tasks.lake.tables import find_table
from tasks.report.run_report import RunReport
from tasks.runtime.allocator import COLLECTOR_THRESHOLDS, limit_retained_memory
from tasks.runtime.progress import progress
from tasks.runtime.reading import close_reader
from tasks.runtime.resources import check_lake, close_opened, opened_index, opened_store
from tasks.runtime.shutdown import stopping
from tasks.runtime.tracing import begin_batch, run_span
from tasks.values.batch import Batch
from tasks.values.feed import FeedState
from tasks.values.reports import Headline, Published
from tasks.web.browser import check_browser

ended: list[RunReport] = []
"""The reports of this process's runs. Prefect returns a run's report only while its server answers."""

HEADLINES = 10
FAILURES_KEPT = 200
"""The most failures that a shard's run reports to its sweep."""


@dataclass(slots=True, kw_only=True)
class Sweep:
    """A running sweep, or the run of one of its shards. `left` is the number of URLs left of its limit, or None for no limit."""

    run_id: str
    settings: Settings
    config: IngestConfig
    plan: SweepPlan
    index: Index
    left: int | None
    begun_at: datetime
    shard: Shard | None = None
    clock: SweepClock
    turns: Turns = field(default_factory=Turns)

    @property
    def ends_at(self) -> datetime:
        """The time after which nothing more is polled or claimed (aware UTC)."""
        return self.begun_at + timedelta(seconds=self.settings.sweep_s)

    def taking(self, number: int) -> "Sweep":
        """Return this sweep with another shard of the work."""
        return replace(self, **_part(self.config, number))

    def due_feeds(self) -> tuple[FeedState, ...]:
        """Return the feeds to poll: all of the plan's, or only those due."""
        now = datetime.now(UTC)
        with self.index.rehearse() if self.config.dry_run else self.index.write() as tx:
            feeds.add_feeds(tx, self.plan.feeds, now=now)
            return feeds.select_feeds(
                tx, (feed.feed_url for feed in self.plan.feeds), due_by=now if self.config.due_only else None
            )

    def announce_urls(self) -> int:
        """Put the plan's URLs into the frontier, and make its recalled URLs due again; return the number of new URLs."""
        now = datetime.now(UTC)
        with self.index.write() as tx:
            new = announcing.announce(tx, self.plan.urls, now=now)
            for recalled in self.plan.recalls:
                frontier.recall(tx, recalled.selection, now=now, states=recalled.states)
            return new

    def claim(self) -> Batch | None:
        """Lease the next batch; return None if nothing is due, or the limit or the time is reached."""
        limit = self.settings.batch_size if self.left is None else min(self.left, self.settings.batch_size)
        if limit == 0 or self.clock.is_over:
            return None
        batch = claim_batch(
            self.index,
            self._selection(),
            run_id=self.run_id,
            limit=limit,
            lease_s=self.settings.lease_s,
            host_budget_s=self.settings.host_budget_s,
            rules=self.plan.rules,
            turns=self.turns,
            without=self.clock.over_share(),
        )
        if batch:
            progress.add("claimed", len(batch.looks))
            begin_batch(batch.batch_id, urls=len(batch.looks))
        if batch and self.left is not None:
            self.left -= len(batch.looks)
        return batch

    def pending(self) -> int:
        """Count the selection's URLs that are due now or later."""
        with self.index.read() as tx:
            return frontier.count_pending(tx, self.plan.selection)

    def headlines(self) -> tuple[Headline, ...]:
        """Return the newest articles that were first seen in this sweep, at most `HEADLINES`."""
        ids = {*self.plan.source_ids, *(self.plan.selection.others or ())}
        with self.index.read() as tx:
            return tuple(history.find_newest(tx, ids, since=self.begun_at, limit=HEADLINES))

    def due_now(self) -> int:
        """Count the selection's URLs due now, up to the rest of the limit."""
        with self.index.read() as tx:
            due = frontier.count_pending(tx, self.plan.selection, due_by=datetime.now(UTC))
        return due if self.left is None else min(due, self.left)

    def health(self) -> HealthReport:
        """Judge the health of the sources, and record it for this run."""
        return judge_sources(self.index, self.plan.source_ids, run_id=self.run_id, now=datetime.now(UTC))

    def published_upto(self) -> int:
        """Return the outbox sequence up to which every decided batch is published in the lake."""
        with self.index.read() as tx:
            return outbox.published_upto(tx)

    def published(self, *, since: int) -> Published:
        """Return the outbox sequences published since `since`, with the Delta versions of the tables."""
        # the sequence first: the tables read afterwards then have all rows up to it
        upto, store = self.published_upto(), opened_store(self.settings)
        try:
            tables = {name: find_table(store, name) for name in TABLES}
        except LakeUnavailable:  # everything is published already; report without the versions
            return Published(since=since, upto=upto)
        versions = {name: table.version() for name, table in tables.items() if table is not None}
        return Published(since=since, upto=upto, delta_versions=versions)

    def end(self, report: RunReport) -> None:
        """Record the end of the run and its summary in the index."""
        summary = report.to_json()
        if self.shard is not None:
            summary |= {"failures": [asdict(failure) for failure in report.failures[:FAILURES_KEPT]]}
        with self.index.write() as tx:
            runs.end_run(tx, run_id=self.run_id, now=datetime.now(UTC), summary=orjson.dumps(summary).decode())
        ended.append(report)

    def _selection(self) -> Selection:
        return replace(self.plan.selection, shard=self.shard)


@contextmanager
def begun(settings: Settings, config: IngestConfig, *, run_id: str, part: ShardConfig | None = None) -> Iterator[Sweep]:
    """Open the session of a sweep, or of one shard (`part`) of it, and close it at the end.

    Raises ConfigError if the catalogue or the plan is wrong, or if the index does not know the shard's sweep.
    """
    stopping.clear()
    progress.clear()
    ended.clear()
    now = datetime.now(UTC)
    plan = plan_sweep(config, read_catalogue(settings, config), allow_networks=settings.allow_networks, now=now)
    check_browser(plan.rules[source_id] for source_id in plan.source_ids)
    check_lake(settings)
    index = opened_index(settings)
    with index.write() as tx:
        if part is not None and not runs.is_known(tx, part.sweep_id):
            raise ConfigError(
                f"the index {index.uri} does not know the sweep {part.sweep_id}: PRESSLAKE_INDEX and PRESSLAKE_LAKE must "
                "name the same on every machine that works for one sweep"
            )
        runs.release_dead_runs(tx, now=now)
        runs.begin_run(tx, run_id=run_id, now=now, sweep_id=part.sweep_id if part else None)
        prune_daily(tx, now=now)
        if brought := cap_future_times(tx, now=now):
            get_run_logger().warning(
                "%d stored times were too far in the future (was a clock wrong?) and were corrected", brought
            )
    share = _part(config, part.number if part else 0)
    if part is not None:
        plan = replace(plan, selection=replace(plan.selection, shard=share["shard"]))
    sweep = Sweep(
        run_id=run_id,
        settings=settings,
        config=config,
        plan=plan,
        index=index,
        begun_at=now,
        clock=_clock(settings, plan),
        **share,
    )
    try:
        with run_span(run_id), LeaseKeeper(index, run_id=run_id, lease_s=settings.lease_s), _calm_collector():
            yield sweep
    except BaseException:
        stopping.set()
        _give_up(index, run_id)
        raise
    finally:
        close_pool()
        close_reader()
        close_opened()


@contextmanager
def rehearsed(settings: Settings, config: IngestConfig, *, run_id: str) -> Iterator[Sweep]:
    """Open the session of a dry run, which changes nothing but the hosts' pace; raise ConfigError as `begun` does."""
    stopping.clear()
    progress.clear()
    now = datetime.now(UTC)
    plan = plan_sweep(config, read_catalogue(settings, config), allow_networks=settings.allow_networks, now=now)
    with probe_settings(settings) as chosen, _calm_collector():
        try:
            yield Sweep(
                run_id=run_id,
                settings=chosen,
                config=config,
                plan=plan,
                index=opened_index(chosen),
                begun_at=now,
                left=None,
                clock=_clock(chosen, plan),
            )
        except BaseException:
            stopping.set()
            raise
        finally:
            close_reader()
            close_opened()


def _clock(settings: Settings, plan: SweepPlan) -> SweepClock:
    return SweepClock(settings.sweep_s, {one: plan.rules[one].sweep_share for one in plan.source_ids})


def _part(config: IngestConfig, number: int) -> dict[str, Any]:
    """Return the fields of a Sweep that depend on its shard: the shard, and its share of the limit."""
    of = config.shards
    limit = config.limit // of + (number < config.limit % of) if config.limit else None
    return {"shard": Shard(number=number, of=of) if of > 1 else None, "left": limit}


@contextmanager
def _calm_collector() -> Iterator[None]:
    """Keep Python's garbage collector off the objects of imports: measured, they cost a tenth of a sweep's CPU."""
    thresholds = gc.get_threshold()
    limit_retained_memory()
    if gc.isenabled():  # what an earlier sweep of this process has left would be frozen
        gc.collect()
    gc.freeze()  # including garbage of the imports, 1.7 MB: collecting it would take 0.17 s of each command
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    gc.enable()  # the command has disabled it while importing
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _give_up(index: Index, run_id: str) -> None:
    """Release the run's leases; if the index does not answer, they expire by themselves."""
    try:
        with index.write() as tx:
            runs.end_run(tx, run_id=run_id, now=datetime.now(UTC), summary=None)
    except IndexUnavailable:
        return
