"""The extract task: one run a batch, over a pool of processes that this process keeps between batches and shares."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.config.catalogue import SourceRules
from tasks.config.settings import Settings
from tasks.engine import RETRIES
from tasks.errors import Stopped
from tasks.extract.extraction import extract_batch
from tasks.extract.pool import ExtractorPool, PoolConfig
from tasks.runtime.progress import progress
from tasks.runtime.resources import opened_store
from tasks.runtime.shutdown import stopping
from tasks.runtime.tracing import stage_span
from tasks.values.batch import ExtractedBatch, FetchedBatch
from tasks.values.rows import Outcome

_pool_lock = threading.Lock()
_pool: ExtractorPool | None = None


@task(
    name="extract",
    task_run_name="extract {fetched.batch.batch_id}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRIES,
)
def extract(fetched: FetchedBatch, rules: Mapping[str, SourceRules], settings: Settings) -> ExtractedBatch:
    """Extract a batch's pages, each as its source's rules say, and return them beside their captures."""
    progress.add("to_extract", sum(one.outcome is Outcome.OK for one in fetched.captures))
    with stage_span("extract", fetched.batch.batch_id) as note:
        extracted = extract_batch(
            fetched,
            pool=_shared_pool(settings),
            read_segment=opened_store(settings).get,
            now=datetime.now(UTC),
            extracted_one=lambda: progress.add("extracted"),
            options={source_id: one.extract for source_id, one in rules.items()},
        )
        note(pages=len(extracted.pages))
    get_run_logger().info("extracted %d pages", len(extracted.pages))
    return extracted


def close_pool() -> None:
    """End the extraction processes; the next batch starts them again."""
    global _pool  # noqa: PLW0603 - one pool a process, warm between batches
    with _pool_lock:
        if _pool is not None:
            _pool.close()
            _pool = None


def _shared_pool(settings: Settings) -> ExtractorPool:
    global _pool  # noqa: PLW0603
    with _pool_lock:
        if stopping.is_set():
            raise Stopped("asked to stop")  # nobody would end the processes
        if _pool is None:
            _pool = ExtractorPool(
                PoolConfig(
                    workers=settings.extract_workers,
                    time_limit_s=settings.extract_time_limit_s,
                    memory_size=settings.extract_memory_size,
                )
            )
        return _pool
