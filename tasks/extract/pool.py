"""Extraction in processes that can be killed: one page's crash, hang or hunger costs that page and no other."""

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
        """Extract the pages side by side; yields each one's capture id and what came of it, in the order given.

        Raises CorruptRecord if a stored record is damaged, Stopped if another thread closes the pool meanwhile.
        """
        asked: deque[str] = deque()  # pages are taken as they are extracted, since each holds its record

        def jobs() -> Iterator[Job[Page]]:
            for url, page in pages:
                asked.append(page.capture_id)
                yield Job(self._read, (page, self._page), url, ExtractorCrashed, ExtractorTimedOut)

        for found in self._workers.run(jobs()):
            yield asked.popleft(), found

    def close(self) -> None:
        """End the workers, whatever they are at."""
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
