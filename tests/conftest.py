"""Fixtures for every suite; `tests` is a namespace package, found through pytest's `pythonpath`."""

pytest_plugins = [
    "tests.servers",
    "tests.postgres",
    "tests.browser",
    "tests.engine",
    "tests.newsroom",
    "tests.shared",
    "tests.spreading",
]
