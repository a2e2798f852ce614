"""The commands `search` and `sql`, which find articles in the lake."""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import console
from flows.cli.options import IndexOption, JsonOption, LakeOption, QuietOption, SourceOption, one_clear_line
from flows.cli.saying import say
from flows.cli.steps import steps
from tasks.errors import ConfigError
from tasks.runtime.allocator import do_without_numpy
from tasks.values.display import Rows, moment, plural

if TYPE_CHECKING:
    from tasks.search.searching import Hit, SearchResult

PERIODS = ("day", "week", "month")
FORMATS = ("table", "json", "csv")
BAR = 40


def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help='Words; "a phrase", OR, -without, begin*, ( ).')],
    source: SourceOption = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only sources with this tag; repeatable.")] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="Only this language (pt finds pt-BR too); repeatable."),
    ] = None,
    since: Annotated[str, typer.Option("--since", help="Only articles since: 6h, 3d, 2w, or a date.")] = "",
    until: Annotated[str, typer.Option("--until", help="Only articles before: 6h, 3d, 2w, or a date.")] = "",
    newest: Annotated[bool, typer.Option("--newest", help="Sort by time, newest first.")] = False,
    by: Annotated[
        str, typer.Option("--by", metavar="day|week|month", help="Show counts over time instead of articles.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Maximum number of articles.")] = 20,
    lake: LakeOption = None,
    index: IndexOption = None,
    quiet: QuietOption = False,  # noqa: ARG001 - its callback is what it does
    as_json: JsonOption = False,
) -> None:
    """Search the newest texts; --by counts articles over time."""
    with one_clear_line():
        if by and by not in PERIODS:
            raise ConfigError(f"--by {by}: use one of {', '.join(PERIODS)}")
        from tasks.config.settings import set_flags

        do_without_numpy()
        settings = set_flags(lake=lake, index=index)
        from tasks.search.asking import Order, Period, SearchQuery
        from tasks.search.searching import search as look_for

        search_query = SearchQuery(
            text=query,
            sources=tuple(source or ()),
            tags=tuple(tag or ()),
            languages=tuple(language or ()),
            since=_instant(since, "--since"),
            until=_instant(until, "--until"),
            order=Order.NEWEST if newest else Order.RELEVANCE,
            by=Period(by) if by else None,
            limit=limit,
        )
        found = look_for(search_query, settings, on_step=steps())
        if found.is_behind:
            say("Another process is updating the search index: the newest articles may be missing.")
        if as_json:
            console.print_json(found.to_json())
        else:
            _show(found, is_counted=bool(by))


def _instant(text: str, option: str) -> datetime | None:
    from tasks.config.parameters import parse_since

    try:
        return parse_since(text, now=datetime.now(UTC)) if text else None
    except ValueError as error:
        raise ConfigError(f"{option} {text}: should be an age (90m, 6h, 3d, 2w) or a date (2026-03-01)") from error


def _show(found: "SearchResult", *, is_counted: bool) -> None:
    title = f"{plural(found.total, 'article')} found"
    if is_counted:
        most = max((one.articles for one in found.counts), default=1)
        counts: Rows = [
            (one.day.isoformat(), one.articles, "#" * round(BAR * one.articles / most)) for one in found.counts
        ]
        console.show_tables([(title, ("from", "articles", ""), counts)])
        return
    console.show_line(title, console.BOLD)
    console.show_lines(hit_lines(found.hits, now=datetime.now(UTC), width=console.width_of(sys.stdout)))


def hit_lines(hits: Iterable["Hit"], *, now: datetime, width: int) -> Iterator[tuple[str, str]]:
    """Yield search hits as (line, style) pairs, with an empty line before each article."""
    for hit in hits:
        about = (hit.source_id, f"{moment(hit.at, now)} UTC", hit.language, hit.url)
        yield "", ""
        yield from console.wrapped(hit.title or "(no title)", console.CYAN, width)
        yield from console.wrapped(" - ".join(part for part in about if part), console.DIM, width)
        yield from console.wrapped(hit.snippet.text, "", width)


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT over the views; - reads standard input.")],
    form: Annotated[
        str, typer.Option("--format", metavar="table|json|csv", help="json prints one object per line.")
    ] = "table",
    lake: LakeOption = None,
) -> None:
    """Query the lake with SQL (DuckDB), read-only: views articles, latest, captures and one per other table."""
    with one_clear_line():
        if form not in FORMATS:
            raise ConfigError(f"--format {form}: use one of {', '.join(FORMATS)}")
        from tasks.config.settings import set_flags

        do_without_numpy()
        settings = set_flags(lake=lake)
        from flows.cli.answering import PRINTERS
        from tasks.query.asking import ask

        with ask(sys.stdin.read() if query == "-" else query, settings) as answer:
            PRINTERS[form](answer)


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(search)
    app.command()(sql)
