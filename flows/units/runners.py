"""Run units with threads, Dask or Ray through one interface; translate each runner's worker deaths."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from prefect.exceptions import CrashedRun
from prefect.settings import PREFECT_API_URL
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.sweep.batches import whole
from flows.units.sharing import check_api, check_shared
from tasks.backfill.extracting import UnitCount
from tasks.config.catalogue import SourceRules
from tasks.config.choices import Runner
from tasks.config.settings import Settings
from tasks.errors import ConfigError, ExtractorCrashed, UnexpectedError
from tasks.lake.objects.port import one_line
from tasks.runtime.guarding import guarded_item
from tasks.tasks import decide_unit, extract_unit
from tasks.values.reports import BatchReport

THREADS = 2
"""Units that this process extracts at once: one in progress and one queued, so that no process waits."""

RAY_ATTEMPTS = 3

_Opened = tuple[TaskRunner[Any], int, tuple[type[Exception], ...]]


class TaskRunnerOfUnits:
    """Extract units as tasks on a Prefect task runner, and decide them as tasks in this process."""

    def __init__(
        self,
        runner: TaskRunner[Any],
        *,
        workers: int,
        rules: Mapping[str, SourceRules],
        settings: Settings,
        deaths: tuple[type[Exception], ...] = (CrashedRun,),
    ) -> None:
        self._runner, self.workers, self._deaths = runner, workers, deaths
        self._rules, self._settings = rules, settings

    def submit(self, job_id: str, number: int) -> Callable[[], UnitCount]:
        """Submit a unit for extraction, and return a function that waits for its counts.

        The runner repeats a unit elsewhere if its worker dies; if it gives up, the function raises ExtractorCrashed.
        """
        parameters = {"job_id": job_id, "number": number, "lake": self._settings.lake}
        future = self._runner.submit(extract_unit, parameters)

        def result() -> UnitCount:
            try:
                found: UnitCount = future.result()
            except self._deaths as error:
                raise ExtractorCrashed(f"its worker died: {type(error).__name__}: {one_line(error)}") from error
            return found

        return result

    def decide(self, job_id: str, number: int) -> BatchReport:
        """Decide a unit in this process: decisions are made one after the other, whichever runner extracted the unit."""
        return decide_unit(job_id, number, whole(self._rules), self._settings)


@contextmanager
def units_runner(
    kind: Runner, *, address: str, workers: int, rules: Mapping[str, SourceRules], settings: Settings
) -> Iterator[TaskRunnerOfUnits]:
    """Open a runner of the given kind; raise ConfigError if it is not installed, or cannot work with these settings."""
    if address:
        check_shared(address, settings)
        check_api(address, PREFECT_API_URL.value() or "")
    if kind is Runner.LOCAL:
        threads: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=THREADS)
        with threads:
            yield TaskRunnerOfUnits(threads, workers=1, rules=rules, settings=settings)
        return
    opened = _dask if kind is Runner.DASK else _ray
    with opened(address, workers) as (runner, number, deaths):
        yield TaskRunnerOfUnits(runner, workers=number, rules=rules, settings=settings, deaths=deaths)


@contextmanager
def _dask(address: str, workers: int) -> Iterator[_Opened]:
    """Open a Dask cluster, or a local one without `address`; yield its runner, worker count and worker-death exceptions."""
    _imported("prefect_dask", "dask")
    import dask  # noqa: PLC0415 - extras, which few have
    from distributed import KilledWorker  # noqa: PLC0415
    from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415

    options = {
        "n_workers": workers or os.cpu_count() or 1,
        "threads_per_worker": 1,
        "memory_limit": 0,
        "dashboard_address": "127.0.0.1:0",
        "host": "127.0.0.1",
        "env": {"PRESSLAKE_EXTRACT_WORKERS": "1"},
    }
    # a daemonic process cannot start the extraction processes
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        DaskTaskRunner(address=address or None, cluster_kwargs=None if address else options) as runner,
    ):
        yield runner, max(len(runner.client.nthreads()), 1), (CrashedRun, KilledWorker)


@contextmanager
def _ray(address: str, workers: int) -> Iterator[_Opened]:
    """Open a Ray cluster, or a local one without `address`; yield its runner, worker count and worker-death exceptions."""
    _imported("prefect_ray", "ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray  # noqa: PLC0415
    from prefect_ray import RayTaskRunner  # noqa: PLC0415

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        options["address"] = address
    else:
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # else Ray writes a token into the home directory
        os.environ.setdefault("PRESSLAKE_EXTRACT_WORKERS", "1")
        options |= {"num_cpus": workers or os.cpu_count() or 1, "include_dashboard": False}
    resources: Any = ray.cluster_resources
    start_ray(partial(ray.init, **options), ray.shutdown)
    try:
        with RayTaskRunner() as runner:  # uses this process's connection
            number = max(int(resources().get("CPU", 1)), 1)
            yield runner, number, (CrashedRun, ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError)
    finally:
        ray.shutdown()


def start_ray(init: Callable[[], object], shutdown: Callable[[], None]) -> None:
    """Start Ray, or connect to it; raise ConfigError if `RAY_ATTEMPTS` attempts fail.

    Ray gives its own processes 30 s to start, a limit that cannot be configured (`ray/_private/node.py`). On a busy machine the
    first start may take longer; the next one finds Ray's files in the page cache.
    """
    for number in range(RAY_ATTEMPTS):
        try:
            with guarded_item("the start of Ray"):
                init()
        except UnexpectedError as error:
            shutdown()
            if number == RAY_ATTEMPTS - 1:
                raise ConfigError(f"Ray did not start after {RAY_ATTEMPTS} attempts: {one_line(error)}") from error
        else:
            return


def _imported(module: str, extra: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"--runner {extra} needs the extra: pip install 'presslake[{extra}]'") from error
