"""The command `presslake settings`: print each setting, its value (secrets masked) and its origin."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.options import CatalogueOption, IndexOption, JsonOption, LakeOption, one_clear_line

if TYPE_CHECKING:
    from tasks.config.settings import Settings

PREFECT = ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_API_AUTH_STRING", "PREFECT_API_KEY")
"""Prefect's variables that decide where runs are recorded."""

HEAD = ("setting", "value", "from")


def settings(
    changed: Annotated[bool, typer.Option("--changed", help="Only settings that differ from their default.")] = False,
    catalogue: CatalogueOption = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show each setting with its value and origin."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        flags = {"catalogue": catalogue, "lake": lake, "index": index}
        rows = rows_of(set_flags(**flags), flags, os.environ)
        rows = [row for row in rows if not changed or row[2] != "default"]
        if as_json:
            console.print_json({name: {"value": value, "from": where} for name, value, where in rows})
        elif not rows:
            console.show_line("All settings have their default values.")
        else:
            console.show_tables([("", HEAD, [*rows])])


def rows_of(
    settings: "Settings", flags: Mapping[str, object], environment: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Return a (name, value, origin) row per setting."""
    from tasks.config.settings import read_origins

    values = {name: _shown(value) for name, value in settings}
    rows = [(name, values[name], where) for name, where in read_origins(environment, flags).items()]
    others = {name: environment[name] for name in PREFECT if name in environment}
    return [*rows, *((name, _masked_variable(name, value), "environment") for name, value in others.items())]


def _shown(value: object) -> str:
    from tasks.values.display import masked_url

    if isinstance(value, tuple):
        return ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else masked_url(str(value))


def _masked_variable(name: str, value: str) -> str:
    from tasks.values.display import masked_url

    return masked_url(value) if name in {"PREFECT_API_URL", "PREFECT_HOME"} else "***"


def add_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(settings)
