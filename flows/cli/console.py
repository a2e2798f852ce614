"""Print titled tables that fit the terminal, diffs and JSON objects. Imports nothing heavy."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from flows.cli.tables import lay_out, wrap
from tasks.values.display import Table
from tasks.values.text.escape import as_plain

PIPED_WIDTH = 240
"""Line width in characters if the output is not a terminal."""

BOLD, DIM, GREEN, RED, CYAN = "1", "2", "32", "31", "36"


def show_tables(tables: Iterable[Table], *, beside: bool = False) -> None:
    """Print titled tables with an empty line between them; `beside` prints them on standard error."""
    stream = sys.stderr if beside else sys.stdout
    show_lines(lines_of(tables, width=width_of(stream)), stream=stream)


def show_lines(lines: Iterable[tuple[str, str]], *, stream: TextIO | None = None) -> None:
    """Print (line, style) pairs; the lines must fit the terminal's width."""
    stream = stream or sys.stdout
    for line, style in lines:
        print(_styled(line, style, stream), file=stream)


def lines_of(tables: Iterable[Table], *, width: int) -> Iterator[tuple[str, str]]:
    """Yield titled tables as (line, style) pairs; a line exceeds `width` only if a single word does."""
    for title, head, rows in tables:
        if title:
            yield from wrapped(title, BOLD, width)
        if rows:
            layout = lay_out(head, rows, width=width)
            for number, line in enumerate(layout.lines):
                yield line, DIM if number < layout.head else ""
            yield "", ""


def wrapped(text: str, style: str, width: int) -> Iterator[tuple[str, str]]:
    """Wrap a text into (line, style) pairs; a line exceeds `width` only if a single word does."""
    for line in wrap(as_plain(text, length=2000), width):
        yield line, style


def show_line(text: str, style: str = "", *, stream: TextIO | None = None) -> None:
    """Print one line without wrapping it: the terminal does that."""
    stream = stream or sys.stdout
    print(_styled(as_plain(text, length=2000), style, stream), file=stream)


def show_diff(diff: str) -> None:
    """Print a unified diff, one sentence per line, without wrapping."""
    styles = {"+": GREEN, "-": RED, "@": CYAN}
    for line in diff.splitlines():
        print(_styled(as_plain(line, length=5000), styles.get(line[:1], ""), sys.stdout))  # noqa: T201


def print_json(value: object, *, is_indented: bool = False) -> None:
    """Print a value as JSON on standard output, on one line unless `is_indented`."""
    import orjson

    sys.stdout.flush()
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 if is_indented else None) + b"\n")
    sys.stdout.buffer.flush()


def width_of(stream: TextIO) -> int:
    """Return the line width of a stream in characters."""
    if stream.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return PIPED_WIDTH


def _styled(text: str, style: str, stream: TextIO) -> str:
    is_plain = not style or not stream.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if is_plain else f"\x1b[{style}m{text}\x1b[0m"
