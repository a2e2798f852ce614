"""Print a catalogue as a table."""

from pathlib import Path

from flows.cli import console
from flows.cli.saying import say
from tasks.config.catalogue import Catalogue
from tasks.config.loading import catalogue_warnings
from tasks.values.display import Rows, Table, plural

HEAD = ("source", "name", "feeds", "sitemaps", "listings", "urls", "language", "country", "tags")


def show(catalogue: Catalogue, path: Path) -> None:
    """Print the catalogue's sources, their number and its doubtful entries."""
    console.show_tables([rows_of(catalogue)])
    console.show_line(f"{path}: {plural(len(catalogue.sources), 'source')}, well-formed.")
    say_doubts(catalogue, path)


def rows_of(catalogue: Catalogue) -> Table:
    """Return a table with one row per source."""
    rows: Rows = []
    for source in catalogue.sources:
        counts = (len(source.feeds), len(source.sitemaps), len(source.listings), len(source.urls))
        name = source.name if source.name != source.id else ""
        rows.append((source.id, name, *counts, source.language, source.country, ", ".join(source.tags)))
    return "", HEAD, rows


def say_doubts(catalogue: Catalogue, path: Path) -> None:
    """Warn about entries of the catalogue that are valid but probably mistakes."""
    for doubt in catalogue_warnings(catalogue):
        say(f"{path}: warning: {doubt}")
