"""The commands `export`, and `changes`, which lists what changed after a sequence."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.options import JsonOption, LakeOption, QuietOption, one_clear_line
from flows.cli.saying import say
from flows.cli.steps import steps
from tasks.errors import ConfigError
from tasks.runtime.allocator import do_without_numpy
from tasks.values.display import Rows, counted, plural
from tasks.values.rights import Purpose

if TYPE_CHECKING:
    from tasks.export.changes import Change

SHOWN_ROWS = 1_000
CHANGE_HEAD = ("sequence", "change", "article", "revision", "title")
FORMATS = ("jsonl", "parquet", "csv", "warc")


def export(
    form: Annotated[str, typer.Option("--format", metavar="jsonl|parquet|csv|warc", help="Output format.")],
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="Folder to create.")],
    latest: Annotated[bool, typer.Option("--latest", help="Only the newest revision of each article.")] = False,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help="Only rows that match, such as language = 'de'."),
    ] = None,
    purpose: Annotated[
        Purpose | None,
        typer.Option("--purpose", help="Leave out articles that their site refuses or charges for, for this purpose."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an older export in that folder.")] = False,
    lake: LakeOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Export articles or their pages to a folder, with a manifest; reproducible byte for byte."""
    with one_clear_line():
        if form not in FORMATS:
            raise ConfigError(f"--format {form}: use one of {', '.join(FORMATS)}")
        from tasks.config.settings import set_flags

        settings = set_flags(lake=lake)
        from tasks.export.exporting import export as write
        from tasks.export.request import ExportRequest, Format

        request = ExportRequest(
            format=Format(form), out=out, is_latest=latest, where=where, is_forced=force, purpose=purpose
        )
        manifest = write(request, settings, on_step=steps())
        if as_json:
            console.print_json(_plain(manifest))
        else:
            (file,) = manifest["files"]
            console.show_line(f"{plural(manifest['rows'], 'article')} in {out / file['name']}, {file['size']:,} bytes.")


def _plain(manifest: dict[str, object]) -> dict[str, object]:
    from tasks.values.display import plain

    return plain(manifest) or {}


def changes(
    since: Annotated[
        int, typer.Option("--since", metavar="SEQ", min=0, help="Show changes after this sequence; 0: all.")
    ],
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List rows of articles added, superseded or removed since a sequence; --json includes the rows."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        do_without_numpy()
        settings = set_flags(lake=lake)
        from tasks.export.changes import read_changes
        from tasks.runtime.lakes import open_lake_without_index

        store, _ = open_lake_without_index(settings)
        found = read_changes(store, since=since)
        counts = dict.fromkeys(("added", "superseded", "removed"), 0)
        shown: Rows = []
        for change in found:
            counts[change.kind] += 1
            if as_json:
                console.print_json(fields_of(change))
            elif len(shown) < SHOWN_ROWS:
                shown.append(change_row(change))
        if as_json:
            console.print_json({"since": since, "upto": found.upto, **counts})
            return
        console.show_tables([("", CHANGE_HEAD, shown)] if shown else [])
        more = len(found) - len(shown)
        console.show_line(f"{counted(counts) or 'No changes'}. Next: --since {found.upto}")
        if more:
            say(f"{more:,} more not shown: use --json to get all.")


def change_row(change: "Change") -> tuple[object, ...]:
    """Return a change as a row of the printed table."""
    title = change.row.title if change.row else None
    return change.change_seq, change.kind.value, change.article_id, change.revision, title


def fields_of(change: "Change") -> dict[str, object]:
    """Return a change as a JSON-ready dictionary."""
    from dataclasses import asdict

    row = _plain({"dt": change.row.dt, **asdict(change.row)}) if change.row is not None else None
    return {
        "change": change.kind.value,
        "change_seq": change.change_seq,
        "article_id": change.article_id,
        "revision": change.revision,
        "row": row,
    }


def add_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(export)
    app.command()(changes)
