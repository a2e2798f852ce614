"""What a command says to the person beside its output: single lines on standard error. Imports nothing heavy."""

import sys

from tasks.values.display import without_users
from tasks.values.text.escape import as_plain

SAID = 2000
"""Characters of a line that are said."""

WHOLE = "what is stored is whole, and another run does the rest"
"""What holds for each command and flow after Ctrl-C."""

_quiet: list[bool] = []


def be_quiet() -> None:
    """Say nothing from now on but what went wrong."""
    _quiet.append(True)


def is_quiet() -> bool:
    """Whether only what went wrong is said."""
    return bool(_quiet)


def say(line: str) -> None:
    """Say one line to the person."""
    if not _quiet:
        say_always(line)


def say_error(error: BaseException) -> None:
    """Say what is wrong: a line for each mistake."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    for number, line in enumerate(lines):
        say_always(line if number else f"presslake: {line}")


def say_always(line: str) -> None:
    """Say one line, also to a person who wants quiet; a user's name and password in an address are left out."""
    print(as_plain(without_users(line), length=SAID), file=sys.stderr, flush=True)  # noqa: T201 - a line for people
