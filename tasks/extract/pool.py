"""Extraction in processes that can be killed: one page's crash, hang or hunger costs that page and no other.

Pebble's pool (docs/adr/0006) ends a worker whose page takes too long and tells a worker's death from a page's fault. Workers
come out of a fork server, so that they start in milliseconds and inherit nothing of this process.
"""

import multiprocessing
import resource
from collections.abc import Iterable, Iterator
from concurrent.futures import TimeoutError as PageTimeoutError
from dataclasses import dataclass, field
from typing import Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from tasks.errors import ExtractorCrashed, ExtractorTimedOut, ItemError
from tasks.extract.page import ExtractConfig, StoredPage, extract_page
from tasks.models import Page

PAGES_A_WORKER = 3000
"""A worker is replaced after so many pages: libxml2's dictionaries only grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """How many workers, how long a page may take (seconds), and the address space of a worker (bytes)."""

    workers: int
    time_limit_s: float
    memory_size: int
    page: ExtractConfig = field(default_factory=ExtractConfig)


class ExtractorPool:
    """Worker processes, started at the first page; a context manager. Threads may share it."""

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([extract_page.__module__])
        self._pool = ProcessPool(
            max_workers=config.workers,
            max_tasks=PAGES_A_WORKER,
            initializer=_limit_memory,
            initargs=(config.memory_size,),
            context=context,
        )

    def extract(self, pages: Iterable[StoredPage]) -> Iterator[tuple[str, Page | ItemError]]:
        """Extract the pages side by side; yields each one's capture id and what came of it, in the order given.

        Raises CorruptRecord where a stored record is damaged.
        """
        waiting = [(page, self._submit(page)) for page in pages]
        for page, future in waiting:
            yield page.capture_id, self._outcome(page, future)

    def close(self) -> None:
        """End the workers, whatever they are at."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(self, page: StoredPage) -> ProcessFuture[Page]:
        return self._pool.schedule(extract_page, args=(page, self._config.page), timeout=self._config.time_limit_s)

    def _outcome(self, page: StoredPage, future: ProcessFuture[Page]) -> Page | ItemError:
        try:
            return future.result()
        except ItemError as error:
            return error
        except PageTimeoutError:
            return ExtractorTimedOut(f"killed after {self._config.time_limit_s:g} s at {page.url}")
        except ProcessExpired as error:
            return ExtractorCrashed(f"the worker died with exit code {error.exitcode} at {page.url}")
        except MemoryError:
            return ExtractorCrashed(f"out of {self._config.memory_size} bytes at {page.url}")
        except (RecursionError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
            # the libraries below have faults of their own on pages that nobody foresaw
            return ExtractorCrashed(f"{type(error).__name__}: {error} at {page.url}")


def _limit_memory(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
