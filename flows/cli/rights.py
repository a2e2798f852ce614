"""The command group `presslake rights` (from an article to the documents that permitted or refused it), and `presslake identity`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import console
from flows.cli.grouping import PlainGroup
from flows.cli.options import CatalogueOption, JsonOption, LakeOption, SourceOption, one_clear_line
from tasks.errors import ConfigError
from tasks.values.display import plural
from tasks.values.rights import Purpose

rights = typer.Typer(
    cls=PlainGroup,
    help="Show what sites permit and reserve, from the lake alone.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@rights.command("report")
def report(
    purpose: Annotated[Purpose | None, typer.Option("--purpose", help="Only this purpose; default: all four.")] = None,
    source: SourceOption = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show by domain what is reserved and since when, article counts, and changes this month."""
    with one_clear_line():
        from datetime import UTC, datetime

        from tasks.config.settings import set_flags
        from tasks.report.rights_report import report_rights

        settings, now = set_flags(lake=lake), datetime.now(UTC)
        purposes = () if purpose is None else (purpose,)
        found = report_rights(settings, purposes=purposes, sources=frozenset(source or ()), now=now)
        if as_json:
            console.print_json(found.to_json())
        else:
            console.show_tables(found.tables())


@rights.command("explain")
def explain(
    what: Annotated[str, typer.Argument(metavar="URL|ID", help="A URL as fetched, or an article's id.")],
    document: Annotated[
        str | None,
        typer.Option("--document", metavar="POLICY", help="Print the bytes of the document whose id starts with this."),
    ] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what permitted or refused an article: each signal, its document, and the location of its bytes."""
    with one_clear_line():
        if document is not None and as_json:
            raise ConfigError("use only one of --document and --json")
        from tasks.config.settings import set_flags
        from tasks.report.rights_chain import explain as look_up
        from tasks.report.rights_chain import find_document

        chains = look_up(what, set_flags(lake=lake))
        if document is not None:
            sys.stdout.buffer.write(find_document(chains, document).body)
            sys.stdout.buffer.flush()
        elif as_json:
            console.print_json({"chains": [chain.to_json() for chain in chains]})
        else:
            console.show_tables(table for chain in chains for table in chain.tables())


def identity(
    out: Annotated[Path | None, typer.Option("--out", metavar="PATH", help="Write the page to this file.")] = None,
    directory: Annotated[
        bool, typer.Option("--directory", help="Print the directory of public keys for signed requests instead.")
    ] = False,
    catalogue: CatalogueOption = None,
    as_json: JsonOption = False,
) -> None:
    """Generate a page about the crawler for site operators: purpose, crawl delay, contact, opt-out."""
    with one_clear_line():
        from tasks.config.loading import load_catalogue
        from tasks.config.settings import set_flags
        from tasks.report.identity import identity_of

        settings = set_flags(catalogue=catalogue)
        if directory:
            from tasks.runtime.resources import signer_of

            if (signer := signer_of(settings)) is None:
                raise ConfigError("--directory: no key is configured: see PRESSLAKE_SIGNING_KEY")
            console.print_json(signer.directory())
            return
        found = identity_of(load_catalogue(settings.catalogue), settings)
        if as_json:
            console.print_json(found.to_json())
        elif out is None:
            sys.stdout.write(found.to_html())
        else:
            try:
                out.write_text(found.to_html(), encoding="utf-8")
            except OSError as error:
                raise ConfigError(f"--out {out}: {error.strerror}") from error
            console.show_line(
                f"{out}: {plural(len(found.agents), 'user agent')}, {plural(len(found.contacts), 'contact')}."
            )


def add_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(rights, name="rights")
    app.command()(identity)
