"""The command group `presslake sources`: list, check, add, import and export the catalogue's sources."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.grouping import PlainGroup
from flows.cli.options import (
    WRONG_USAGE,
    CatalogueOption,
    IndexOption,
    JsonOption,
    QuietOption,
    SourceOption,
    one_clear_line,
)
from flows.cli.saying import say, say_always

if TYPE_CHECKING:
    from tasks.config.catalogue import Source
    from tasks.config.settings import Settings
    from tasks.discover.adding import Addition

sources = typer.Typer(
    cls=PlainGroup, help="Manage the catalogue of sources.", no_args_is_help=True, rich_markup_mode=None
)

WriteOption = Annotated[bool, typer.Option("--write", help="Add them to the catalogue; create it if needed.")]
TagOption = Annotated[list[str] | None, typer.Option("--tag", help="A tag for the new sources; repeatable.")]
CountryOption = Annotated[
    str | None, typer.Option("--country", help="The country of the new sources, as in ISO 3166-1: GB.")
]


@sources.command("list")
def list_sources(catalogue: CatalogueOption = None) -> None:
    """Validate the catalogue and list its sources or all mistakes; sends no requests."""
    with one_clear_line():
        from flows.cli.catalogue_table import show
        from tasks.config.loading import load_catalogue
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue)
        show(load_catalogue(settings.catalogue), settings.catalogue)


@sources.command("check")
def check_sources(
    catalogue: CatalogueOption = None,
    source: SourceOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Poll every feed once and show its state, robots.txt verdict, entries and warnings. Changes nothing."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue, index=index)
        from dataclasses import asdict
        from datetime import UTC, datetime

        from flows.cli.catalogue_table import say_doubts
        from tasks.config.loading import load_catalogue
        from tasks.discover.sources import check, check_table

        say_doubts(load_catalogue(settings.catalogue), settings.catalogue)
        checks = check(settings, source or ())
        if as_json:
            console.print_json({"sources": [asdict(check) | {"is_healthy": check.is_healthy} for check in checks]})
        else:
            console.show_tables([check_table(checks, now=datetime.now(UTC))])


@sources.command("add")
def add_sources(
    url: Annotated[list[str], typer.Argument(metavar="URL...", help="Sites (a bare domain is enough) or feeds.")],
    write: WriteOption = False,
    tag: TagOption = None,
    country: CountryOption = None,
    catalogue: CatalogueOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
) -> None:
    """Find the feeds of sites; print the sources or add them to the catalogue."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue, index=index)
        add_and_hand_over(url, settings, tags=tag or [], country=country, is_written=write)


def add_and_hand_over(
    urls: list[str],
    settings: "Settings",
    *,
    tags: list[str] | None = None,
    country: str | None = None,
    is_written: bool,
) -> None:
    """Find the feeds of sites, and print the sources or write them into the catalogue.

    Raises typer.Exit with code 2 if nothing was found for one of the URLs.
    """
    from tasks.config.splicing import read_existing
    from tasks.discover.adding import add_sites, labelled

    troubles: list[Addition] = []

    def end(addition: "Addition") -> None:
        if addition.trouble:
            troubles.append(addition)
        _tell(addition)

    known = read_existing(settings.catalogue)
    found = add_sites(settings, known, urls, begin=lambda address: say(f"{address}: looking for feeds ..."), end=end)
    found = tuple(labelled(source, tags=tags or (), country=country) for source in found)
    if found or not troubles:
        _hand_over(found, settings, is_written=is_written)
    if troubles:
        raise typer.Exit(WRONG_USAGE)


@sources.command("import")
def import_sources(
    path: Annotated[Path, typer.Argument(metavar="OPML", help="OPML file exported from a feed reader.")],
    write: WriteOption = False,
    tag: TagOption = None,
    country: CountryOption = None,
    catalogue: CatalogueOption = None,
    quiet: QuietOption = False,  # noqa: ARG001
) -> None:
    """Print an OPML file's feeds as sources, or add them to the catalogue; its folders become tags."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue)
        from tasks.config.splicing import read_existing
        from tasks.discover.adding import labelled, read_list
        from tasks.values.display import Rows

        found, left_out = read_list(path, read_existing(settings.catalogue))
        if left_out:
            rows: Rows = [(entry.title, entry.address, entry.reason) for entry in left_out]
            console.show_tables([(f"Left out ({len(rows)})", ("title", "address", "why"), rows)], beside=True)
        found = tuple(labelled(source, tags=tag or (), country=country) for source in found)
        _hand_over(found, settings, is_written=write)


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


def _tell(addition: "Addition") -> None:
    """Print the result for one address."""
    from datetime import UTC, datetime

    from tasks.values.display import Rows, age, plural

    now = datetime.now(UTC)
    working = [feed for feed in addition.tried if feed.reason is None]
    if addition.trouble:
        say_always(f"{addition.address}: {addition.trouble}")
    elif addition.known_as:
        say(f"{addition.address}: already in the catalogue as {addition.known_as}")
    elif working:
        newest = max((feed.newest_at for feed in working if feed.newest_at), default=None)
        dated = f", the newest {age(newest, now)}" if newest else ""
        kinds = plural(len(working), working[0].kind.value if len({feed.kind for feed in working}) == 1 else "feed")
        say(f"{addition.address}: {kinds}, {plural(sum(feed.entries for feed in working), 'entry', 'entries')}{dated}")
    else:
        say(f"{addition.address}: no working feed; the page itself becomes a listing. Tried:")
        rows: Rows = [(feed.url, feed.reason or "works") for feed in addition.tried]
        console.show_tables([("", ("feed", "outcome"), rows)], beside=True)


def _hand_over(found: "tuple[Source, ...]", settings: "Settings", *, is_written: bool) -> None:
    """Write the sources into the catalogue, or print them as entries for it."""
    from tasks.config.splicing import printed, write_catalogue
    from tasks.values.display import plural

    if not found:
        say("Nothing new.")
        return
    if is_written:
        write_catalogue(settings.catalogue, found)
        say(f"Added to {settings.catalogue}: {', '.join(source.id for source in found)}. Next: presslake ingest")
        return
    typer.echo(printed(settings.catalogue, found), nl=False)
    say(f"{plural(len(found), 'source')}; nothing was written; use --write to add to {settings.catalogue}.")
