"""Messages to the user: single lines on standard error, apart from a command's output. Imports nothing heavy."""

import sys

from tasks.values.display import without_users
from tasks.values.text.escape import as_plain

SAID = 2000
"""The longest message, in characters."""

WHOLE = "stored data is complete; run again to continue"
"""What every command and flow promises after Ctrl-C."""

_quiet: list[bool] = []


def be_quiet() -> None:
    """Print only errors from now on."""
    _quiet.append(True)


def is_quiet() -> bool:
    """Whether only errors are printed."""
    return bool(_quiet)


def say(line: str) -> None:
    """Print one line on standard error, unless quiet."""
    if not _quiet:
        say_always(line)


def say_error(error: BaseException) -> None:
    """Print an error, one line per line of its message."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    for number, line in enumerate(lines):
        say_always(line if number else f"presslake: {line}")


def say_always(line: str) -> None:
    """Print one line on standard error, even if quiet; without users and passwords of addresses."""
    print(as_plain(without_users(line), length=SAID), file=sys.stderr, flush=True)  # noqa: T201 - a line for people
