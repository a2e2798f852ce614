"""Read strangers' bytes in processes that can be killed: a crash, a hang or too much memory costs one item.

Bytes go in and values come out, never trees. Pebble's pool (ADR 0006) ends a worker whose item takes too long, and
distinguishes a worker's death from an item's error. A fork server starts the workers, so that they start in
milliseconds and inherit nothing of this process.
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
from tasks.runtime.allocator import Slack
from tasks.runtime.guarding import guarded_item
from tasks.runtime.safe_path import keep_children_safe

JOBS_A_WORKER = 500
"""A worker is replaced after this many items, which costs 20 ms: what it keeps for the next one grows by 20 MB in 1,500 pages."""

JOBS_AHEAD = 32
"""Jobs of one caller that are queued at once: a long one delays others only after this number of them is done."""

PRELOADED = "tasks.extract.warm"
"""The module that the fork server imports once; only the fork server imports it, to warm up."""

_CLOSED = "the pool is closed"
_LOOKED_AFTER_S = 1.0  # how often to check that a pool without an answer still works

T = TypeVar("T")

_slack = Slack()
"""What this process holds, if it is a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """The number of workers, the CPU limit of an item (seconds), and the address space of a worker (bytes).

    By the clock an item may take `patience` times as long: on a busy machine it takes longer than its CPU time.
    """

    workers: int
    time_limit_s: float
    memory_size: int
    patience: float = 4
    jobs_a_worker: int = JOBS_A_WORKER


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """One item to read: `read` is a function of a module, since workers import it; `item` is its name in errors.

    `crashed` and `timed_out` are the errors of the item if its worker dies, or is killed.
    """

    read: Callable[..., T]
    arguments: tuple[object, ...]
    item: str
    crashed: type[ItemError]
    timed_out: type[ItemError]


@dataclass(frozen=True, slots=True)
class _Owed(Generic[T]):
    """The future result of a job, and the pool that computes it."""

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
        # Threads of its own for callers in an event loop: asyncio's few may all be busy with decoding.
        self._threads = ThreadPoolExecutor(2 * config.workers, thread_name_prefix="reading")

    def run(self, jobs: Iterable[Job[T]]) -> Iterator[T | ItemError]:
        """Do the jobs in parallel, and yield each result, in the given order; what they need is held from JOBS_AHEAD of it.

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
        """Do one job while the event loop goes on; raises ItemError, and as `run` does."""
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._threads, self._done, job)
        except RuntimeError as error:
            if self._closed.is_set():  # its threads are closed as well
                raise Stopped(_CLOSED) from error
            raise
        if isinstance(done, ItemError):
            raise done
        return done

    def close(self) -> None:
        """End the workers, whatever they do."""
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
                except BrokenProcessPool:  # its worker died before it reported its item, or no worker had an item
                    return self._done_alone(job)
        except UnexpectedError as error:
            return error

    def _done_alone(self, job: Job[T]) -> T | ItemError:
        """Do a job in a pool of its own: if that pool breaks as well, the item breaks it."""
        with self._single_lock:
            try:
                return self._outcome(job, self._single.submit(job))
            except BrokenProcessPool:
                return self._crashed(job, "the worker died")

    def _outcome(self, job: Job[T], owed: "_Owed[T]") -> T | ItemError:
        while True:
            try:
                return owed.future.result(timeout=_LOOKED_AFTER_S)
            except CancelledError as error:  # a job that the closed pool had not begun
                raise Stopped(_CLOSED) from error
            except JobTimeoutError:
                if owed.future.done():
                    limit_s = self._config.patience * self._config.time_limit_s
                    return job.timed_out(f"killed after {limit_s:g} s at {job.item}")
                if not owed.pool.active:  # a pool that breaks never answers the jobs that it had not handed out
                    raise BrokenProcessPool(job.item) from None
            except ProcessExpired as error:
                if error.exitcode == -signal.SIGXCPU:
                    return job.timed_out(f"killed after {self._config.time_limit_s:g} s of CPU at {job.item}")
                return self._crashed(job, f"the worker died with exit code {error.exitcode}")

    def _crashed(self, job: Job[Any], how: str) -> ItemError:
        if self._closed.is_set():  # then not the item ended the worker
            raise Stopped(_CLOSED)
        return job.crashed(f"{how} at {job.item}")


class _Workers:
    """Some worker processes; they are made again when pebble's pool breaks."""

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
            if not self._pool.active:  # a worker that is killed while it is idle breaks pebble's whole pool
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
    """Return the result of a job, in a worker. Errors of libraries are translated here: some cannot be unpickled."""
    _limit_cpu(cpu_limit_s)
    try:
        with guarded_item(job.item):  # the libraries have faults of their own on unforeseen input
            return _read(job)
    except ItemError as error:
        return error
    finally:
        _slack.trim()


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
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # SIGXCPU would write all of that memory to a core file


def _limit_cpu(more_s: float) -> None:
    """Make the system end this process, by SIGXCPU, after this much more CPU; limits are whole seconds."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + more_s)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
