"""Print the result of a sweep on the terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flows.cli import console
from tasks.config.settings import Settings
from tasks.discover.preview import Preview
from tasks.index.addresses import shown_address
from tasks.report.run_report import DRIFT_HEAD, RunReport, drift_rows, most_first, summary_line
from tasks.values.display import Rows, Table, age

SHOWN = 10
ALWAYS = {"feeds polled", "discovered", "fetched", "pending"}
"""Counts that are shown even if they are 0."""


def show(report: RunReport | Preview, settings: Settings) -> None:
    """Print the result of a sweep or of its dry run."""
    if isinstance(report, Preview):
        from flows.sweep.dry_run import tables

        console.show_tables(tables(report))
        return
    console.show_tables(report_tables(report, now=datetime.now(UTC)))
    console.show_line(f"Lake: {settings.lake}   Index: {shown_address(settings.index)}   Run: {report.run_id}")


def report_tables(report: RunReport, *, now: datetime) -> Iterator[Table]:
    """Yield a run's tables; the newest headlines come last, just above the prompt."""
    yield summary_line(report)[:1].upper() + summary_line(report)[1:], (), []
    yield "", (), []
    yield "", *_counts(report)
    for title, reasons in (("skipped", report.urls_skipped), ("failed", report.urls_failed)):
        if reasons:
            yield "", (title, "URLs"), list(most_first(reasons))
    if feeds := {**report.feeds_failed, **report.feeds_skipped}:
        yield "", ("feeds and their links", "number"), list(most_first(feeds))
    if report.doubtful:
        yield "", ("source", "doubtful articles"), list(most_first(report.doubtful))
    if report.limits:
        yield "", ("limits reached",), [(limit,) for limit in report.limits[:SHOWN]]
    if report.drifted:
        yield "", DRIFT_HEAD, list(drift_rows(report))
    if report.failures:
        failed = [(one.reason, one.disposition.value.replace("_", " "), one.url) for one in report.failures[:SHOWN]]
        yield "", ("reason", "becomes", "URL"), list(failed)
    if report.headlines:
        rows: Rows = [(age(one.published_at, now) or "no date", one.source_id, one.title) for one in report.headlines]
        yield "The newest" if len(rows) > 1 else "New", ("published", "source", "title"), rows


def _counts(report: RunReport) -> tuple[tuple[str, ...], Rows]:
    """Return the table of counts: discovered and known before add up to those looked at and pending."""
    skipped, failed = sum(report.urls_skipped.values()), sum(report.urls_failed.values())
    counts = {
        "feeds polled": report.polled,
        "discovered": report.discovered,
        "known before": report.known_before,
        "fetched": report.fetched,
        "not modified": report.not_modified,
        "skipped": skipped,
        "failed": failed,
        "quarantined": report.quarantined,
        "pending": report.pending,
    }
    shown = {name: number for name, number in counts.items() if number or name in ALWAYS}
    return (*shown, "seconds"), [(*shown.values(), f"{report.seconds:.1f}")]
