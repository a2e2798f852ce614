"""Verification: compare the index with the lake, name every fault, and repair what can be repaired."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.sweep.interrupting import interruptible
from flows.sweep.naming import named
from tasks.config.settings import load_settings
from tasks.runtime.resources import close_opened
from tasks.tasks import verify as verify_task
from tasks.verify.config import VerifyConfig
from tasks.verify.report import summary_line
from tasks.verify.verification import checked_store

LOOK = VerifyConfig()


@flow(name="verify", flow_run_name=named(lambda _: "verify"), persist_result=False)
def verify(config: VerifyConfig = LOOK) -> State[Any]:
    """Compare the index with the lake and name every fault; with `mend`, repair what can be repaired.

    Args:
        config: Whether to repair, and how much to read; without a choice, read everything and change nothing.
    """
    return interruptible(lambda: _verified(config))


def _verified(config: VerifyConfig) -> State[Any]:
    settings = load_settings()
    checked_store(config, settings)
    try:
        report = verify_task(config, settings)
    finally:
        close_opened()
    state = Completed if report.is_well else Failed
    return state(message=summary_line(report), data=report)
