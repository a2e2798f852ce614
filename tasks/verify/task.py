"""The verify task: one run a verification."""

from datetime import UTC, datetime, timedelta

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.config.settings import Settings
from tasks.engine import RETRIES
from tasks.runtime.resources import opened_index, opened_store
from tasks.verify.config import VerifyConfig
from tasks.verify.fault import VerifyReport
from tasks.verify.verification import verify as verify_all

LOGGED = 100


@task(name="verify", task_run_name="verify", cache_policy=NO_CACHE, persist_result=False, **RETRIES)
def verify(config: VerifyConfig, settings: Settings) -> VerifyReport:
    """Verify the index against the lake and return what was found."""
    log = get_run_logger()
    report = verify_all(
        index=opened_index(settings),
        store=opened_store(settings),
        now=datetime.now(UTC),
        is_mending=config.mend,
        sample=config.sample,
        revisit_after=[timedelta(hours=hours) for hours in settings.revisit_after_h],
        told=lambda what, done, _all: log.info("%s: %d", what, done) if done == 0 else None,
    )
    for fault in report.faults[:LOGGED]:
        log.warning("%s at %s: %s", fault.kind.value, fault.place, fault.detail)
    return report
