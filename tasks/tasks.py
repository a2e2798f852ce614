"""Every Prefect task of Presslake: each only runs one stage on one batch.

This is the only module below `tasks` that imports Prefect. It decides what is retried: failures of a port (StageError),
since any other error would occur again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.events import emit_event
from prefect.tasks import Task, exponential_backoff

from tasks.backfill import report as backfill_report
from tasks.backfill.dated import Window
from tasks.backfill.extracting import UnitCount
from tasks.backfill.local import decide_here, extract_here, stored_archive
from tasks.backfill.walking import WalkReport, walk_archives
from tasks.config.catalogue import Source, SourceRules
from tasks.config.owners import Owners
from tasks.config.settings import Settings, load_settings
from tasks.deduplicate.deciding import decide_batch
from tasks.discover.intake import with_given_urls
from tasks.discover.plan import SweepPlan
from tasks.discover.polling import poll_feeds
from tasks.discover.preview import preview_sweep
from tasks.discover.schedule import PollConfig
from tasks.errors import ConfigError, StageError
from tasks.extract.extraction import extract_batch
from tasks.extract.refused import entomb_refused
from tasks.extract.shared_pool import shared_pool
from tasks.fetch.fetching import fetch_batch
from tasks.fetch.unreadable_feed import keep_unreadable
from tasks.forget.config import ForgetConfig
from tasks.forget.forgetting import Elsewhere, forget_again
from tasks.forget.records import entomb_taken_down
from tasks.forget.report import ForgetReport
from tasks.forget.report import summary_line as forget_summary
from tasks.health.judgement import HealthReport
from tasks.health.table import health_rows, health_summary, quarantine_rows
from tasks.index.hosts import HostLimits
from tasks.lake.keys import warc_key
from tasks.lake.stored_bytes import StoredBytes
from tasks.report.events import events_of
from tasks.report.links import Links
from tasks.report.markdown import to_markdown
from tasks.report.run_report import RunReport, failure_rows, summary_line
from tasks.runtime.allocator import HeapTrimmer
from tasks.runtime.progress import progress
from tasks.runtime.resources import opened_index, opened_store, polite_client, reader_of, software_name
from tasks.runtime.shutdown import run_until_stopped, stopping
from tasks.runtime.tracing import configure, stage_span
from tasks.store.publishing import publish_all
from tasks.values.batch import Batch
from tasks.values.display import counted, plural
from tasks.values.feed import FeedKind, FeedState
from tasks.values.look import DueUrl
from tasks.values.reports import BatchReport, DiscoverReport
from tasks.values.rows import Outcome

if TYPE_CHECKING:  # sweeps do not need these; the tasks that do import them when they run
    from tasks.maintain.config import MaintainConfig
    from tasks.maintain.maintenance import MaintainReport
    from tasks.replay.config import ReplayConfig
    from tasks.replay.report import ReplayReport
    from tasks.verify.config import VerifyConfig
    from tasks.verify.fault import VerifyReport

configure()  # before any flow begins, otherwise Prefect's own span of the flow is lost

REPORT_KEY = "run-report"
FAILURES_KEY = "run-failures"
HEALTH_KEY = "source-health"
QUARANTINE_KEY = "quarantine"
REPLAY_KEY = "replay-report"
BACKFILL_KEY = "backfill-report"

LOGGED_FAULTS = 100

_trimmer = HeapTrimmer(8 << 20)


class _Keeping(TypedDict):
    cache_policy: Any
    persist_result: bool


class _Retrying(_Keeping):
    retries: int
    retry_delay_seconds: Any
    retry_jitter_factor: float
    retry_condition_fn: Any


def is_worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a task failed because a port was unavailable (StageError), and this process has not been asked to stop."""
    result = state.result(raise_on_failure=False)
    return isinstance(result, StageError) and not stopping.is_set()


KEEPING_NOTHING = _Keeping(cache_policy=NO_CACHE, persist_result=False)
RETRIED = _Retrying(
    **KEEPING_NOTHING,
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_worth_retrying,
)


