"""The maintain task: one run a maintenance."""

from datetime import UTC, datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.config.settings import Settings
from tasks.engine import RETRIES
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import MaintainReport, headline
from tasks.maintain.maintenance import maintain as maintain_all
from tasks.runtime.resources import opened_index, opened_store


@task(name="maintain", task_run_name="maintain", cache_policy=NO_CACHE, persist_result=False, **RETRIES)
def maintain(config: MaintainConfig, settings: Settings) -> MaintainReport:
    """Put lake and index in order and return what was done."""
    log = get_run_logger()
    report = maintain_all(
        index=opened_index(settings),
        store=opened_store(settings),
        config=config,
        now=datetime.now(UTC),
        told=lambda what, done, total: log.info("%s: %d of %d", what, done, total) if done == 0 else None,
    )
    log.info(headline(report))
    return report
