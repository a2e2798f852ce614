"""The commands `presslake sources ...`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import console
from flows.cli.options import CatalogueOption, IndexOption, JsonOption, one_clear_line

sources = typer.Typer(help="The catalogue of sources.", no_args_is_help=True, rich_markup_mode=None)


@sources.command("list")
def list_sources(catalogue: CatalogueOption = None) -> None:
    """Read the catalogue, and say what is in it or what is wrong and where; asks nobody."""
    with one_clear_line():
        from tasks.config.loading import load_catalogue
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue)
        from flows.cli.catalogue_table import show

        show(load_catalogue(settings.catalogue), settings.catalogue)


@sources.command("check")
def check_sources(
    catalogue: CatalogueOption = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be given again.")] = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at every feed once: reachable, robots, items, newest, next poll, warnings. Changes nothing."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue, index=index)
        from dataclasses import asdict

        from tasks.discover.sources import check, check_table

        checks = check(settings, source or ())
        if as_json:
            console.print_json({"sources": [asdict(one) | {"is_healthy": one.is_healthy} for one in checks]})
        else:
            console.show_tables([check_table(checks)])


@sources.command("add")
def add_source(
    url: Annotated[str, typer.Argument(metavar="URL", help="A site's front page, or a feed.")],
    catalogue: CatalogueOption = None,
    index: IndexOption = None,
) -> None:
    """Try a site's feeds and sitemaps, and print the source to put into the catalogue."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue, index=index)
        from tasks.discover.proposing import sources_yaml
        from tasks.discover.sources import propose, tried_table

        proposal = propose(settings, url)
        console.show_tables([tried_table(proposal)], beside=True)
        typer.echo(sources_yaml([proposal.source]), nl=False)


@sources.command("import")
def import_sources(
    path: Annotated[Path, typer.Argument(metavar="OPML", help="A list of feeds, as feed readers export it.")],
    catalogue: CatalogueOption = None,
) -> None:
    """Print an OPML file's feeds as sources for the catalogue."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue)
        from tasks.discover.sources import import_opml

        typer.echo(import_opml(settings, path), nl=False)


@sources.command("export")
def export_sources(catalogue: CatalogueOption = None) -> None:
    """Print the catalogue's feeds as OPML, for feed readers."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue)
        from tasks.discover.sources import export_opml

        typer.echo(export_opml(settings), nl=False)


@sources.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of the catalogue, for editors."""
    from tasks.config.catalogue import catalogue_schema

    console.print_json(catalogue_schema(), is_indented=True)