@task(name="discover", task_run_name="discover", **RETRIED)
def discover(
    feeds: tuple[FeedState, ...], plan: SweepPlan, announced: int, settings: Settings, *, run_id: str, until: datetime
) -> DiscoverReport:
    """Poll feeds and return the counts; `announced` URLs were new before any feed was polled.

    No feed is polled after `until`.
    """
    with stage_span("discover") as note:
        polled = run_until_stopped(_discover(feeds, plan, settings, run_id, until))
        report = with_given_urls(polled, plan.urls, opened_index(settings), announced=announced)
        note(feeds=report.polled, discovered=report.discovered)
    get_run_logger().info(
        "polled %d feeds: %d new URLs, %d feeds unchanged", report.polled, report.discovered, report.unchanged
    )
    return report


async def _discover(
    feeds: tuple[FeedState, ...], plan: SweepPlan, settings: Settings, run_id: str, until: datetime
) -> DiscoverReport:
    index, put = opened_index(settings), opened_store(settings).put
    progress.add("feeds_to_poll", sum(one.kind is not FeedKind.FALLBACK for one in feeds))
    async with polite_client(settings, plan.owners, is_of_many=True) as client:
        return await poll_feeds(
            feeds,
            client=client,
            rules=plan.rules,
            index=index,
            config=PollConfig(),
            polled_one=lambda: progress.add("feeds"),
            since=plan.selection.since,
            owners=plan.owners,
            reader=reader_of(settings),
            keep_unreadable=partial(keep_unreadable, run_id=run_id, software=software_name(), put=put, index=index),
            is_over=lambda: datetime.now(UTC) >= until,
        )


@task(name="preview", task_run_name="preview", **RETRIED)
def preview(
    feeds: tuple[FeedState, ...], plan: SweepPlan, limit: int, settings: Settings
) -> tuple[DiscoverReport, int, tuple[DueUrl, ...]]:
    """Poll feeds and return what a sweep would do: the report, how many URLs it would fetch, and the first of them."""
    return run_until_stopped(_preview(feeds, plan, limit, settings))


async def _preview(
    feeds: tuple[FeedState, ...], plan: SweepPlan, limit: int, settings: Settings
) -> tuple[DiscoverReport, int, tuple[DueUrl, ...]]:
    progress.add("feeds_to_poll", sum(one.kind is not FeedKind.FALLBACK for one in feeds))
    async with polite_client(settings, plan.owners) as client:
        return await preview_sweep(
            feeds,
            plan=plan,
            limit=limit,
            client=client,
            index=opened_index(settings),
            config=PollConfig(),
            polled_one=lambda: progress.add("feeds"),
            reader=reader_of(settings),
        )


@task(name="fetch", task_run_name="fetch {batch.batch_id}", **RETRIED)
def fetch(batch: Batch, rules: Mapping[str, SourceRules], owners: Owners, settings: Settings) -> Batch:
    """Fetch a batch into the lake and return it with its captures."""
    with stage_span("fetch", batch.batch_id) as note:
        fetched = run_until_stopped(_fetch(batch, rules, owners, settings))
        deferred = sum(look.deferred_until is not None for look in fetched.looks)
        note(captures=len(fetched.captures), deferred=deferred)
    get_run_logger().info("fetched %d of %d URLs, %d postponed", len(fetched.captures), len(batch.looks), deferred)
    return fetched


async def _fetch(batch: Batch, rules: Mapping[str, SourceRules], owners: Owners, settings: Settings) -> Batch:
    async with polite_client(settings, owners) as client:
        return await fetch_batch(
            batch,
            client=client,
            rules=rules,
            segment_key=warc_key(batch.batch_id, datetime.now(UTC).date()),
            software=software_name(),
            max_segment_size=settings.max_segment_size,
            put=opened_store(settings).put,
            fetched_one=_fetched_one,
            meet_policies=HostLimits(opened_index(settings)).meet_policies,
        )


def _fetched_one() -> None:
    progress.add("fetched")
    _trimmer.trim()  # freed page bodies leave the heap fragmented


