"""The command `forget`: take articles down, or undo a takedown."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.options import IndexOption, JsonOption, LakeOption, QuietOption, one_clear_line
from flows.cli.saying import is_quiet, say
from flows.cli.steps import steps
from tasks.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.forget.plan import Plan, Selection
    from tasks.forget.targets import TakedownTargets


def forget(
    url: Annotated[list[str] | None, typer.Option("--url", help="This article's URL; repeatable.")] = None,
    article: Annotated[
        list[str] | None, typer.Option("--article", metavar="ID", help="This article, by its id; repeatable.")
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="Everything from this host and its subdomains; repeatable."),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="ID", help="Everything from this source; repeatable.")
    ] = None,
    list_file: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="File with URLs, one per line.")
    ] = None,
    copies: Annotated[bool, typer.Option("--copies", help="Also copies, near-copies and excerpts elsewhere.")] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="The reason; it is kept, so do not mention a URL.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Forget even half of the lake or more.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed; change nothing.")] = False,
    undo: Annotated[
        str | None,
        typer.Option("--undo", metavar="TAKEDOWN_ID", help="Allow the URLs again; removed data stays removed."),
    ] = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Permanently remove articles, a host or a source from all stores, and keep them out."""
    with one_clear_line():
        from tasks.config.settings import set_flags
        from tasks.forget import report as shown
        from tasks.forget.forgetting import forget_selection, undo_takedown

        settings = set_flags(lake=lake, index=index)
        named = {"--url": url, "--article": article, "--host": host, "--source": source, "--list": list_file}
        given = [name for name, value in named.items() if value]
        if undo is not None:
            if given or copies or dry_run:
                raise ConfigError("--undo cannot be combined with a selection, --copies or --dry-run")
            undone = undo_takedown(undo, settings)
            console.print_json({"takedown_id": undone.takedown_id}) if as_json else say(
                f"Takedown {undone.takedown_id} is undone: its URLs can be fetched again."
            )
            return
        selection = _selection(given, named, copies=copies, reason=reason)
        report = forget_selection(
            selection,
            settings,
            is_dry_run=dry_run,
            is_sure=yes,
            elsewhere=_in_prefect,
            on_plan=_show_plan,
            on_step=steps(),
        )
        if as_json:
            console.print_json(shown.as_json(report))
        else:
            console.show_tables(shown.tables(report))


def _selection(given: list[str], named: "Mapping[str, object]", *, copies: bool, reason: str | None) -> "Selection":
    from tasks.forget.plan import Selection, read_list
    from tasks.runtime.places import worded
    from tasks.values.takedown import Scope

    if len(given) != 1:
        raise ConfigError("name what to forget: one of --url, --article, --host, --source and --list")
    (name,) = given
    values = named[name]
    if isinstance(values, Path):
        try:
            values = read_list(values.read_text(encoding="utf-8").splitlines())
        except OSError as error:
            raise ConfigError(f"--list {values}: {worded(error)}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"--list {values}: not UTF-8") from error
        name = "--url"
    names = tuple(map(str, values if isinstance(values, list) else [values]))
    return Selection(scope=Scope(name.removeprefix("--")), names=names, copies=copies, reason=reason)


def _show_plan(plan: "Plan") -> None:
    from tasks.forget.report import plan_tables

    if not is_quiet() and not plan.is_empty:
        console.show_tables(plan_tables(plan), beside=True)


def _in_prefect(taken: "TakedownTargets") -> "Iterator[str]":
    from flows.server.forgetting import forget_in_prefect

    return forget_in_prefect(taken.is_named_in)


def add_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(forget)
