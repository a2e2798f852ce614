"""The command `presslake report`: print tables about the past day or week."""

from typing import Annotated

import typer

from flows.cli import console
from flows.cli.options import IndexOption, JsonOption, SourceOption, one_clear_line
from tasks.config.choices import Period


def report(
    period: Annotated[Period, typer.Option("--period", help="The past day, or the past week.")] = Period.DAY,
    source: SourceOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Summarise the past day or week: volume, freshness, novelty, failures, sources."""
    with one_clear_line():
        from tasks.config.parameters import ReportConfig
        from tasks.config.settings import set_flags

        settings = set_flags(index=index)
        from tasks.health.table import health_summary
        from tasks.report.period import summary_line, tables
        from tasks.report.recent import report_period

        found, health = report_period(ReportConfig(period=period, sources=tuple(source or ())), settings)
        if as_json:
            console.print_json(found.to_json())
        else:
            console.show_tables([(summary_line(found), (), []), (health_summary(health.sources), (), [])])
            console.show_tables(tables(found))


def add_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
