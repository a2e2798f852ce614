"""How far a long command is, a line now and then on standard error."""

from flows.cli.saying import say
from tasks.runtime.progress import OnStep, spaced

EVERY_S = 2.0


def steps() -> OnStep:
    """Return the function that shows a command's step: its name, how much is done, and of how much (0: not known)."""
    return spaced(_show, every_s=EVERY_S)


def _show(what: str, done: int, total: int) -> None:
    counted = f": {done:,} of {total:,}" if total else f": {done:,}" if done else ""
    say(f"{what}{counted} ...")