@task(name="extract", task_run_name="extract {fetched.batch_id}", **RETRIED)
def extract(fetched: Batch, rules: Mapping[str, SourceRules], settings: Settings) -> Batch:
    """Extract a batch's pages, each by its source's rules, and return the batch with them."""
    progress.add("to_extract", sum(one.outcome is Outcome.OK for one in fetched.captures))
    with stage_span("extract", fetched.batch_id) as note:
        extracted = extract_batch(
            fetched,
            pool=shared_pool(settings),
            read_segment=partial(StoredBytes, opened_store(settings)),
            now=datetime.now(UTC),
            extracted_one=lambda: progress.add("extracted"),
            options={source_id: one.extract for source_id, one in rules.items()},
        )
        store = opened_store(settings)
        entomb_refused(extracted, get=store.get, put=store.put)
        pages = sum(look.page is not None for look in extracted.looks)
        note(pages=pages)
    get_run_logger().info("extracted %d pages", pages)
    return extracted


@task(name="deduplicate", task_run_name="deduplicate {extracted.batch_id}", **RETRIED)
def deduplicate(extracted: Batch, rules: Mapping[str, SourceRules], settings: Settings) -> BatchReport:
    """Deduplicate a batch and return its counts; stored pages that other rules extracted are extracted again by `rules`."""
    ages = [timedelta(hours=hours) for hours in settings.revisit_after_h]
    archive = stored_archive(rules, settings)
    with stage_span("deduplicate", extracted.batch_id) as note:
        report = decide_batch(
            extracted,
            index=opened_index(settings),
            now=datetime.now(UTC),
            revisit_after=ages,
            rules=rules,
            archive=archive,
        )
        note(**report.articles)
    entomb_taken_down(report, extracted.captures, index=opened_index(settings), store=opened_store(settings))
    get_run_logger().info("decided %s", counted(report.articles) or "no article")
    return report


@task(name="store", task_run_name="store", **RETRIED)
def store(settings: Settings) -> int:
    """Publish everything in the outbox, oldest first, and return how many rows the articles table gained."""
    with stage_span("store") as note:
        gained = publish_all(opened_index(settings), opened_store(settings))
        note(revisions=gained)
    progress.add("stored", gained)
    get_run_logger().info("published %d revisions", gained)
    return gained


# no retries: if the server is unavailable, Prefect's client has already retried for a minute
@task(name="report", task_run_name="report", **KEEPING_NOTHING)
def report(run: RunReport, health: HealthReport | None) -> None:
    """Show a run as artifacts (report, sources' health, failures, quarantine) and emit its events.

    The run of a shard has no health; its sweep reports it.
    """
    for event in events_of(run, health) if health else ():  # events first, since no later run would emit them
        emit_event(event.name, resource=event.resource, payload=event.payload, id=event.event_id)
    health, links = health or HealthReport(), Links(load_settings().browse_url)
    create_markdown_artifact(to_markdown(run, health, links), key=REPORT_KEY, description=summary_line(run))
    if health.sources:
        create_table_artifact(
            health_rows(health.sources, now=datetime.now(UTC)),
            key=HEALTH_KEY,
            description=health_summary(health.sources),
        )
    if run.failures:
        create_table_artifact(
            failure_rows(run, links), key=FAILURES_KEY, description=plural(len(run.failures), "failure")
        )
    if health.quarantined:
        kept = f"{plural(len(health.quarantined), 'page')} in quarantine, the newest"
        create_table_artifact(
            quarantine_rows(health.quarantined, now=datetime.now(UTC)), key=QUARANTINE_KEY, description=kept
        )
    get_run_logger().info("%s; sources: %s", summary_line(run), health_summary(health.sources))


@task(name="extract-unit", task_run_name="extract unit {number}", **RETRIED)
def extract_unit(job_id: str, number: int, lake: str) -> UnitCount:
    """Extract one unit of a backfill, on any machine whose settings name the same `lake`."""
    settings = load_settings()
    if settings.lake != lake:
        raise ConfigError(f"a worker uses PRESSLAKE_LAKE {settings.lake}, but the backfill uses {lake}")
    with stage_span("extract") as note:
        count = extract_here(job_id, number, settings)
        note(pages=count.articles)
    return count


