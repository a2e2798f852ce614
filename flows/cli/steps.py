"""How far a long command is, a line now and then on standard error."""

import time
from collections.abc import Callable

from flows.cli.saying import say

EVERY_S = 2.0


def steps() -> Callable[[str, int, int], None]:
    """Return what is to be told which step it is at, how much is done, and of how much (0: nobody knows)."""
    last_what, last_at = "", 0.0

    def on_step(what: str, done: int, total: int) -> None:
        nonlocal last_what, last_at
        now = time.monotonic()
        if what == last_what and now - last_at < EVERY_S:
            return
        last_what, last_at = what, now
        counted = f": {done:,} of {total:,}" if total else f": {done:,}" if done else ""
        say(f"{what}{counted} ...")

    return on_step
