"""The fetch task: one run a batch."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.config.catalogue import SourceRules
from tasks.config.owners import Owners
from tasks.config.settings import Settings
from tasks.engine import RETRIES, run_until_stopped
from tasks.fetch.fetching import fetch_batch
from tasks.index.hosts import HostBook
from tasks.lake.keys import warc_key
from tasks.politeness.client import PoliteClient
from tasks.runtime.progress import progress
from tasks.runtime.resources import opened_index, opened_store, web_config
from tasks.runtime.tracing import stage_span
from tasks.values.batch import Batch, FetchedBatch


@task(name="fetch", task_run_name="fetch {batch.batch_id}", cache_policy=NO_CACHE, persist_result=False, **RETRIES)
def fetch(batch: Batch, rules: Mapping[str, SourceRules], owners: Owners, settings: Settings) -> FetchedBatch:
    """Fetch a batch into the lake and return its captures."""
    with stage_span("fetch", batch.batch_id) as note:
        fetched = run_until_stopped(_fetch(batch, rules, owners, settings))
        note(captures=len(fetched.captures), deferred=len(fetched.deferred))
    get_run_logger().info(
        "fetched %d of %d URLs, %d put off", len(fetched.captures), len(batch.urls), len(fetched.deferred)
    )
    return fetched


async def _fetch(batch: Batch, rules: Mapping[str, SourceRules], owners: Owners, settings: Settings) -> FetchedBatch:
    book = HostBook(opened_index(settings))
    async with PoliteClient(web_config(settings), book, in_flight=settings.connections, owners=owners) as client:
        return await fetch_batch(
            batch,
            client=client,
            rules=rules,
            segment_key=warc_key(batch.batch_id, datetime.now(UTC).date()),
            software=f"presslake/{version('presslake')}",
            max_segment_size=settings.max_segment_size,
            put=opened_store(settings).put,
            fetched_one=lambda: progress.add("fetched"),
        )
