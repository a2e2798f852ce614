"""Fixtures for every suite; `tests` is a namespace package, found through pytest's `pythonpath`."""

pytest_plugins = ["tests.engine", "tests.servers", "tests.postgres"]
