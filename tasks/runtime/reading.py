"""A pool of worker processes that parse what an event loop has fetched: feeds, sitemaps, listings, front pages, long robots.txt.

It is separate from the pool that extracts pages, so that a feed does not wait for a batch of pages. There is one pool
per process, started on first use.
"""

import atexit
import threading
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tasks.errors import FeedUnreadable, ItemError, Stopped
from tasks.runtime.shutdown import stopping
from tasks.runtime.workers import Job, WorkerConfig, WorkerPool

READING = WorkerConfig(workers=2, time_limit_s=10.0, memory_size=1024 * 1024 * 1024, jobs_a_worker=2000)
"""The longest feed takes half of this on a machine of 2015. A worker retains less memory per feed than an extractor per
page."""

T = TypeVar("T")

_lock = threading.Lock()
_pool: WorkerPool | None = None


class Reader(Protocol):
    """Runs a job in another process without blocking the event loop; raises the job's ItemError."""

    async def read(self, job: Job[T]) -> T: ...


@dataclass(frozen=True, slots=True)
class SharedReader:
    """Reads in the pool of this process; `config` is only used if this starts the pool."""

    config: WorkerConfig = READING

    async def read(self, job: Job[T]) -> T:
        """Run a job; raises ItemError, and Stopped if this process must stop."""
        return await _opened(self.config).read(job)


def _opened(config: WorkerConfig) -> WorkerPool:
    global _pool  # noqa: PLW0603 - one pool a process
    with _lock:
        if stopping.is_set():
            raise Stopped("asked to stop")  # a new pool would never be closed
        if _pool is None:
            _pool = WorkerPool(config)
        return _pool


def close_reader() -> None:
    """End the processes; the next job starts them again."""
    global _pool  # noqa: PLW0603
    with _lock:
        if _pool is not None:
            _pool.close()
            _pool = None


@dataclass(frozen=True, slots=True)
class FeedJob(Job[T]):
    """The job of parsing a feed, or anything else that names articles."""

    crashed: type[ItemError] = FeedUnreadable
    timed_out: type[ItemError] = FeedUnreadable


atexit.register(close_reader)
