"""Carry out takedowns again: after a backup was restored, or after one was interrupted."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.server.forgetting import forget_in_prefect
from flows.sweep.interrupting import interruptible
from flows.sweep.naming import named
from tasks.config.settings import load_settings
from tasks.forget.config import ForgetConfig
from tasks.forget.report import summary_line
from tasks.forget.targets import TakedownTargets
from tasks.runtime.resources import check_known_lake, close_opened
from tasks.tasks import forget as forget_task

ALL = ForgetConfig()


@flow(name="forget", flow_run_name=named(lambda _: "forget"), persist_result=False)
def forget(config: ForgetConfig = ALL) -> State[Any]:
    """Remove from all stores what takedowns keep out; `presslake forget` starts a takedown.

    Args:
        config: Which takedown; without one, all. A run never gets a URL: Prefect keeps the parameters of runs.
    """
    return interruptible(lambda: _forgotten(config))


def _forgotten(config: ForgetConfig) -> State[Any]:
    settings = load_settings()
    check_known_lake(settings)

    def elsewhere(taken: TakedownTargets) -> tuple[str, ...]:
        return tuple(forget_in_prefect(taken.is_named_in))

    try:
        report = forget_task(config, settings, elsewhere)
    finally:
        close_opened()
    return Completed(message=summary_line(report), data=report)
