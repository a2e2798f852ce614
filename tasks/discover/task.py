"""The discover task: all feeds of a sweep in one run."""

from dataclasses import replace

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.config.settings import Settings
from tasks.discover.plan import SweepPlan
from tasks.discover.polling import poll_feeds
from tasks.discover.preview import preview_sweep
from tasks.discover.schedule import PollConfig
from tasks.engine import RETRIES, run_until_stopped
from tasks.index.database import Index
from tasks.index.hosts import HostBook
from tasks.politeness.client import PoliteClient
from tasks.runtime.progress import progress
from tasks.runtime.resources import opened_index, web_config
from tasks.runtime.tracing import stage_span
from tasks.values.feed import FeedState
from tasks.values.look import DueUrl
from tasks.values.reports import DiscoverReport


@task(name="discover", task_run_name="discover", cache_policy=NO_CACHE, persist_result=False, **RETRIES)
def discover(feeds: tuple[FeedState, ...], plan: SweepPlan, announced: int, settings: Settings) -> DiscoverReport:
    """Poll feeds and return what they came to; `announced` URLs were new before any feed was asked."""
    with stage_span("discover") as note:
        polled = run_until_stopped(_discover(feeds, plan, settings))
        report = replace(polled, discovered=polled.discovered + announced)
        note(feeds=report.polled, discovered=report.discovered)
    get_run_logger().info(
        "polled %d feeds: %d URLs are new, %d feeds unchanged", report.polled, report.discovered, report.unchanged
    )
    return report


async def _discover(feeds: tuple[FeedState, ...], plan: SweepPlan, settings: Settings) -> DiscoverReport:
    index = opened_index(settings)
    progress.add("feeds_to_poll", len(feeds))
    async with _client(index, plan, settings) as client:
        return await poll_feeds(
            feeds,
            client=client,
            rules=plan.rules,
            index=index,
            config=PollConfig(),
            polled_one=lambda: progress.add("feeds"),
            since=plan.selection.since,
            owners=plan.owners,
        )


@task(name="preview", task_run_name="preview", cache_policy=NO_CACHE, persist_result=False, **RETRIES)
def preview(
    feeds: tuple[FeedState, ...], plan: SweepPlan, limit: int, settings: Settings
) -> tuple[DiscoverReport, int, tuple[DueUrl, ...]]:
    """Poll feeds and return what a sweep would come to: the report, how many URLs it would fetch, and the first."""
    return run_until_stopped(_preview(feeds, plan, limit, settings))


async def _preview(
    feeds: tuple[FeedState, ...], plan: SweepPlan, limit: int, settings: Settings
) -> tuple[DiscoverReport, int, tuple[DueUrl, ...]]:
    index = opened_index(settings)
    progress.add("feeds_to_poll", len(feeds))
    async with _client(index, plan, settings) as client:
        return await preview_sweep(
            feeds,
            plan=plan,
            limit=limit,
            client=client,
            index=index,
            config=PollConfig(),
            polled_one=lambda: progress.add("feeds"),
        )


def _client(index: Index, plan: SweepPlan, settings: Settings) -> PoliteClient:
    return PoliteClient(web_config(settings), HostBook(index), in_flight=settings.connections, owners=plan.owners)
