"""Fixtures for every suite; `tests` is a namespace package, found through pytest's `pythonpath`."""

import gc

from hypothesis import HealthCheck, settings

from tests.environment import leave_settings_out

leave_settings_out()

# With its defaults, Python's collector of cycles takes an eighth of the time of collecting tests
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

# No deadline: what an example takes on a busy machine says nothing
settings.register_profile("quick", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("quick"), max_examples=1_000)
settings.load_profile("quick")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary parameters after their argument: gzip holds the time, and all workers must collect the same names."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


def pytest_collection_finish() -> None:
    """Let no later collection of garbage look at the ten thousand tests and all that they imported: one takes 0.2 s."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the interpreter take all down at its end; libraries complain of what is left."""
    gc.unfreeze()
