"""Extraction in processes that can be killed, so that one page's crash, hang or memory use affects no other page."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from tasks.errors import ExtractorCrashed, ExtractorTimedOut, ItemError
from tasks.extract.stored_page import ExtractConfig, NamedPage, StoredPage, extract_stored
from tasks.runtime.workers import JOBS_A_WORKER, Job, WorkerConfig, WorkerPool
from tasks.values.page import Page

PAGES_A_WORKER = JOBS_A_WORKER

Read = Callable[[StoredPage, ExtractConfig], Page]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """The number of workers, the CPU limit of a page (seconds), and the address space limit of a worker (bytes).

    In wall time a page may take `patience` times as long, since machines may be busy.
    """

    workers: int
    time_limit_s: float
    memory_size: int
    patience: float = 4
    pages_a_worker: int = PAGES_A_WORKER
    page: ExtractConfig = field(default_factory=ExtractConfig)


class ExtractorPool:
    """Worker processes, started with the first page. A context manager. Threads may share it.

    `read` processes a page: a module-level function, which workers import.
    """

    def __init__(self, config: PoolConfig, *, read: Read = extract_stored) -> None:
        self._page = config.page
        self._read = read
        self._workers = WorkerPool(
            WorkerConfig(
                workers=config.workers,
                time_limit_s=config.time_limit_s,
                memory_size=config.memory_size,
                patience=config.patience,
                jobs_a_worker=config.pages_a_worker,
            )
        )

    def extract(self, pages: Iterable[NamedPage]) -> Iterator[tuple[str, Page | ItemError]]:
        """Extract the pages in parallel; yields each one's capture id and result, in the given order.

        Raises CorruptRecord if a stored record is damaged, Stopped if another thread closes the pool meanwhile.
        """
        asked: deque[str] = deque()  # pages are consumed lazily, since each holds its record

        def jobs() -> Iterator[Job[Page]]:
            for url, page in pages:
                asked.append(page.capture_id)
                yield Job(self._read, (page, self._page), url, ExtractorCrashed, ExtractorTimedOut)

        for found in self._workers.run(jobs()):
            yield asked.popleft(), found

    def close(self) -> None:
        """Kill the workers."""
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
