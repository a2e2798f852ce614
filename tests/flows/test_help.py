"""The help of every command."""

from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from flows.cli.app import app


def commands(group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield each command's words."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name)


ALL = sorted(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_no_value_is_named_by_a_python_type(words):
    shown = CliRunner().invoke(app, [*words, "--help"])

    assert shown.exit_code == 0
    assert "Usage: " in shown.output
    assert not [name for name in ("<str", "<list", "<int", "<path", "<float", "str]>") if name in shown.output]


def test_every_command_is_found():
    assert {("ingest",), ("sources", "add"), ("backfill", "warc")} <= set(ALL)
    assert len(ALL) > 20
