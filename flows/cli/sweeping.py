"""The commands `ingest`, which sweeps once, and `up`, which sweeps on a schedule."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.options import (
    CatalogueOption,
    IndexOption,
    JsonOption,
    LakeOption,
    QuietOption,
    SourceOption,
    one_clear_line,
)
from flows.server.defaults import set_prefect_defaults
from tasks.config.choices import MAX_SHARDS
from tasks.errors import ConfigError
from tasks.runtime.allocator import configure_sweep_memory

if TYPE_CHECKING:
    from tasks.config.parameters import IngestConfig

_EVERY = re.compile(r"([0-9]{1,9})([smhd]?)")
OPTIONS = {"sources": "source", "feeds": "feed", "urls": "url", "due_only": "due", "dry_run": "dry-run"}
"""Options whose name differs from their parameter's."""


def ingest(
    catalogue: CatalogueOption = None,
    source: SourceOption = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="Poll this feed instead of the catalogue's.")] = None,
    url: Annotated[list[str] | None, typer.Option("--url", help="Fetch this article now.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Fetch at most this many URLs; 0: no limit.")] = 0,
    since: Annotated[
        str, typer.Option("--since", help="Only articles published since: 90m, 6h, 3d, 2w, or a date.")
    ] = "",
    due: Annotated[bool, typer.Option("--due", help="Poll only the feeds that are due, as the schedule does.")] = False,
    refetch: Annotated[
        bool, typer.Option("--refetch", help="Revisit every known article with conditional requests.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Retry URLs now that failed, were dropped or are gone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be fetched; fetch nothing.")] = False,
    shards: Annotated[
        int, typer.Option("--shards", min=1, max=MAX_SHARDS, help="Split the work across this many runs on workers.")
    ] = 1,
    lake: LakeOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Sweep once: poll the feeds, fetch what is due, extract, deduplicate, store, and report."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        configure_sweep_memory()
        settings = set_flags(catalogue=catalogue, lake=lake, index=index)
        config = _config(
            sources=tuple(source or ()),
            feeds=tuple(feed or ()),
            urls=tuple(url or ()),
            limit=limit,
            since=since,
            due_only=due,
            refetch=refetch,
            force=force,
            dry_run=dry_run,
            shards=shards,
        )
        from tasks.config.loading import read_catalogue

        # report a mistake before the slow imports; popped below, since the sweep reads the catalogue again
        read = [read_catalogue(settings, config)]
        set_prefect_defaults(is_quiet=True)
        from flows.sweep.by_hand import run_sweep

        report = run_sweep(config, settings, read.pop(), shows_progress=not (as_json or quiet))
        if as_json:
            console.print_json(report.to_json())
            return
        from flows.cli.sweep_report import show

        show(report, settings)


def up(
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="The port of Prefect's UI [PRESSLAKE_UI_PORT, 4200]."),
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", help="Time between two sweeps: 15m, 2h [PRESSLAKE_EVERY_S, 900].")
    ] = None,
    catalogue: CatalogueOption = None,
    lake: LakeOption = None,
    index: IndexOption = None,
) -> None:
    """Serve Prefect's UI and run the schedules on this machine, until Ctrl-C."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        places = {"catalogue": catalogue, "lake": lake, "index": index}
        settings = set_flags(**places, ui_port=port, every_s=_seconds(every) if every else None)
        from tasks.config.loading import load_catalogue

        load_catalogue(settings.catalogue)  # report a mistake before the slow imports
        set_prefect_defaults(is_quiet=False)
        from flows.server.up import serve_until_interrupted

        serve_until_interrupted(settings)


def _seconds(text: str) -> int:
    """Parse a time such as 90s, 15m, 2h or 1d into seconds; raise ConfigError if it is malformed, too short or too long."""
    from tasks.config.settings import LEAST_EVERY_S, MOST_EVERY_S

    units = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
    found = _EVERY.fullmatch(text)
    if found is None:
        raise ConfigError(f"--every {text!r}: should be a time such as 15m, 2h or 900 (seconds)")
    seconds = int(found[1]) * units[found[2]]
    if not LEAST_EVERY_S <= seconds <= MOST_EVERY_S:
        raise ConfigError(f"--every {text!r}: should be {LEAST_EVERY_S} seconds or more, and 30 days or less")
    return seconds


def _config(**parameters: object) -> "IngestConfig":
    from pydantic import ValidationError

    from tasks.config.parameters import IngestConfig

    try:
        return IngestConfig.model_validate(parameters)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "since"
        says = "should be an age (90m, 6h, 3d, 2w) or an instant" if first["type"] == "string_pattern_mismatch" else ""
        says = says or first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"--{OPTIONS.get(name, name)}: {says}") from error


def add_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ingest)
    app.command()(up)
