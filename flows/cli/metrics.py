"""The command `metrics`: serve Prometheus metrics, or print them once."""

from typing import Annotated

import typer

from flows.cli.options import RUN_FAILED, CatalogueOption, IndexOption, one_clear_line
from flows.cli.saying import say


def metrics(
    listen: Annotated[str, typer.Option("--listen", help="Address to listen on.")] = "127.0.0.1:9464",
    once: Annotated[bool, typer.Option("--once", help="Print the metrics and exit.")] = False,
    max_sources: Annotated[
        int, typer.Option("--max-sources", min=0, help="Maximum number of sources with their own series; 0: none.")
    ] = 500,
    catalogue: CatalogueOption = None,
    index: IndexOption = None,
) -> None:
    """Serve metrics of the index to Prometheus, until Ctrl-C."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue, index=index)
        from tasks.metrics.serving import read_once, serve_until_interrupted

        if not once:
            serve_until_interrupted(settings, listen, max_sources=max_sources, say=say)
            return
        text, is_up = read_once(settings, max_sources=max_sources, say=say)
        typer.echo(text, nl=False)
        if not is_up:
            raise typer.Exit(RUN_FAILED)


def add_commands(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(metrics)
