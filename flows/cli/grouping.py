"""The commands in groups, as the help shows them: what comes first is what a person does first."""

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup

GROUPS = (
    ("Collect", ("ingest", "backfill", "init", "sources", "up")),
    ("Look", ("status", "show", "trace", "report")),
    ("Find", ("search", "sql")),
    ("Take away", ("export", "changes")),
    ("Look after", ("maintain", "verify", "replay", "forget", "reindex", "migrate")),
    ("Run", ("settings", "metrics", "automations")),
)
OTHERS = "More"
HELP_LENGTH = 200
"""Characters of what a command does: all of its sentence, in as many lines as that takes."""


class Grouped(TyperGroup):
    """A group that shows its commands under headings. Which click typer stands on is typer's own business, hence Any."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """Return the commands in the order of their groups; one that is in none comes last."""
        known = super().list_commands(ctx)
        return [name for _, names in self._groups(known) for name in names]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write each group with what its commands do."""
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
