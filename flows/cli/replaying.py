"""The command `replay`: extract stored pages again with today's rules."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.options import (
    RUN_FAILED,
    CatalogueOption,
    IndexOption,
    JsonOption,
    LakeOption,
    QuietOption,
    SourceOption,
    one_clear_line,
)
from flows.cli.saying import say
from flows.cli.steps import steps
from tasks.errors import ConfigError

if TYPE_CHECKING:
    from tasks.replay.config import ReplayConfig
    from tasks.replay.report import ReplayReport

_OPTIONS = {"sources": "source", "hosts": "host", "urls": "url", "outcomes": "outcome", "reasons": "reason"}


def replay(
    source: SourceOption = None,
    host: Annotated[list[str] | None, typer.Option("--host", help="Only pages of this host; repeatable.")] = None,
    url: Annotated[list[str] | None, typer.Option("--url", help="Only this page, with a diff; repeatable.")] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DAY", help="Only pages fetched on this UTC day or later.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DAY", help="Only pages fetched on this UTC day or earlier.")
    ] = "",
    outcome: Annotated[
        list[str] | None,
        typer.Option("--outcome", help="Only captures with this outcome: ok, skipped, quarantined, failed."),
    ] = None,
    reason: Annotated[
        list[str] | None, typer.Option("--reason", help="Only captures with this reason; repeatable.")
    ] = None,
    older: Annotated[
        bool, typer.Option("--older", help="Only pages not yet extracted with the current rules.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    catalogue: CatalogueOption = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Extract stored pages again with the current rules, and replace rows that differ."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(lake=lake, index=index, catalogue=catalogue)
        config = _config(
            sources=source or (),
            hosts=host or (),
            urls=url or (),
            since=since,
            until=until,
            outcomes=outcome or (),
            reasons=reason or (),
            older=older,
            dry_run=dry_run,
        )
        from tasks.extract.shared_pool import close_pool
        from tasks.replay.replaying import replay_lake
        from tasks.replay.report import as_json as plain

        try:
            report = replay_lake(config, settings, on_step=steps())
        finally:
            close_pool()
        if as_json:
            console.print_json(plain(report))
        else:
            _show(report, has_diffs=bool(url))
        if report.stopped:
            raise typer.Exit(RUN_FAILED)


def _show(report: "ReplayReport", *, has_diffs: bool) -> None:
    from tasks.replay.report import summary_line, tables

    if report.pages:
        console.show_tables(tables(report))
    else:
        say(summary_line(report))
    for one in report.differences if has_diffs else ():
        console.show_line(one.url)
        console.show_diff(one.diff or f"The text is the same; other columns: {', '.join(one.parts)}")


def _config(**parameters: object) -> "ReplayConfig":
    from pydantic import ValidationError

    from tasks.replay.config import ReplayConfig

    try:
        return ReplayConfig.model_validate(parameters)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "since"
        says = "should be a day, such as 2026-03-01" if first["type"] == "string_pattern_mismatch" else first["msg"]
        raise ConfigError(f"--{_OPTIONS.get(name, name)}: {says.removeprefix('Value error, ')}") from error


def add_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)
