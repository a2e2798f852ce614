"""The read-only commands `status`, `trace`, `show` and `stories`. They never create an index or a lake."""

from typing import Annotated

import typer

from flows.cli import console
from flows.cli.options import IndexOption, JsonOption, LakeOption, one_clear_line
from tasks.errors import ConfigError
from tasks.runtime.allocator import do_without_numpy


def trace(
    what: Annotated[str, typer.Argument(metavar="URL|ID", help="A URL as announced or fetched, or an article's id.")],
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Show what each revision changed: title, authors, date, and the text by sentence."),
    ] = False,
    lake: LakeOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a URL's history: announcements, responses, decisions, and the location of its bytes."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        do_without_numpy()
        settings = set_flags(lake=lake, index=index)
        from tasks.report.trace import trace as look_up

        found = look_up(what, settings)
        if as_json:
            console.print_json(found.to_json())
            return
        from datetime import UTC, datetime

        console.show_tables(found.tables(now=datetime.now(UTC)))
        if diff:
            changes = found.diff()
            console.show_diff(changes)
            if not changes:
                console.show_line(found.why_no_diff())


def show(
    what: Annotated[str, typer.Argument(metavar="URL|ID", help="A URL as announced or fetched, or an article's id.")],
    text: Annotated[bool, typer.Option("--text", help="Print only the text, one paragraph per line.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Print the page as received, decompressed.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the text as markdown, with the title as its heading.")
    ] = False,
    revision: Annotated[
        int | None, typer.Option("--revision", min=1, help="Revision to show; default: the latest.")
    ] = None,
    lake: LakeOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an article from the lake: title, authors, date and text."""
    with one_clear_line():
        if text + html + markdown + as_json > 1:
            raise ConfigError("use only one of --text, --html, --markdown and --json")
        from tasks.config.settings import set_flags

        do_without_numpy()
        settings = set_flags(lake=lake, index=index)
        from datetime import UTC, datetime

        from flows.cli import article
        from tasks.report.article import read_article

        found = read_article(what, settings, revision=revision, with_page=html)
        if as_json:
            console.print_json(found.to_json())
        elif html:
            article.print_page(found.html or b"")
        elif text:
            article.print_text(found.row)
        elif markdown:
            article.print_markdown(found.row)
        else:
            article.show(found.row, now=datetime.now(UTC))


def stories(
    day: Annotated[
        str, typer.Option("--day", help="Last day, such as 2026-11-29; default: that of the newest article.")
    ] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Number of days.")] = 7,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Maximum number of stories.")] = 20,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show stories covered by several articles, those with the most sources first, and who was first."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(index=index)
        from datetime import UTC, datetime

        from tasks.report.stories import read_day, read_stories

        found = read_stories(settings, last=read_day(day) if day else None, days=days, limit=limit)
        if as_json:
            console.print_json(found.to_json())
        else:
            console.show_tables(found.tables(now=datetime.now(UTC)))


def status(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Show sources, pending URLs and recent runs."""
    with one_clear_line():
        from tasks.config.settings import set_flags

        settings = set_flags(index=index)
        from tasks.report.status import read_status

        found = read_status(settings)
        if as_json:
            console.print_json(found.to_json())
        else:
            from datetime import UTC, datetime

            console.show_tables(found.tables(now=datetime.now(UTC)))


def add_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(trace)
    app.command()(show)
    app.command()(stories)
