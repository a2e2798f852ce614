"""The extraction pool of this process: started with the first batch, kept warm between batches, shared by all."""

import threading

from tasks.config.settings import Settings
from tasks.errors import Stopped
from tasks.extract.pool import ExtractorPool, PoolConfig
from tasks.extract.stored_page import ExtractConfig
from tasks.runtime.shutdown import stopping

_lock = threading.Lock()
_pool: ExtractorPool | None = None


def shared_pool(settings: Settings) -> ExtractorPool:
    """Return the pool; start it if needed. Raises Stopped if this process is shutting down."""
    global _pool  # noqa: PLW0603 - one pool per process
    with _lock:
        if stopping.is_set():
            raise Stopped("asked to stop")  # a new pool would never be closed
        if _pool is None:
            _pool = ExtractorPool(
                PoolConfig(
                    workers=settings.extract_workers,
                    time_limit_s=settings.extract_time_limit_s,
                    memory_size=settings.extract_memory_size,
                    page=ExtractConfig(has_markdown=settings.markdown),
                )
            )
        return _pool


def close_pool() -> None:
    """End the extraction processes. The next batch starts them again."""
    global _pool  # noqa: PLW0603
    with _lock:
        if _pool is not None:
            _pool.close()
            _pool = None
