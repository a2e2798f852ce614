"""Print the result of an SQL query as a table, as JSON lines or as CSV."""

import csv
import sys
from datetime import datetime
from itertools import islice

import typer

from flows.cli import console
from flows.cli.saying import say
from tasks.query.asking import QueryResult
from tasks.query.cells import csv_row, json_line
from tasks.values.display import Rows, shown
from tasks.values.text.escape import as_plain

SHOWN_ROWS = 1_000
LINE_LENGTH = 1_000_000


def print_table(answer: QueryResult) -> None:
    """Print the rows as a table of at most `SHOWN_ROWS`."""
    rows: Rows = [tuple(map(_cell, row)) for row in islice(answer.rows, SHOWN_ROWS)]
    console.show_tables([("" if rows else "No rows.", answer.columns, rows)])
    if next(answer.rows, None) is not None:
        say(f"There are more than {SHOWN_ROWS:,} rows: use --format csv or json to get all.")


def print_json_lines(answer: QueryResult) -> None:
    """Print each row as a JSON object on its own line."""
    for row in answer.rows:
        typer.echo(_harmless(json_line(dict(zip(answer.columns, row, strict=True))).decode()))


def print_csv(answer: QueryResult) -> None:
    """Print a line of column names and a line per row."""
    out = csv.writer(_Screen() if sys.stdout.isatty() else sys.stdout, lineterminator="\n")
    out.writerow(answer.columns)
    out.writerows(map(csv_row, answer.rows))


PRINTERS = {"table": print_table, "json": print_json_lines, "csv": print_csv}


class _Screen:
    """A file that prints to a terminal without control characters."""

    def write(self, text: str) -> None:
        typer.echo(_harmless(text))


def _harmless(line: str) -> str:
    return as_plain(line, length=LINE_LENGTH) if sys.stdout.isatty() else line


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return shown(value)
    return value if value is None or isinstance(value, bool | int | float | str) else json_line(value).decode()
