"""Replay: extract stored pages again with today's rules, and supersede the rows that differ."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.sweep.interrupting import interruptible
from flows.sweep.naming import named, replay_name
from tasks.config.settings import load_settings
from tasks.extract.shared_pool import close_pool
from tasks.replay.config import ReplayConfig
from tasks.replay.report import summary_line
from tasks.runtime.resources import check_known_lake, close_opened
from tasks.tasks import replay as replay_task

LOOK = ReplayConfig()


@flow(name="replay", flow_run_name=named(replay_name), persist_result=False)
def replay(config: ReplayConfig = LOOK) -> State[Any]:
    """Extract stored pages again with today's rules; nothing is fetched.

    Rows that differ are superseded in place: same article, revision and times, new text. By default it only shows what would
    differ.

    Args:
        config: Which pages, and whether to change anything; without a choice, all pages are read and nothing is changed.
    """
    return interruptible(lambda: _replayed(config))


def _replayed(config: ReplayConfig) -> State[Any]:
    settings = load_settings()
    check_known_lake(settings)
    try:
        report = replay_task(config, settings)
    finally:
        close_pool()
        close_opened()
    state = Failed if report.stopped else Completed
    return state(message=summary_line(report), data=report)
