"""A catalogue as a table."""

from pathlib import Path

from flows.cli import console
from tasks.config.catalogue import Catalogue
from tasks.values.display import Rows

HEAD = ("source", "name", "feeds", "sitemaps", "listings", "urls", "language", "delay", "per host")


def show(catalogue: Catalogue, path: Path) -> None:
    """Show what the catalogue follows."""
    rows: Rows = []
    for source in catalogue.sources:
        rules = source.effective(catalogue.defaults)
        counts = (len(source.feeds), len(source.sitemaps), len(source.listings), len(source.urls))
        rows.append(
            (source.id, source.name, *counts, source.language or "", f"{rules.crawl_delay_s:g} s", rules.max_per_host)
        )
    console.show_tables([("", HEAD, rows)])
    console.show_line(f"{path}: {len(rows)} sources, well-formed.")
