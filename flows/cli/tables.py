"""Lay rows out for a terminal: as a table if it fits, else as a list; ids and URLs are never broken. Pure.

Cells come from the web, so each is reduced to one line of visible characters.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tasks.values.text.escape import as_plain

GAP = 2
LEAST_WRAPPED = 16
"""The least width to which a column is wrapped, in terminal cells."""

CELL_LENGTH = 500
_ZERO_WIDE = {"Mn", "Me", "Cf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Lines of text; the first `head` of them hold the column names (0 for a list)."""

    lines: tuple[str, ...]
    head: int = 0


def lay_out(head: Sequence[str], rows: Sequence[Sequence[object]], *, width: int) -> Layout:
    """Return a table of at most `width` terminal cells or, if that is impossible, a list of its rows."""
    cells = [[as_plain(_spelled(cell), length=CELL_LENGTH) for cell in row] for row in rows]
    if not any(head):
        return Layout(lines=tuple(_pairs(cells, width)))
    kept = [place for place, name in enumerate(head) if name or any(row[place] for row in cells)]
    names, cells = [head[place] for place in kept], [[row[place] for place in kept] for row in cells]
    numeric = [all(isinstance(row[place], int | float) for row in rows) for place in kept]
    widths = _widths(names, cells, width)
    if widths is None:
        return Layout(lines=tuple(_listed(names, cells, width, is_headed=not numeric[0])))
    top = tuple(_line(names, widths, numeric)) if any(names) else ()
    return Layout(lines=(*top, *(line for row in cells for line in _line(row, widths, numeric))), head=len(top))


def measure(text: str) -> int:
    """Return the width of a text in terminal cells."""
    return len(text) if text.isascii() else sum(map(_cells, text))


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    if unicodedata.category(character) in _ZERO_WIDE:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _spelled(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _widths(names: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return the width of each column, or None if they do not fit even when wrapped."""
    columns = [[name, *(row[place] for row in cells)] for place, name in enumerate(names)]
    widths = [max(map(measure, column), default=0) for column in columns]
    least = [_least(column) for column in columns]
    over = sum(widths) + GAP * (len(widths) - 1) - width
    while over > 0:
        place = max(range(len(widths)), key=lambda column: (widths[column] > least[column], widths[column]))
        if widths[place] <= least[place]:
            return None
        step = min(over, widths[place] - least[place], max(1, widths[place] - _second(widths, least)))
        widths[place] -= step
        over -= step
    return widths


def _second(widths: Sequence[int], least: Sequence[int]) -> int:
    """Return the width of the second widest column that can still shrink: the widest shrinks to it first."""
    shrinkable = sorted((width for width, bound in zip(widths, least, strict=True) if width > bound), reverse=True)
    return shrinkable[1] if len(shrinkable) > 1 else 0


def _least(column: Sequence[str]) -> int:
    """Return the least width of a column: its longest word, since words are never broken."""
    longest = max((measure(word) for text in column for word in re.split(r"\s+", text)), default=0)
    cells = max(map(measure, column[1:]), default=0)
    prose = any(" " in text for text in column[1:])
    return max(longest, min(cells, LEAST_WRAPPED)) if prose else max(longest, cells)


def _line(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    wrapped = [wrap(text, width) for text, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, wrapped), default=0)):
        parts = [
            _padded(lines[number] if number < len(lines) else "", width, is_right=is_right)
            for lines, width, is_right in zip(wrapped, widths, numeric, strict=True)
        ]
        yield (" " * GAP).join(parts).rstrip()


def _padded(text: str, width: int, *, is_right: bool) -> str:
    fill = " " * max(0, width - measure(text))
    return fill + text if is_right else text + fill


def wrap(text: str, width: int) -> list[str]:
    """Wrap a text into lines, breaking only at spaces."""
    if measure(text) <= width:
        return [text]
    lines, line = list[str](), ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and measure(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _pairs(cells: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield the lines of name and value pairs; long values are wrapped under their first line."""
    indent = max((measure(row[0]) for row in cells), default=0) + GAP
    for name, *values in cells:
        first, *others = wrap(" ".join(values), max(width - indent, LEAST_WRAPPED))
        yield (_padded(name, indent, is_right=False) + first).rstrip()
        yield from (" " * indent + line for line in others)


def _listed(names: Sequence[str], cells: Sequence[Sequence[str]], width: int, *, is_headed: bool) -> Iterator[str]:
    """Yield each row as a paragraph: its first value, and below it the other non-empty values, each after its name.

    A row that begins with a number has names for all values, and its first line holds as many pairs as fit.
    """
    for row in cells:
        pairs = [f"{name}: {text}" if name else text for name, text in zip(names, row, strict=True) if text]
        is_value = is_headed and bool(row[0])
        lines = [row[0], *_joined(pairs[1:], width - GAP)] if is_value else list(_joined(pairs, width - GAP))
        for number, line in enumerate(lines):
            is_short = (number == 0 and is_value) or measure(line) <= width - GAP
            first, *others = [line] if is_short else wrap(line, width - 2 * GAP)
            yield " " * GAP * (number > 0) + first
            yield from (" " * 2 * GAP + more for more in others)


def _joined(pairs: Sequence[str], width: int) -> Iterator[str]:
    """Yield lines, each with as many pairs as fit."""
    line = ""
    for pair in pairs:
        longer = f"{line}; {pair}" if line else pair
        if line and measure(longer) > width:
            yield line
            line = pair
        else:
            line = longer
    if line:
        yield line
