"""Makes each page's extraction take longer, in every process that starts with this folder on its path: a sleep, no work.

PRESSLAKE_BENCH_SLEEP_S is how long: a number of seconds, or two (`0:0.4`) between which each page's is drawn.
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
    """Finds the module that extracts, and lets its function sleep first."""

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
    """Return a function under the same name, which workers import, that sleeps before it reads."""
    least, _, most = os.environ.get("PRESSLAKE_BENCH_SLEEP_S", "0").partition(":")
    chance = random.SystemRandom()

    @functools.wraps(read)
    def sleeping(*given: P.args, **named: P.kwargs) -> R:
        time.sleep(chance.uniform(float(least), float(most or least)))
        return read(*given, **named)

    return sleeping


sys.meta_path.insert(0, Slowing())
