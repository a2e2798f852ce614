"""Slow down each page's extraction with a sleep, in every process that starts with this folder on its path.

PRESSLAKE_BENCH_SLEEP_S is the time in seconds, or a range (`0:0.4`) from which each page's time is drawn.
"""

import functools
import importlib.util
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import ParamSpec, TypeVar

P, R = ParamSpec("P"), TypeVar("R")

SLOWED = "tasks.extract.page"


class Slowing(MetaPathFinder):
    """Import hook that wraps the extraction module's function."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != SLOWED:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            module.extract_page = slowed(module.extract_page)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def slowed(read: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function with a sleep; it keeps its name, since workers import it by name."""
    least, _, most = os.environ.get("PRESSLAKE_BENCH_SLEEP_S", "0").partition(":")
    chance = random.SystemRandom()

    @functools.wraps(read)
    def sleeping(*given: P.args, **named: P.kwargs) -> R:
        time.sleep(chance.uniform(float(least), float(most or least)))
        return read(*given, **named)

    return sleeping


sys.meta_path.insert(0, Slowing())
