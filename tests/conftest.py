"""Fixtures for every suite; `tests` is a namespace package, found through pytest's `pythonpath`."""

import gc

from hypothesis import HealthCheck, settings

from tests.environment import leave_settings_out

leave_settings_out()

# With its default thresholds, Python's garbage collector takes an eighth of the time of test collection
gc.set_threshold(50_000, 20, 100)

pytest_plugins = [
    "tests.servers",
    "tests.postgres",
    "tests.browser",
    "tests.engine",
    "tests.newsroom",
    "tests.shared",
    "tests.spreading",
    "tests.wheel",
]

# No deadline: an example's duration on a busy machine means nothing
settings.register_profile("quick", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("quick"), max_examples=1_000)
settings.load_profile("quick")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary parameters after their argument: gzip output contains the time, and all workers must collect equal names."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


def pytest_collection_finish() -> None:
    """Freeze the ten thousand collected tests and their imports, whose traversal costs the garbage collector 0.2 s each time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Unfreeze, so that the interpreter can free everything at exit; libraries complain about leftovers."""
    gc.unfreeze()
