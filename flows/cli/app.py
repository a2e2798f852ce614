"""The command `presslake`. Prefect is imported by the commands that need it alone: it costs 2 s."""

from typing import Annotated, NoReturn

import typer

from flows.cli import console
from flows.cli import lake as cli_lake
from flows.cli import metrics as cli_metrics
from flows.cli import report as cli_report
from flows.cli.automations import automations
from flows.cli.ending import run_to_the_end
from flows.cli.options import CatalogueOption, IndexOption, JsonOption, LakeOption, one_clear_line
from flows.cli.sources import sources
from flows.server.local import set_prefect_defaults
from tasks.config.parameters import MAX_SHARDS, IngestConfig
from tasks.config.settings import set_flags
from tasks.errors import ConfigError
from tasks.runtime.safe_path import keep_children_safe

OPTIONS = {"sources": "source", "feeds": "feed", "urls": "url", "due_only": "due", "dry_run": "dry-run"}
"""Options that have another name than their parameter."""

app = typer.Typer(
    name="presslake",
    help="Turn the news of the open web into a dataset you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(sources, name="sources")
app.add_typer(automations, name="automations")
cli_lake.add_commands(app)
cli_report.add_command(app)
cli_metrics.add_commands(app)


@app.command()
def ingest(
    catalogue: CatalogueOption = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be given again.")] = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="Poll this feed instead of the catalogue's.")] = None,
    url: Annotated[list[str] | None, typer.Option("--url", help="Look at this article, now.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Look at so many URLs at most; 0: no limit.")] = 0,
    since: Annotated[
        str, typer.Option("--since", help="Only what was published since: 90m, 6h, 3d, 2w, or an instant.")
    ] = "",
    due: Annotated[bool, typer.Option("--due", help="Poll only the feeds that are due, as the schedule does.")] = False,
    refetch: Annotated[
        bool, typer.Option("--refetch", help="Look again at every article that is known, conditionally.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Look now at what waits after a failure, was given up or is gone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be fetched, and fetch nothing.")] = False,
    shards: Annotated[
        int, typer.Option("--shards", min=1, max=MAX_SHARDS, help="Share the work among so many runs on workers.")
    ] = 1,
    lake: LakeOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sweep once: poll the feeds, fetch what is due, extract, deduplicate, store, and report."""
    with one_clear_line():
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
        set_prefect_defaults(is_quiet=True)
        from flows.sweep.by_hand import run_sweep
        from tasks.report.run_report import RunReport

        report = run_sweep(config, settings, shows_progress=not as_json)
        if as_json:
            console.print_json(report.to_json())
        elif isinstance(report, RunReport):
            console.show_report(report, settings)
        else:
            from flows.sweep.dry_run import tables

            console.show_tables(tables(report))


@app.command()
def up(catalogue: CatalogueOption = None, lake: LakeOption = None, index: IndexOption = None) -> None:
    """Serve Prefect's UI and run the schedules on this machine, until Ctrl-C."""
    with one_clear_line():
        settings = set_flags(catalogue=catalogue, lake=lake, index=index)
        set_prefect_defaults(is_quiet=False)
        from flows.server.up import serve_until_interrupted

        serve_until_interrupted(settings)


@app.command()
def trace(
    what: Annotated[str, typer.Argument(metavar="URL|ID", help="A URL as announced or fetched, or an article's id.")],
    diff: Annotated[bool, typer.Option("--diff", help="Show what each revision changed, by sentence.")] = False,
    lake: LakeOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a URL's history: who announced it, what came back, what was decided, where the bytes are."""
    with one_clear_line():
        settings = set_flags(lake=lake, index=index)
        from tasks.report.trace import trace as look_up

        found = look_up(what, settings)
        if as_json:
            console.print_json(found.to_json())
        else:
            console.show_tables(found.tables())
            if diff:
                console.show_diff(found.diff())


@app.command()
def status(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Tell what is known and pending, by source, and how the last runs went."""
    with one_clear_line():
        settings = set_flags(index=index)
        from tasks.report.status import read_status

        found = read_status(settings)
        if as_json:
            console.print_json(found.to_json())
        else:
            console.show_tables(found.tables())


def _config(**parameters: object) -> IngestConfig:
    from pydantic import ValidationError

    try:
        return IngestConfig.model_validate(parameters)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "since"
        says = "should be an age (90m, 6h, 3d, 2w) or an instant" if first["type"] == "string_pattern_mismatch" else ""
        says = says or first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"--{OPTIONS.get(name, name)}: {says}") from error


def main() -> NoReturn:
    """Run the command, and end the process."""
    keep_children_safe()
    run_to_the_end(app)


if __name__ == "__main__":
    main()
