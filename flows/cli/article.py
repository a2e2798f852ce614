"""An article on the terminal: to be read, or as bytes for a file."""

import re
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import typer

from flows.cli.console import BOLD, DIM, show_line, width_of
from flows.cli.tables import wrap
from tasks.errors import ConfigError
from tasks.values.display import moment, plural
from tasks.values.text.escape import as_plain

READABLE = 100
"""Characters of a line of text, on a terminal that is wider."""

PARAGRAPH_LENGTH = 1_000_000

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
"""What would be markup in a heading of markdown."""


def show(row: Mapping[str, Any], *, now: datetime) -> None:
    """Show a revision as a person reads it."""
    show_line(row["title"] or "(no title)", BOLD)
    at = row["published_at"] or row["first_seen_at"]
    time = f"{moment(at, now)} UTC" if row["published_at"] else f"no date, first seen {moment(at, now)} UTC"
    number = f"revision {row['revision']}" if row["revision"] > 1 else ""
    parts = (
        row["source_id"],
        ", ".join(row["authors"]),
        time,
        row["language"],
        plural(row["word_count"], "word"),
        number,
    )
    show_line(" - ".join(str(part) for part in parts if part), DIM)
    show_line(row["url"], DIM)
    width = min(width_of(sys.stdout), READABLE)
    for paragraph in row["text"].split("\n"):
        typer.echo()
        for line in wrap(as_plain(paragraph, length=PARAGRAPH_LENGTH), width):
            typer.echo(line)


def print_text(row: Mapping[str, Any]) -> None:
    """Print a revision's text alone, a paragraph per line."""
    for paragraph in row["text"].split("\n"):
        typer.echo(as_plain(paragraph, length=PARAGRAPH_LENGTH))


def print_markdown(row: Mapping[str, Any]) -> None:
    """Print a revision as markdown, its title as the heading; raises ConfigError if it was stored without."""
    if row["markdown"] is None:
        raise ConfigError("this revision was stored without markdown (PRESSLAKE_MARKDOWN): --text has its paragraphs")
    heading = _SPECIAL.sub(r"\\\1", as_plain(row["title"] or "", length=PARAGRAPH_LENGTH))
    for line in (*((f"# {heading}", "") if heading else ()), *row["markdown"].split("\n")):
        indent = len(line) - len(line.lstrip(" "))  # white space at the beginning means something
        typer.echo(" " * indent + as_plain(line, length=PARAGRAPH_LENGTH))


def print_page(html: bytes) -> None:
    """Print a page's bytes as they are, or on a terminal without what would command it."""
    if sys.stdout.isatty():
        for line in html.decode("utf-8", "replace").splitlines():
            typer.echo(as_plain(line, length=PARAGRAPH_LENGTH))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(html)
    sys.stdout.buffer.flush()
