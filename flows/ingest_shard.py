"""One shard of a sweep, on any worker: the sweep (flows.ingest) starts this flow and adds up its counts."""

import time
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.sweep.batches import show, work_through
from flows.sweep.session import begun
from tasks.config.parameters import ShardConfig
from tasks.config.settings import load_settings
from tasks.report.run_report import add_up, shortfall, summary_line
from tasks.values.reports import DiscoverReport


@flow(
    name="ingest-shard",
    flow_run_name="shard {config.number}",
    persist_result=False,
    task_runner=ThreadPoolTaskRunner(max_workers=10),  # type: ignore[arg-type]
)
def ingest_shard(config: ShardConfig) -> State[Any]:
    """Fetch, extract, deduplicate and store the due URLs of one shard's hosts.

    Args:
        config: Which sweep, and which part of it; sweeps fill it in.
    """
    started = time.monotonic()
    with begun(load_settings(), config.sweep, run_id=str(flow_run.id), part=config) as sweep:
        run = add_up(
            run_id=sweep.run_id,
            discovered=DiscoverReport(),
            batches=work_through(sweep),
            pending=sweep.pending(),
            seconds=time.monotonic() - started,
            fell_short=None,
        )
        run = show(run)
        sweep.end(run)
    name = "CompletedWithFailures" if shortfall(run) else "Completed"
    return Completed(name=name, message=summary_line(run), data=run)
