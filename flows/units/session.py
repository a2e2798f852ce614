"""What a flow of units opens and closes, and its lines in the log."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger

from tasks.extract.shared_pool import close_pool
from tasks.runtime.progress import OnStep, spaced
from tasks.runtime.resources import close_opened
from tasks.runtime.shutdown import stopping

EVERY_S = 30.0


@contextmanager
def session() -> Iterator[None]:
    """Close what this process opened for its units, whatever happens."""
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
    """Return what logs each step as it begins, and then twice a minute how far it is."""
    return spaced(_log, every_s=EVERY_S)


def _log(what: str, done: int, total: int) -> None:
    get_run_logger().info("%s: %d of %d" if total else "%s: %d", what, *((done, total) if total else (done,)))
