"""The command `presslake`. Each subcommand imports heavy modules only when it runs."""

from typing import Annotated, NoReturn

import typer

from flows.cli import (
    browse,
    finding,
    forgetting,
    init,
    lake,
    looking,
    metrics,
    replaying,
    report,
    rights,
    settings,
    sweeping,
    taking,
)
from flows.cli.automations import automations
from flows.cli.backfill import backfill
from flows.cli.ending import run_to_the_end
from flows.cli.grouping import Grouped
from flows.cli.interrupts import send_dropped_interrupts_again
from flows.cli.sources import sources
from tasks.runtime.safe_path import keep_children_safe

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="presslake",
    cls=Grouped,
    help="Turn the news of the open web into a dataset you can trust.",
    context_settings=HELP_OPTIONS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"presslake {version('presslake')}")
        raise typer.Exit


@app.callback()
def _presslake(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Turn the news of the open web into a dataset you can trust."""


init.add_command(app)
sweeping.add_commands(app)
looking.add_commands(app)
browse.add_command(app)
report.add_command(app)
finding.add_commands(app)
taking.add_commands(app)
lake.add_commands(app)
replaying.add_command(app)
forgetting.add_command(app)
metrics.add_commands(app)
settings.add_command(app)
app.add_typer(sources, name="sources")
rights.add_commands(app)
app.add_typer(automations, name="automations")
app.add_typer(backfill, name="backfill")


def main() -> NoReturn:
    """Run the command and exit."""
    keep_children_safe()
    send_dropped_interrupts_again()
    run_to_the_end(app)


if __name__ == "__main__":
    main()
