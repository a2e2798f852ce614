"""The commands that take articles away: `export`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import console
from flows.cli.options import JsonOption, LakeOption, QuietOption, one_clear_line
from flows.cli.steps import steps
from tasks.errors import ConfigError
from tasks.values.display import plural

FORMATS = ("jsonl", "parquet", "csv", "warc")


def export(
    form: Annotated[str, typer.Option("--format", metavar="jsonl|parquet|csv|warc", help="What it is written as.")],
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="The folder to make.")],
    latest: Annotated[bool, typer.Option("--latest", help="Only the newest revision of each article.")] = False,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help="Only rows for which this is true, as in language = 'de'."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an older export in that folder.")] = False,
    lake: LakeOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Write articles, or their pages, into a folder, with a manifest; the same versions give the same bytes."""
    with one_clear_line():
        if form not in FORMATS:
            raise ConfigError(f"--format {form}: it is one of {', '.join(FORMATS)}")
        from tasks.config.settings import set_flags

        settings = set_flags(lake=lake)
        from tasks.export.exporting import export as write
        from tasks.export.request import ExportRequest, Format

        asked = ExportRequest(format=Format(form), out=out, is_latest=latest, where=where, is_forced=force)
        manifest = write(asked, settings, on_step=steps())
        if as_json:
            console.print_json(_plain(manifest))
        else:
            (file,) = manifest["files"]
            console.show_line(f"{plural(manifest['rows'], 'article')} in {out / file['name']}, {file['size']:,} bytes.")


def _plain(manifest: dict[str, object]) -> dict[str, object]:
    from tasks.values.display import plain

    return plain(manifest) or {}


def add_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(export)
