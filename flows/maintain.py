"""Maintenance of lake and index, which may run at the same time as sweeps."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.sweep.interrupting import interruptible
from flows.sweep.naming import named
from tasks.config.settings import load_settings
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import summary_line
from tasks.runtime.resources import check_known_lake, close_opened
from tasks.tasks import maintain as maintain_task

USUAL = MaintainConfig()


@flow(name="maintain", flow_run_name=named(lambda _: "maintain"), persist_result=False)
def maintain(config: MaintainConfig = USUAL) -> State[Any]:
    """Update clusters in the lake, pack small files, delete what has expired, and move to the current algorithm.

    Args:
        config: How long old files are kept, how large files become; the defaults suit most lakes.
    """
    return interruptible(lambda: _maintained(config))


def _maintained(config: MaintainConfig) -> State[Any]:
    settings = load_settings()
    check_known_lake(settings)
    try:
        report = maintain_task(config, settings)
    finally:
        close_opened()
    return Completed(message=summary_line(report), data=report)
