"""The commands `verify`, `reindex`, `maintain` and `migrate`, which maintain index and lake."""

from dataclasses import asdict
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
    one_clear_line,
)
from flows.cli.saying import say
from flows.cli.steps import steps
from tasks.errors import ConfigError
from tasks.values.display import Rows, Table

if TYPE_CHECKING:
    from tasks.config.settings import Settings
    from tasks.maintain.maintenance import MaintainReport
    from tasks.verify.reindex import ReindexReport


def verify(
    lake: LakeOption = None,
    index: IndexOption = None,
    mend: Annotated[
        bool, typer.Option("--mend", help="Repair what can be repaired; removed objects are set aside.")
    ] = False,
    undo: Annotated[str | None, typer.Option("--undo", metavar="VERIFY_ID", help="Undo that repair.")] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Read only this many segments, chosen at random.")
    ] = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Compare the index with the lake; report every fault with its location and repair."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(lake=lake, index=index)
        from tasks.verify import report as found
        from tasks.verify.config import VerifyConfig
        from tasks.verify.verification import verify_lake

        if undo is not None:
            _undo(undo, settings, as_json=as_json, is_alone=not mend and sample is None)
            return
        config = VerifyConfig(mend=mend, sample=sample)
        report = verify_lake(config, settings, on_step=steps())
        if as_json:
            console.print_json(found.as_json(report))
        else:
            console.show_tables(found.tables(report))
        if not report.is_well:
            raise typer.Exit(RUN_FAILED)


def _undo(verify_id: str, settings: "Settings", *, as_json: bool, is_alone: bool) -> None:
    from tasks.verify.report import undo_tables
    from tasks.verify.verification import undo_repair

    if not is_alone:
        raise ConfigError("--undo cannot be combined with --mend or --sample")
    undone = undo_repair(verify_id, settings, on_step=steps())
    if as_json:
        console.print_json(asdict(undone))
    else:
        console.show_tables(undo_tables(undone))


def reindex(
    lake: LakeOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,  # noqa: ARG001
    as_json: JsonOption = False,
) -> None:
    """Build a new index from the lake alone; the index must be empty."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(lake=lake, index=index)
        from tasks.verify.reindex import reindex_lake

        report = reindex_lake(settings, on_step=steps())
        if as_json:
            console.print_json(asdict(report))
        else:
            console.show_tables(reindex_tables(report))


def maintain(
    lake: LakeOption = None,
    index: IndexOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")] = False,
    keep_days: Annotated[int, typer.Option("--keep-days", min=7, max=3650, help="Days to keep replaced files.")] = 7,
    file_mib: Annotated[
        int, typer.Option("--file-mib", min=1, max=1024, help="Target size of packed files in MiB.")
    ] = 64,
    shapes_days: Annotated[
        int,
        typer.Option("--shapes-days", min=42, max=36_500, help="Days for which texts are compared with new ones."),
    ] = 90,
    catalogue: CatalogueOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Maintain lake and index: update clusters, compact files, delete expired data."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(lake=lake, index=index, catalogue=catalogue)
        from tasks.maintain.config import MaintainConfig
        from tasks.maintain.maintenance import maintain_lake

        config = MaintainConfig(dry_run=dry_run, keep_days=keep_days, file_mib=file_mib, shapes_days=shapes_days)
        done = maintain_lake(config, settings, on_step=steps())
        if as_json:
            console.print_json(asdict(done))
        else:
            console.show_tables(maintain_tables(done))


def reindex_tables(report: "ReindexReport") -> list[Table]:
    """Return the report of `reindex` as a titled table."""
    counts = asdict(report)
    return [("The new index", tuple(counts), [tuple(counts.values())])]


def maintain_tables(report: "MaintainReport") -> list[Table]:
    """Return the report of `maintain` as a titled table."""
    from tasks.maintain.maintenance import summary_line

    shown: Rows = [(name.replace("_", " "), value) for name, value in asdict(report).items()]
    return [(summary_line(report), ("field", "value"), shown)]


def migrate(index: IndexOption = None) -> None:
    """Create the index's tables or migrate them to this version. Runs do so too, if permitted."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(index=index)
        from tasks.index.database import HEAD, open_index

        with open_index(settings.index) as opened:
            say(f"The index {opened.uri} is at schema {HEAD}.")


def add_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(verify)
    app.command()(reindex)
    app.command()(maintain)
    app.command()(migrate)
