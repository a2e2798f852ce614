"""Parse untrusted bytes in processes that can be killed, so that a crash, a hang or excessive memory costs one item.

Bytes go in and values come out, never trees. Pebble's pool (ADR 0006) kills a worker whose item takes too long, and
distinguishes a worker's death from an item's error. A fork server starts the workers, so that they start in
milliseconds and inherit nothing from this process.
"""

import asyncio
import math
import multiprocessing
import resource
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as JobTimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Self, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from tasks.errors import ItemError, Stopped, UnexpectedError
from tasks.runtime.allocator import HeapTrimmer
from tasks.runtime.guarding import guarded_item
from tasks.runtime.safe_path import keep_children_safe

JOBS_A_WORKER = 500
"""A worker is replaced after this many items, which costs 20 ms, since its memory grows by 20 MB per 1,500 pages."""

JOBS_AHEAD = 32
"""How many jobs of one caller are queued at once, so that other callers do not wait for all of them."""

PRELOADED = "tasks.extract.warm"
"""The module that the fork server imports to warm up."""

_CLOSED = "the pool is closed"
_LOOKED_AFTER_S = 1.0  # how often to check that a pool without results still works

T = TypeVar("T")

_trimmer = HeapTrimmer()
"""Trims this process's heap, if it is a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """The number of workers, the CPU limit of an item (seconds), and the address space limit of a worker (bytes).

    In wall time an item may take `patience` times as long, since machines may be busy.
    """

    workers: int
    time_limit_s: float
    memory_size: int
    patience: float = 4
    jobs_a_worker: int = JOBS_A_WORKER


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """One item to process: `read` is a module-level function, which workers import; `item` is its name in errors.

    `crashed` and `timed_out` are the error types if its worker dies or is killed.
    """

    read: Callable[..., T]
    arguments: tuple[object, ...]
    item: str
    crashed: type[ItemError]
    timed_out: type[ItemError]


@dataclass(frozen=True, slots=True)
class _Owed(Generic[T]):
    """The future of a job, and the pool that computes it."""

    pool: ProcessPool
    future: ProcessFuture[T | ItemError]


class WorkerPool:
    """Worker processes, started at the first job; a context manager. Threads may share it, and so may event loops."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._closed = threading.Event()
        self._together = _Workers(config, number=config.workers, closed=self._closed)
        self._single = _Workers(config, number=1, closed=self._closed)
        self._single_lock = threading.Lock()
        # own threads for callers in an event loop, since asyncio's few may all be busy decoding
        self._threads = ThreadPoolExecutor(2 * config.workers, thread_name_prefix="reading")

    def run(self, jobs: Iterable[Job[T]]) -> Iterator[T | ItemError]:
        """Run the jobs in parallel, and yield the results in order; at most JOBS_AHEAD jobs are queued.

        Raises an error of a `read` that is not an ItemError, and Stopped if another thread closes the pool.
        """
        left = iter(jobs)
        waiting = deque((job, self._together.submit(job)) for job in islice(left, JOBS_AHEAD))
        while waiting:
            job, owed = waiting.popleft()
            done = self._result(job, owed)
            yield done
            waiting.extend((job, self._together.submit(job)) for job in islice(left, 1))

    async def read(self, job: Job[T]) -> T:
        """Run one job without blocking the event loop; raises ItemError, and as `run` does."""
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._threads, self._done, job)
        except RuntimeError as error:
            if self._closed.is_set():  # its threads have ended as well
                raise Stopped(_CLOSED) from error
            raise
        if isinstance(done, ItemError):
            raise done
        return done

    def close(self) -> None:
        """Kill the workers."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._together.end()
        self._single.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _done(self, job: Job[T]) -> T | ItemError:
        return self._result(job, self._together.submit(job))

    def _result(self, job: Job[T], owed: "_Owed[T]") -> T | ItemError:
        try:
            with guarded_item(job.item):  # a worker's result may not be unpicklable here
                try:
                    return self._outcome(job, owed)
                except BrokenProcessPool:  # a worker died before it reported its item, or while idle
                    return self._done_alone(job)
        except UnexpectedError as error:
            return error

    def _done_alone(self, job: Job[T]) -> T | ItemError:
        """Run a job in a separate pool: if that pool breaks as well, the item is the cause."""
        with self._single_lock:
            try:
                return self._outcome(job, self._single.submit(job))
            except BrokenProcessPool:
                return self._crashed(job, "the worker died")

    def _outcome(self, job: Job[T], owed: "_Owed[T]") -> T | ItemError:
        while True:
            try:
                return owed.future.result(timeout=_LOOKED_AFTER_S)
            except CancelledError as error:  # a job that the closed pool had not started
                raise Stopped(_CLOSED) from error
            except JobTimeoutError:
                if owed.future.done():
                    limit_s = self._config.patience * self._config.time_limit_s
                    return job.timed_out(f"killed after {limit_s:g} s at {job.item}")
                if not owed.pool.active:  # a broken pool never resolves jobs that it had not handed out
                    raise BrokenProcessPool(job.item) from None
            except ProcessExpired as error:
                if error.exitcode == -signal.SIGXCPU:
                    return job.timed_out(f"killed after {self._config.time_limit_s:g} s of CPU at {job.item}")
                return self._crashed(job, f"the worker died with exit code {error.exitcode}")

    def _crashed(self, job: Job[Any], how: str) -> ItemError:
        if self._closed.is_set():  # then the worker was ended by us, not by the item
            raise Stopped(_CLOSED)
        return job.crashed(f"{how} at {job.item}")


class _Workers:
    """A pebble pool that is recreated when it breaks."""

    def __init__(self, config: WorkerConfig, *, number: int, closed: threading.Event) -> None:
        self._config = config
        self._number = number
        self._closed = closed
        self._lock = threading.Lock()
        self._pool = self._new_pool()

    def submit(self, job: Job[T]) -> "_Owed[T]":
        """Queue a job; raises Stopped once they are closed."""
        with self._lock:
            if self._closed.is_set():
                raise Stopped(_CLOSED)
            if not self._pool.active:  # killing an idle worker breaks pebble's whole pool
                _end(self._pool)
                self._pool = self._new_pool()
            limit_s = self._config.time_limit_s
            timeout_s = self._config.patience * limit_s
            return _Owed(self._pool, self._pool.schedule(_attempt, args=(job, limit_s), timeout=timeout_s))

    def end(self) -> None:
        with self._lock:
            _end(self._pool)

    def _new_pool(self) -> ProcessPool:
        keep_children_safe()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([PRELOADED])
        return ProcessPool(
            max_workers=self._number,
            max_tasks=self._config.jobs_a_worker,
            initializer=_limit_memory,
            initargs=(self._config.memory_size,),
            context=context,
        )


def _attempt(job: Job[T], cpu_limit_s: float) -> T | ItemError:
    """Run a job in a worker. Library errors are translated here, since some cannot be unpickled."""
    _limit_cpu(cpu_limit_s)
    try:
        with guarded_item(job.item):  # libraries may fail on unforeseen input
            return _read(job)
    except ItemError as error:
        return error
    finally:
        _trimmer.trim()


def _read(job: Job[T]) -> T:
    try:
        return job.read(*job.arguments)
    except MemoryError as error:
        raise job.crashed(f"out of memory at {job.item}") from error


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _limit_memory(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # otherwise SIGXCPU would dump all of that memory to a core file


def _limit_cpu(more_s: float) -> None:
    """Set a limit of additional CPU seconds, after which the system kills this process by SIGXCPU; limits are whole seconds."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + more_s)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
