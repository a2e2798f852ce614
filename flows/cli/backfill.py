"""The commands `backfill warc` and `backfill source`: take in older articles."""

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.grouping import PlainGroup
from flows.cli.options import (
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
from flows.server.defaults import set_prefect_defaults
from tasks.config.choices import Runner
from tasks.errors import ConfigError

if TYPE_CHECKING:
    from tasks.backfill.config import BackfillConfig
    from tasks.backfill.plan import BackfillPlan
    from tasks.backfill.report import BackfillReport
    from tasks.config.settings import Settings

OPTIONS = {"sources": "source", "hosts": "host", "languages": "language", "unit_pages": "unit-pages"}

backfill = typer.Typer(
    cls=PlainGroup,
    help="Import older articles from archives.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@backfill.command()
def warc(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="WARC or WACZ files, folders, globs, s3://..., @LIST.")
    ],
    source: SourceOption = None,
    host: Annotated[list[str] | None, typer.Option("--host", help="Only pages of this host; repeatable.")] = None,
    since: Annotated[str, typer.Option("--since", help="Only pages fetched since this date or time.")] = "",
    until: Annotated[str, typer.Option("--until", help="Only pages fetched until this date (inclusive) or time.")] = "",
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Only articles in this language; repeatable.")
    ] = None,
    source_from_host: Annotated[
        bool, typer.Option("--source-from-host", help="Create a source for each host without an owner.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be imported; store nothing.")] = False,
    runner: Annotated[Runner, typer.Option("--runner", help="Where pages are extracted.")] = Runner.LOCAL,
    address: Annotated[str, typer.Option("--address", help="Address of a Dask or Ray cluster.")] = "",
    workers: Annotated[int, typer.Option("--workers", min=0, help="Units to extract in parallel; 0: automatic.")] = 0,
    unit_pages: Annotated[int, typer.Option("--unit-pages", min=1, max=5000, help="Pages per unit.")] = 500,
    catalogue: CatalogueOption = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Import the pages of WARC files; run it again after an interruption, it skips what was imported."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue, lake=lake, index=index)
        config = _config(
            paths=paths,
            sources=source or (),
            hosts=host or (),
            since=since,
            until=until,
            languages=language or (),
            source_from_host=source_from_host,
            dry_run=dry_run,
            runner=runner,
            address=address,
            workers=workers,
            unit_pages=unit_pages,
        )
        _show(_run(config, settings), as_json=as_json)


@backfill.command()
def source(
    source: SourceOption = None,
    since: Annotated[str, typer.Option("--since", help="First day to fetch: a date or an age.")] = "",
    until: Annotated[str, typer.Option("--until", help="Last day to fetch; default: today.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="Fetch at most this many pages; 0: no limit.")] = 0,
    hours: Annotated[float, typer.Option("--hours", help="Hours after which the rest waits for the next run.")] = 1.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the archives but fetch no page.")] = False,
    catalogue: CatalogueOption = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,  # noqa: ARG001
    as_json: JsonOption = False,
) -> None:
    """Fetch older articles from the sources' sitemaps, listings and lists; run it again to continue."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(catalogue=catalogue, lake=lake, index=index)
        config = _config(sources=source or (), since=since, until=until, limit=limit, hours=hours, dry_run=dry_run)
        from tasks.config.loading import load_catalogue

        load_catalogue(settings.catalogue).select(config.sources)  # report a mistake before the slow imports
        set_prefect_defaults(is_quiet=True)
        from flows.units.by_hand import run_backfill

        _show(run_backfill(config, settings), as_json=as_json)


def _show(report: "BackfillReport", *, as_json: bool) -> None:
    if as_json:
        console.print_json(report.to_json())
        return
    from tasks.backfill.report import tables

    console.show_tables(tables(report))


def _run(config: "BackfillConfig", settings: "Settings") -> "BackfillReport":
    if config.runner is not Runner.LOCAL:
        set_prefect_defaults(is_quiet=True)
        from flows.units.by_hand import run_backfill

        return run_backfill(config, settings)
    from tasks.backfill.local import backfill_here

    def on_plan(plan: "BackfillPlan") -> None:
        say(f"{plan.line}{'' if config.dry_run else f', into {settings.lake}'}")

    return backfill_here(config, settings, run_id=f"backfill-{uuid.uuid4()}", on_step=steps(), on_plan=on_plan)


_FORMS = {
    "since": "should be a date, an instant or an age",
    "until": "should be a date, an instant or an age",
    "languages": "should be a language, such as en or pt-BR",
}


def _config(**parameters: object) -> "BackfillConfig":
    from pydantic import ValidationError

    from tasks.backfill.config import BackfillConfig

    try:
        return BackfillConfig.model_validate(parameters)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        option = f"--{OPTIONS.get(name, name)}: " if name else ""
        says = _FORMS.get(name, first["msg"]) if first["type"] == "string_pattern_mismatch" else first["msg"]
        raise ConfigError(f"{option}{says.removeprefix('Value error, ')}") from error
