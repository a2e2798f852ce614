"""The deduplicate task: one run a batch."""

from datetime import UTC, datetime, timedelta

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.config.settings import Settings
from tasks.deduplicate.deciding import decide_batch
from tasks.engine import RETRIES
from tasks.runtime.resources import opened_index
from tasks.runtime.tracing import stage_span
from tasks.values.batch import ExtractedBatch
from tasks.values.reports import BatchReport


@task(
    name="deduplicate",
    task_run_name="deduplicate {extracted.fetched.batch.batch_id}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRIES,
)
def deduplicate(extracted: ExtractedBatch, settings: Settings) -> BatchReport:
    """Decide a batch and return what it came to."""
    ages = [timedelta(hours=hours) for hours in settings.revisit_after_h]
    with stage_span("deduplicate", extracted.fetched.batch.batch_id) as note:
        report = decide_batch(extracted, index=opened_index(settings), now=datetime.now(UTC), revisit_after=ages)
        note(**report.articles)
    get_run_logger().info("decided %s", report.articles)
    return report
