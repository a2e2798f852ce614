"""Progress of a long command, as occasional lines on standard error."""

from flows.cli.saying import say
from tasks.runtime.progress import OnStep, throttled

EVERY_S = 2.0


def steps() -> OnStep:
    """Return the callback that prints a step's name, the number done and the total (0: not known)."""
    return throttled(_show, every_s=EVERY_S)


def _show(what: str, done: int, total: int) -> None:
    counted = f": {done:,} of {total:,}" if total else f": {done:,}" if done else ""
    say(f"{what}{counted} ...")
