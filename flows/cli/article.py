"""Print an article: formatted for reading, or as text, markdown or the page's bytes."""

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
"""The longest line of text, in characters, on a wider terminal."""

PARAGRAPH_LENGTH = 1_000_000

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
"""Characters that are markup in a markdown heading."""


def show(row: Mapping[str, Any], *, now: datetime) -> None:
    """Print a revision for reading: title, byline, URL and paragraphs."""
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
    """Print only a revision's text, one paragraph per line."""
    for paragraph in row["text"].split("\n"):
        typer.echo(as_plain(paragraph, length=PARAGRAPH_LENGTH))


def print_markdown(row: Mapping[str, Any]) -> None:
    """Print a revision as markdown with its title as the heading; raise ConfigError if it was stored without markdown."""
    if row["markdown"] is None:
        raise ConfigError("this revision was stored without markdown (PRESSLAKE_MARKDOWN): --text has its paragraphs")
    heading = _SPECIAL.sub(r"\\\1", as_plain(row["title"] or "", length=PARAGRAPH_LENGTH))
    for line in (*((f"# {heading}", "") if heading else ()), *row["markdown"].split("\n")):
        indent = len(line) - len(line.lstrip(" "))  # leading spaces nest lists and code
        typer.echo(" " * indent + as_plain(line, length=PARAGRAPH_LENGTH))


def print_page(html: bytes) -> None:
    """Print a page's bytes unchanged; on a terminal, decoded and without control characters."""
    if sys.stdout.isatty():
        for line in html.decode("utf-8", "replace").splitlines():
            typer.echo(as_plain(line, length=PARAGRAPH_LENGTH))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(html)
    sys.stdout.buffer.flush()
