"""How stages run under Prefect: what is retried, and how a stage that waits on the web is stopped."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypedDict, TypeVar

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from tasks.errors import StageError, Stopped
from tasks.runtime.shutdown import stopping
from tasks.runtime.tracing import configure

configure()  # as the first task is defined: before any flow begins, whose own span would be lost otherwise

T = TypeVar("T")

LOOK_S = 0.2


class Retries(TypedDict):
    """The keywords of `@task` that say what is retried."""

    retries: int
    retry_delay_seconds: Any
    retry_jitter_factor: float
    retry_condition_fn: Any


def is_worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a task failed because a port was away (StageError): everything else fails again."""
    return isinstance(state.result(raise_on_failure=False), StageError) and not stopping.is_set()


RETRIES = Retries(
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_worth_retrying,
)


def run_until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own; raises Stopped when this process is asked to stop meanwhile."""

    async def watched() -> T:
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_S)
            if stopping.is_set() and not task.done():
                task.cancel()
        try:
            return await task
        except asyncio.CancelledError as error:
            raise Stopped("asked to stop") from error

    return asyncio.run(watched())
