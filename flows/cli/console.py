"""What the command line prints: titled tables that fit the terminal, a diff, one JSON object. Imports nothing heavy."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from flows.cli.tables import lay_out, wrap
from tasks.values.display import Table
from tasks.values.text.escape import as_plain

PIPED_WIDTH = 240
"""Characters of a line if nobody looks at it through a terminal."""

BOLD, DIM, GREEN, RED, CYAN = "1", "2", "32", "31", "36"


def show_tables(tables: Iterable[Table], *, beside: bool = False) -> None:
    """Show titled tables, an empty line between two; `beside` the output, on standard error."""
    stream = sys.stderr if beside else sys.stdout
    show_lines(lines_of(tables, width=width_of(stream)), stream=stream)


def show_lines(lines: Iterable[tuple[str, str]], *, stream: TextIO | None = None) -> None:
    """Show lines that are made for the terminal's width, each with its style."""
    stream = stream or sys.stdout
    for line, style in lines:
        print(_styled(line, style, stream), file=stream)


def lines_of(tables: Iterable[Table], *, width: int) -> Iterator[tuple[str, str]]:
    """Yield the lines of titled tables, each with its style; only a word that is longer than a line makes one longer."""
    for title, head, rows in tables:
        if title:
            yield from wrapped(title, BOLD, width)
        if rows:
            layout = lay_out(head, rows, width=width)
            for number, line in enumerate(layout.lines):
                yield line, DIM if number < layout.head else ""
            yield "", ""


def wrapped(text: str, style: str, width: int) -> Iterator[tuple[str, str]]:
    """Yield a text as lines of one style; only a word that is longer makes a line longer."""
    for line in wrap(as_plain(text, length=2000), width):
        yield line, style


def show_line(text: str, style: str = "", *, stream: TextIO | None = None) -> None:
    """Show one line, whole: the terminal wraps it."""
    stream = stream or sys.stdout
    print(_styled(as_plain(text, length=2000), style, stream), file=stream)


def show_diff(diff: str) -> None:
    """Show a unified diff, a sentence per line, whole."""
    styles = {"+": GREEN, "-": RED, "@": CYAN}
    for line in diff.splitlines():
        print(_styled(as_plain(line, length=5000), styles.get(line[:1], ""), sys.stdout))  # noqa: T201


def print_json(value: object, *, is_indented: bool = False) -> None:
    """Print one JSON object on standard output, on one line unless it is for reading."""
    import orjson

    sys.stdout.flush()
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 if is_indented else None) + b"\n")
    sys.stdout.buffer.flush()


def width_of(stream: TextIO) -> int:
    """Return how many characters a line may have there."""
    if stream.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return PIPED_WIDTH


def _styled(text: str, style: str, stream: TextIO) -> str:
    is_plain = not style or not stream.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if is_plain else f"\x1b[{style}m{text}\x1b[0m"
