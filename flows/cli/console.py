"""What the command line shows: tables, a progress bar, one clear line for a mistake. Text from the web is made inert."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tasks.config.catalogue import Catalogue
from tasks.config.settings import Settings
from tasks.report.run_report import DRIFT_HEAD, RunReport, drift_rows, most_first, shortfall, summary_line
from tasks.runtime.progress import progress
from tasks.values.display import Table as DisplayTable
from tasks.values.rows import Novelty
from tasks.values.text.escape import as_plain

MAX_UNBROKEN = 20
"""Characters of a cell up to which its column is never broken."""

PIPED_WIDTH = 240
"""Characters of a line where nobody looks at it through a terminal."""

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)
if not out.is_terminal:
    out = Console(highlight=False, width=PIPED_WIDTH)
REFRESH_S = 0.2
SHOWN_FAILURES = 10


def say(line: str) -> None:
    """Say one line to the person, beside the output."""
    err.print(Text(as_plain(line, length=2000)), soft_wrap=True)


def say_error(error: BaseException) -> None:
    """Say what is wrong, in one line."""
    say(f"presslake: {error}")


def show_report(report: RunReport, settings: Settings) -> None:
    """Show what a sweep came to."""
    out.print(Text(summary_line(report), style="bold"))
    _show(("feeds polled", "discovered", "fetched", "not modified", "pending", "seconds"), [
        (report.polled, report.discovered, report.fetched, report.not_modified, report.pending, f"{report.seconds:.1f}")
    ])  # fmt: skip
    _show(
        [novelty.value.replace("_", "-") for novelty in Novelty],
        [[report.articles.get(novelty.value, 0) for novelty in Novelty]],
    )
    for title, counts in (("skipped", report.skipped), ("failed", report.failed)):
        if counts:
            _show((title, "URLs"), most_first(counts))
    if report.doubtful:
        _show(("source", "doubtful articles"), most_first(report.doubtful))
    if report.limits:
        _show(("Limits reached",), [(one,) for one in report.limits[:SHOWN_FAILURES]])
    if report.drifted:
        _show(DRIFT_HEAD, drift_rows(report))
    if report.failures:
        _show(
            ("reason", "becomes", "URL"),
            [(one.reason, one.disposition.value, one.url) for one in report.failures[:SHOWN_FAILURES]],
        )
    if report.fell_short:
        out.print(Text(f"Fell short: {as_plain(report.fell_short, length=2000)}"), soft_wrap=True)
    if shortfall(report) is None:
        out.print("Nothing failed.")
    out.print(Text(f"Lake: {settings.lake}   Index: {_without_password(settings)}   Run: {report.run_id}"))


def show_tables(tables: Iterable[DisplayTable], *, beside: bool = False) -> None:
    """Show titled tables; `beside` the output, on standard error."""
    for title, head, rows in tables:
        (err if beside else out).print(Text(title, style="bold"))
        if rows:
            _show(head, rows, console=err if beside else out)


def show_diff(diff: str) -> None:
    """Show a unified diff, a sentence a line, whole."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        out.print(Text(as_plain(line, length=5000), style=styles.get(line[:1], "")), soft_wrap=True)
    if not diff:
        out.print("There is one revision, or none: nothing has changed.")


def print_json(value: object, *, is_indented: bool = False) -> None:
    """Print one JSON object on standard output, on one line unless it is for reading."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 if is_indented else None) + b"\n")
    sys.stdout.buffer.flush()


def show_catalogue(catalogue: Catalogue, path: Path) -> None:
    """Show what the catalogue follows."""
    rows = []
    for source in catalogue.sources:
        rules = source.effective(catalogue.defaults)
        counts = (len(source.feeds), len(source.sitemaps), len(source.listings), len(source.urls))
        rows.append(
            (source.id, source.name, *counts, source.language or "", f"{rules.crawl_delay_s:g} s", rules.max_per_host)
        )
    _show(("source", "name", "feeds", "sitemaps", "listings", "urls", "language", "delay", "per host"), rows)
    out.print(Text(f"{path}: {len(rows)} sources, well-formed."))


@contextmanager
def progress_bar() -> Iterator[None]:
    """Show on standard error how far the sweep is, while it runs; nothing where that is no terminal."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    ended = Event()

    def follow() -> None:
        polling, fetching = bar.add_task("feeds polled", total=None), bar.add_task("articles fetched", total=None)
        extracting, storing = bar.add_task("pages extracted", total=None), bar.add_task("revisions stored", total=None)
        while not ended.wait(REFRESH_S):
            counts = progress.read()
            bar.update(polling, completed=counts.get("feeds", 0), total=counts.get("feeds_to_poll"))
            bar.update(fetching, completed=counts.get("fetched", 0), total=counts.get("claimed"))
            bar.update(extracting, completed=counts.get("extracted", 0), total=counts.get("to_extract"))
            bar.update(storing, completed=counts.get("stored", 0), total=None)

    with bar:
        thread = Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _show(head: Sequence[str], rows: Sequence[Sequence[object]], *, console: Console = out) -> None:
    cells = [[as_plain(str(cell), length=500) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, name in enumerate(head):
        longest = max((len(row[place]) for row in cells), default=0)
        table.add_column(name, overflow="fold", no_wrap=longest <= MAX_UNBROKEN)
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)
    console.print()


def _without_password(settings: Settings) -> str:
    from sqlalchemy.engine import make_url

    return make_url(settings.index).render_as_string(hide_password=True)
