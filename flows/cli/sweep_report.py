"""What a sweep came to, as a person reads it on the terminal."""

from collections.abc import Iterator

from flows.cli import console
from tasks.config.settings import Settings
from tasks.discover.preview import Preview
from tasks.index.database import shown_url
from tasks.report.run_report import DRIFT_HEAD, RunReport, drift_rows, most_first, shortfall, summary_line
from tasks.values.display import Table
from tasks.values.rows import Novelty

SHOWN_FAILURES = 10


def show(report: RunReport | Preview, settings: Settings) -> None:
    """Show what a sweep, or its dry run, came to."""
    if isinstance(report, Preview):
        from flows.sweep.dry_run import tables

        console.show_tables(tables(report))
        return
    console.show_tables(report_tables(report))
    if shortfall(report) is None:
        console.show_line("Nothing failed.")
    console.show_line(f"Lake: {settings.lake}   Index: {shown_url(settings.index)}   Run: {report.run_id}")


def report_tables(report: RunReport) -> Iterator[Table]:
    """Yield a run's tables."""
    counts = (report.polled, report.discovered, report.fetched, report.not_modified, report.pending)
    head = ("feeds polled", "discovered", "fetched", "not modified", "pending", "seconds")
    yield summary_line(report), head, [(*counts, f"{report.seconds:.1f}")]
    names = [novelty.value.replace("_", "-") for novelty in Novelty]
    yield "", names, [tuple(report.articles.get(novelty.value, 0) for novelty in Novelty)]
    for title, reasons in (("skipped", report.skipped), ("failed", report.failed)):
        if reasons:
            yield "", (title, "URLs"), list(most_first(reasons))
    if report.doubtful:
        yield "", ("source", "doubtful articles"), list(most_first(report.doubtful))
    if report.limits:
        yield "", ("limits reached",), [(one,) for one in report.limits[:SHOWN_FAILURES]]
    if report.drifted:
        yield "", DRIFT_HEAD, list(drift_rows(report))
    if report.failures:
        failed = [(one.reason, one.disposition.value, one.url) for one in report.failures[:SHOWN_FAILURES]]
        yield "", ("reason", "becomes", "URL"), list(failed)
    if report.fell_short:
        yield f"Fell short: {report.fell_short}", (), []
