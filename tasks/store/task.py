"""The store task: publish what is decided. One run a batch, and one at the start for what an earlier run left."""

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.config.settings import Settings
from tasks.engine import RETRIES
from tasks.index import outbox
from tasks.index.database import Index
from tasks.lake.growing import grow_tables
from tasks.runtime.progress import progress
from tasks.runtime.resources import opened_index, opened_store
from tasks.runtime.tracing import stage_span
from tasks.store.publishing import publish
from tasks.values.batch import OutboxItem

ITEMS_A_COMMIT = 20


@task(name="store", task_run_name="store", cache_policy=NO_CACHE, persist_result=False, **RETRIES)
def store(settings: Settings) -> int:
    """Publish everything in the outbox, oldest first, and return how many rows the articles table gained."""
    with stage_span("store") as note:
        gained = _publish_all(settings)
        note(revisions=gained)
    progress.add("stored", gained)
    get_run_logger().info("published %d revisions", gained)
    return gained


def _publish_all(settings: Settings) -> int:
    index, lake, gained = opened_index(settings), opened_store(settings), 0
    items = _pending(index)
    if not items:
        grow_tables(lake)  # the first run of a newer version may have nothing to publish yet
    while items:
        publish(items, store=lake, index_id=index.index_id)
        with index.write() as tx:
            outbox.clear(tx, (item.sequence for item in items))
        gained += sum(len(item.articles) for item in items)
        items = _pending(index)
    return gained


def _pending(index: Index) -> tuple[OutboxItem, ...]:
    with index.read() as tx:
        return outbox.pending(tx, limit=ITEMS_A_COMMIT)
