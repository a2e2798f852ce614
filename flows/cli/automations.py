"""The command group `presslake automations`: apply automations from a folder."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import console
from flows.cli.grouping import PlainGroup
from flows.cli.options import JsonOption, one_clear_line
from flows.server.defaults import set_prefect_defaults

automations = typer.Typer(
    cls=PlainGroup,
    help="Install automations on the Prefect server: notifications, and handling of stuck runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@automations.callback()
def _automations() -> None:
    """Keep `apply` a subcommand: typer would make a single command the group itself."""


@automations.command("apply")
def apply(
    block: Annotated[
        str, typer.Option("--block", metavar="TYPE/NAME", help="Prefect block that receives the notifications.")
    ] = "custom-webhook/presslake",
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook", metavar="URL", help="Save this URL in the block first; - reads it from standard input."
        ),
    ] = None,
    definitions: Annotated[
        Path | None, typer.Option("--definitions", help="Folder with the definitions [deploy/automations].")
    ] = None,
    stuck_after: Annotated[
        int, typer.Option("--stuck-after", min=30, help="Seconds without a heartbeat until a run counts as crashed.")
    ] = 600,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create or update the automations of a folder on the Prefect server; can be repeated."""
    with one_clear_line():
        set_prefect_defaults(is_quiet=True)
        from flows.server.automations import DEFINITIONS, apply
        from flows.sweep.by_hand import require_server

        require_server()
        url = sys.stdin.readline().strip() if webhook == "-" else webhook
        done = list(
            apply(definitions or DEFINITIONS, block=block, webhook_url=url, stuck_after_s=stuck_after, is_dry=dry_run)
        )
        if as_json:
            console.print_json({one.name: one.became for one in done})
        else:
            title = "Automations (dry run)" if dry_run else "Automations"
            rows: list[tuple[object, ...]] = [(one.name, one.became, one.description) for one in done]
            console.show_tables([(title, ("automation", "became", "what it does"), rows)])
