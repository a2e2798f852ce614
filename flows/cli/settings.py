"""The command `presslake settings`: each value and where it comes from, secrets masked."""

import os
from typing import Annotated

import typer

from flows.cli import console
from flows.cli.options import CatalogueOption, IndexOption, JsonOption, LakeOption, one_clear_line

PREFECT = ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_API_AUTH_STRING", "PREFECT_API_KEY")
"""Prefect's variables that decide where runs are kept."""


def settings(
    changed: Annotated[bool, typer.Option("--changed", help="Only those that are not at their default.")] = False,
    catalogue: CatalogueOption = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show each setting, its value, and where that comes from."""
    with one_clear_line():
        from tasks.config.settings import read_origins, set_flags

        flags = {"catalogue": catalogue, "lake": lake, "index": index}
        origins = read_origins(os.environ, flags)
        values = {name: _shown(value) for name, value in set_flags(**flags)}
        rows = [(name, values[name], where) for name, where in origins.items()]
        rows += [(name, _masked_variable(name), "environment") for name in PREFECT if name in os.environ]
        rows = [row for row in rows if not changed or row[2] != "default"]
        if as_json:
            console.print_json({name: {"value": value, "from": where} for name, value, where in rows})
        elif not rows:
            console.show_line("Every setting is at its default.")
        else:
            console.show_tables([("", ("setting", "value", "from"), [*rows])])


def _shown(value: object) -> str:
    from tasks.values.display import masked_url

    if isinstance(value, tuple):
        return ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else masked_url(str(value))


def _masked_variable(name: str) -> str:
    from tasks.values.display import masked_url

    return masked_url(os.environ[name]) if name in {"PREFECT_API_URL", "PREFECT_HOME"} else "***"


def add_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(settings)
