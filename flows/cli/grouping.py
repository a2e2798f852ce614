"""Group the commands in the help; the first groups hold the commands that users need first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from typer.core import TyperGroup

GROUPS = (
    ("Collect", ("ingest", "backfill", "init", "sources", "up")),
    ("Inspect", ("status", "show", "trace", "browse", "stories", "report", "rights")),
    ("Search", ("search", "sql")),
    ("Export", ("export", "changes")),
    ("Maintain", ("maintain", "verify", "replay", "forget", "reindex", "migrate")),
    ("Set up", ("settings", "metrics", "automations", "identity")),
)
OTHERS = "More"
HELP_LENGTH = 200
"""The longest description of a command, in characters: enough for a whole sentence, which may wrap."""


_METAVARS: tuple[tuple[type, str], ...] = ((Path, "PATH"), (int, "N"), (float, "N"), (str, "TEXT"))


class PlainGroup(TyperGroup):
    """A group whose help names an option's value with a common word: typer would print Python's type.

    The types are Any, since typer may bring its own copy of click.
    """

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Return a command with a metavar for each option."""
        command: Any = super().get_command(ctx, cmd_name)
        for parameter in command.params if command is not None else ():
            if parameter.param_type_name == "argument":
                parameter.display_type_rich = _nothing  # an argument's own name is enough
            elif parameter.metavar is None and not parameter.is_flag:
                parameter.metavar = _metavar(parameter.type_descriptor.annotation)
        return command


def _nothing(**_: object) -> str:
    return ""


def _metavar(annotation: Any) -> str | None:  # noqa: ANN401
    """Return the metavar of a type, or None if typer's own is better, such as a list of choices."""
    kinds = [annotation, *get_args(annotation)]
    return next((word for kind, word in _METAVARS if kind in kinds), None)


class Grouped(PlainGroup):
    """A group that shows its commands under headings."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """Return the commands in the order of their groups; ungrouped ones come last."""
        known = super().list_commands(ctx)
        return [name for _, names in self._groups(known) for name in names]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write each group's heading, and its commands with their descriptions."""
        for title, names in self._groups(super().list_commands(ctx)):
            commands = [(name, command) for name in names if (command := self.get_command(ctx, name)) is not None]
            with formatter.section(title):
                formatter.write_dl([(name, command.get_short_help_str(HELP_LENGTH)) for name, command in commands])

    @staticmethod
    def _groups(known: list[str]) -> Iterator[tuple[str, list[str]]]:
        grouped = {name for _, names in GROUPS for name in names}
        for title, names in (*GROUPS, (OTHERS, tuple(name for name in known if name not in grouped))):
            if chosen := [name for name in names if name in known]:
                yield title, chosen
