"""Backfill: take in older articles from WARC files or from the sources' own archives."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.sweep.archives import backfill_sources
from flows.sweep.interrupting import interruptible
from flows.sweep.naming import backfill_name, named
from flows.units.runners import units_runner
from flows.units.session import log_steps, session
from tasks.backfill.config import BackfillConfig
from tasks.backfill.report import BackfillReport, summary_line
from tasks.backfill.taking import JOB, backfill_warc, read_rules
from tasks.config.settings import Settings, load_settings
from tasks.tasks import report_backfill


@flow(name="backfill", flow_run_name=named(backfill_name), persist_result=False)
def backfill(config: BackfillConfig) -> State[Any]:
    """Take in older articles: the pages of WARC files, or those in the sources' own archives.

    Args:
        config: Which files, or which sources and days; which of their pages; where pages are extracted.
    """
    settings, run_id = load_settings(), str(flow_run.id)
    return interruptible(lambda: _taken_in(settings, config, run_id))


def _taken_in(settings: Settings, config: BackfillConfig, run_id: str) -> State[Any]:
    report = _from_warc(settings, config, run_id) if config.paths else backfill_sources(settings, config, run_id=run_id)
    report_backfill(report)
    return Completed(message=summary_line(report), data=report)


def _from_warc(settings: Settings, config: BackfillConfig, run_id: str) -> BackfillReport:
    with session():
        rules = read_rules(settings, config)
        with units_runner(
            config.runner, address=config.address, workers=config.workers, rules=rules, settings=settings
        ) as runner:
            return backfill_warc(config, settings, runner, run_id=f"{JOB}{run_id}", on_step=log_steps())
