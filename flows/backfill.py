"""Backfill: what was published before, out of archives."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.sweep.naming import backfill_name, named
from flows.units.runners import units_runner
from flows.units.session import log_steps, session
from tasks.backfill.config import BackfillConfig
from tasks.backfill.report import summary_line
from tasks.backfill.taking import JOB, backfill_warc, read_rules
from tasks.config.settings import load_settings
from tasks.tasks import report_backfill


@flow(name="backfill", flow_run_name=named(backfill_name), persist_result=False)
def backfill(config: BackfillConfig) -> State[Any]:
    """Take in the pages of WARC files: extract, deduplicate and store them as if they had been fetched then.

    Args:
        config: Which archives, and what of them; where their pages are extracted.
    """
    settings = load_settings()
    with session():
        rules = read_rules(settings, config)
        with units_runner(
            config.runner, address=config.address, workers=config.workers, rules=rules, settings=settings
        ) as runner:
            report = backfill_warc(config, settings, runner, run_id=f"{JOB}{flow_run.id}", on_step=log_steps())
    report_backfill(report)
    return Completed(message=summary_line(report), data=report)
