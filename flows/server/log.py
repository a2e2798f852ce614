"""What a server's log says about its end: the line where the trouble began, not the last that it led to. Pure."""

import re
from collections.abc import Sequence

SHOWN = 300
"""Characters of a line that are shown."""

_TRACEBACK = "Traceback (most recent call last)"
_FRAMES = (" ", "│", "╭", "╰", "❱")  # frames are indented, or in a box of Rich's
_TROUBLE = re.compile(
    r"\b(ERROR|CRITICAL)\b|^Fatal Python error|^Segmentation fault|^terminate called|\balready in use\b"
    r"|^[\w.]*(Error|Exception)\b|: command not found$|\bNo module named\b"
)


def first_trouble(log: str) -> str:
    """Return the line that says what went wrong first: of a traceback what was raised. The last line where none is known."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        after = lines[place + 1 :]
        if _TRACEBACK in line:
            return _raised(after) or line.strip()[:SHOWN]
        if _TROUBLE.search(line) and not (after and _TRACEBACK in after[0]):
            return line.strip()[:SHOWN]
    return lines[-1].strip()[:SHOWN] if lines else "it said nothing"


def _raised(lines: Sequence[str]) -> str:
    """Return what a traceback ends with: the first line that is none of its frames."""
    return next((line[:SHOWN] for line in lines if not line.startswith(_FRAMES)), "")
