"""Extraction in processes that can be killed: one page's crash, hang or hunger costs that page and no other.

Pebble's pool (docs/adr/0006) ends a worker whose page takes too long and tells a worker's death from a page's fault. Workers
come out of a fork server, so that they start in milliseconds and inherit nothing of this process.
"""

import math
import multiprocessing
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as PageTimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from tasks.errors import ExtractorCrashed, ExtractorTimedOut, ItemError, Stopped, UnexpectedError
from tasks.extract.page import ExtractConfig, StoredPage, extract_page
from tasks.runtime.guarding import guarded_item
from tasks.runtime.safe_path import keep_children_safe
from tasks.values.page import Page

PAGES_A_WORKER = 3000
"""A worker is replaced after so many pages: libxml2's dictionaries only grow."""

_PRELOADED = "tasks.extract.warm"  # not imported here: it is the fork server alone that warms up
_CLOSED = "the pool is closed"
_LOOKED_AFTER_S = 1.0  # how often a pool that answers nothing is asked whether it still works

Read = Callable[[StoredPage, ExtractConfig], Page]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """How many workers, what CPU a page may take (seconds), and the address space of a worker (bytes).

    By the clock a page may take `patience` times as long: on a busy machine pages take longer than they cost.
    """

    workers: int
    time_limit_s: float
    memory_size: int
    patience: float = 4
    pages_a_worker: int = PAGES_A_WORKER
    page: ExtractConfig = field(default_factory=ExtractConfig)


class ExtractorPool:
    """Worker processes, started at the first page; a context manager. Threads may share it.

    `read` is what they do with a page: a function of a module, since workers import it.
    """

    def __init__(self, config: PoolConfig, *, read: Read = extract_page) -> None:
        self._config = config
        self._closed = threading.Event()
        self._together = _Workers(config, read, number=config.workers, closed=self._closed)
        self._single = _Workers(config, read, number=1, closed=self._closed)
        self._single_lock = threading.Lock()

    def extract(self, pages: Iterable[StoredPage]) -> Iterator[tuple[str, Page | ItemError]]:
        """Extract the pages side by side; yields each one's capture id and what came of it, in the order given.

        Raises CorruptRecord where a stored record is damaged, Stopped where another thread closes the pool meanwhile.
        """
        waiting = [(page, *self._together.submit(page)) for page in pages]
        for page, pool, future in waiting:
            yield page.capture_id, self._result(page, pool, future)

    def close(self) -> None:
        """End the workers, whatever they are at."""
        self._closed.set()
        self._together.end()
        self._single.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, page: StoredPage, pool: ProcessPool, future: ProcessFuture[Page | ItemError]) -> Page | ItemError:
        try:
            with guarded_item(page.url):  # what a worker sends may not be readable here
                try:
                    return self._outcome(page, pool, future)
                except BrokenProcessPool:  # its worker died before it said which page it had, or none had any
                    return self._extract_alone(page)
        except UnexpectedError as error:
            return error

    def _extract_alone(self, page: StoredPage) -> Page | ItemError:
        """Extract a page where none else is: if that pool breaks as well, it is the page that breaks it."""
        with self._single_lock:
            try:
                return self._outcome(page, *self._single.submit(page))
            except BrokenProcessPool:
                return self._crashed(page, "the worker died")

    def _outcome(
        self, page: StoredPage, pool: ProcessPool, future: ProcessFuture[Page | ItemError]
    ) -> Page | ItemError:
        while True:
            try:
                return future.result(timeout=_LOOKED_AFTER_S)
            except CancelledError as error:  # what a closed pool had not begun
                raise Stopped(_CLOSED) from error
            except PageTimeoutError:
                if future.done():
                    limit_s = self._config.patience * self._config.time_limit_s
                    return ExtractorTimedOut(f"killed after {limit_s:g} s at {page.url}")
                if not pool.active:  # what a pool had not handed out when it broke is never answered
                    raise BrokenProcessPool(page.url) from None
            except ProcessExpired as error:
                if error.exitcode == -signal.SIGXCPU:
                    return ExtractorTimedOut(f"killed after {self._config.time_limit_s:g} s of CPU at {page.url}")
                return self._crashed(page, f"the worker died with exit code {error.exitcode}")

    def _crashed(self, page: StoredPage, how: str) -> ExtractorCrashed:
        if self._closed.is_set():  # then it is not the page that ended the worker
            raise Stopped(_CLOSED)
        return ExtractorCrashed(f"{how} at {page.url}")


class _Workers:
    """A number of worker processes, made anew when all of pebble's pool broke."""

    def __init__(self, config: PoolConfig, read: Read, *, number: int, closed: threading.Event) -> None:
        self._config = config
        self._read = read
        self._number = number
        self._closed = closed
        self._lock = threading.Lock()
        self._pool = self._new_pool()

    def submit(self, page: StoredPage) -> tuple[ProcessPool, ProcessFuture[Page | ItemError]]:
        """Queue a page; returns its future and the pool that owes it. Raises Stopped once they are closed."""
        with self._lock:
            if self._closed.is_set():
                raise Stopped(_CLOSED)
            if not self._pool.active:  # a worker that was killed while it had nothing to do breaks all of pebble's pool
                _end(self._pool)
                self._pool = self._new_pool()
            limit_s = self._config.time_limit_s
            arguments = (self._read, page, self._config.page, limit_s)
            return self._pool, self._pool.schedule(_attempt, args=arguments, timeout=self._config.patience * limit_s)

    def end(self) -> None:
        with self._lock:
            _end(self._pool)

    def _new_pool(self) -> ProcessPool:
        keep_children_safe()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([_PRELOADED])
        return ProcessPool(
            max_workers=self._number,
            max_tasks=self._config.pages_a_worker,
            initializer=_limit_memory,
            initargs=(self._config.memory_size,),
            context=context,
        )


def _attempt(read: Read, page: StoredPage, config: ExtractConfig, cpu_limit_s: float) -> Page | ItemError:
    """Return what came of a page, in a worker. Errors of libraries stay here: not all of them can be sent elsewhere."""
    _limit_cpu(cpu_limit_s)
    try:
        with guarded_item(page.url):  # the libraries below have faults of their own on pages nobody foresaw
            return _read(read, page, config)
    except ItemError as error:
        return error


def _read(read: Read, page: StoredPage, config: ExtractConfig) -> Page:
    try:
        return read(page, config)
    except MemoryError as error:
        raise ExtractorCrashed(f"out of memory at {page.url}") from error


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _limit_memory(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # SIGXCPU would leave all of that behind as a file


def _limit_cpu(more_s: float) -> None:
    """Let the system end this process, by SIGXCPU, once it has taken so much CPU more; limits are whole seconds."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + more_s)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
