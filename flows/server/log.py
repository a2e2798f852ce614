"""Find the first error in a server's log: later lines are its consequences. Pure."""

import re
from collections.abc import Sequence

SHOWN = 300
"""The longest line to show, in characters."""

_TRACEBACK = "Traceback (most recent call last)"
_FRAMES = (" ", "│", "╭", "╰", "❱")  # frames are indented, or in a box of Rich's
_TROUBLE = re.compile(
    r"\b(ERROR|CRITICAL)\b|^Fatal Python error|^Segmentation fault|^terminate called|\balready in use\b"
    r"|^[\w.]*(Error|Exception)\b|: command not found$|\bNo module named\b"
)


def first_trouble(log: str) -> str:
    """Return the line of the first error (of a traceback, its exception); without an error, the last line."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        after = lines[place + 1 :]
        if _TRACEBACK in line:
            return _raised(after) or line.strip()[:SHOWN]
        if _TROUBLE.search(line) and not (after and _TRACEBACK in after[0]):
            return line.strip()[:SHOWN]
    return lines[-1].strip()[:SHOWN] if lines else "no output"


def _raised(lines: Sequence[str]) -> str:
    """Return the exception of a traceback: the first line that is not a frame."""
    return next((line[:SHOWN] for line in lines if not line.startswith(_FRAMES)), "")