@task(name="decide-unit", task_run_name="decide unit {number}", **RETRIED)
def decide_unit(job_id: str, number: int, rules: Mapping[str, SourceRules], settings: Settings) -> BatchReport:
    """Decide one unit of a backfill, publish it, and return its counts."""
    with stage_span("deduplicate") as note:
        report = decide_here(job_id, number, rules, settings)
        note(**report.articles)
    get_run_logger().info("decided %s", counted(report.articles) or "no article")
    return report


@task(name="walk", task_run_name="walk", **RETRIED)
def walk(
    sources: tuple[Source, ...], plan: SweepPlan, wanted: Window, settings: Settings, until: datetime
) -> WalkReport:
    """Walk through the sources' own archives, and announce the URLs of the wanted days."""
    with stage_span("discover") as note:
        report = run_until_stopped(_walk(sources, plan, wanted, settings, until))
        note(discovered=report.discovered)
    get_run_logger().info("read %d lists: %d URLs in this period, %d new", report.read, report.found, report.discovered)
    return report


async def _walk(
    sources: tuple[Source, ...], plan: SweepPlan, wanted: Window, settings: Settings, until: datetime
) -> WalkReport:
    reader, index = reader_of(settings), opened_index(settings)
    async with polite_client(settings, plan.owners) as client:
        return await walk_archives(
            sources, client=client, rules=plan.rules, owners=plan.owners, wanted=wanted, index=index, reader=reader,
            is_over=lambda: datetime.now(UTC) >= until,
        )  # fmt: skip


@task(name="backfill-report", task_run_name="report", **KEEPING_NOTHING)
def report_backfill(done: backfill_report.BackfillReport) -> None:
    """Show a backfill as an artifact."""
    create_markdown_artifact(
        backfill_report.as_markdown(done), key=BACKFILL_KEY, description=backfill_report.summary_line(done)
    )
    get_run_logger().info(backfill_report.summary_line(done))


@task(name="verify", task_run_name="verify", **RETRIED)
def verify(config: "VerifyConfig", settings: Settings) -> "VerifyReport":
    """Verify the index against the lake and return the faults."""
    from tasks.verify.verification import verify_lake  # noqa: PLC0415

    log = get_run_logger()
    found = verify_lake(config, settings, on_step=_log_steps)
    for fault in found.faults[:LOGGED_FAULTS]:
        log.warning("%s at %s: %s", fault.kind.value, fault.place, fault.detail)
    return found


@task(name="forget", task_run_name="forget", **RETRIED)
def forget(config: ForgetConfig, settings: Settings, elsewhere: Elsewhere) -> ForgetReport:
    """Apply takedowns again and return what was removed."""
    done = forget_again(config.takedown_id, settings, elsewhere=elsewhere, on_step=_log_steps)
    get_run_logger().info(forget_summary(done))
    return done


@task(name="maintain", task_run_name="maintain", **RETRIED)
def maintain(config: "MaintainConfig", settings: Settings) -> "MaintainReport":
    """Maintain lake and index, and return what was done."""
    from tasks.maintain import maintenance  # noqa: PLC0415

    done = maintenance.maintain_lake(config, settings, on_step=_log_steps)
    get_run_logger().info(maintenance.summary_line(done))
    return done


@task(name="replay", task_run_name="replay", **RETRIED)
def replay(config: "ReplayConfig", settings: Settings) -> "ReplayReport":
    """Extract stored pages again, supersede what differs, show the report as an artifact, and return it."""
    from tasks.replay import report as replay_report  # noqa: PLC0415
    from tasks.replay.replaying import replay_lake  # noqa: PLC0415

    done = replay_lake(config, settings, on_step=_log_steps)
    create_markdown_artifact(
        replay_report.to_markdown(done), key=REPLAY_KEY, description=replay_report.summary_line(done)
    )
    get_run_logger().info(replay_report.summary_line(done))
    return done


def _log_steps(what: str, done: int, total: int) -> None:
    """Log each step of a long task as it begins."""
    if done == 0:
        get_run_logger().info("%s: %d" if not total else "%s: 0 of %d", what, total)
