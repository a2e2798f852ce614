"""The command `browse`: serve the archive as web pages."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import CatalogueOption, IndexOption, LakeOption, one_clear_line
from flows.cli.saying import say


def browse(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0: any free port.")] = 8420,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; a public one requires --token-file.")
    ] = "127.0.0.1",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the secret that browsers must send as the password.")
    ] = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    catalogue: CatalogueOption = None,
) -> None:
    """Serve a read-only website with articles, stories, sources and failures, until Ctrl-C."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(lake=lake, index=index, catalogue=catalogue)
        from tasks.browse.searching import search_of
        from tasks.browse.serving import serve

        search = search_of(settings)
        serve(settings, host=host, port=port, token_file=token_file, say=say, search=search)


def add_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(browse)
