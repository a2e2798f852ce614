"""The session of a flow that extracts units: closing its resources, logging its progress."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger

from tasks.extract.shared_pool import close_pool
from tasks.runtime.progress import OnStep, throttled
from tasks.runtime.resources import close_opened
from tasks.runtime.shutdown import stopping

EVERY_S = 30.0


@contextmanager
def session() -> Iterator[None]:
    """Close the process pool, the index and the store at the end of the block, also after an error."""
    stopping.clear()
    try:
        yield
    except BaseException:
        stopping.set()
        raise
    finally:
        close_pool()
        close_opened()


def log_steps() -> OnStep:
    """Return a callback that logs each step as it begins, and then its progress every `EVERY_S` seconds."""
    return throttled(_log, every_s=EVERY_S)


def _log(what: str, done: int, total: int) -> None:
    get_run_logger().info("%s: %d of %d" if total else "%s: %d", what, *((done, total) if total else (done,)))
