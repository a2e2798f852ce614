"""The result of a backfill: added up, as JSON for programs, as tables for people. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tasks.backfill.reading import ReadCounts
from tasks.values.display import Table, counted, plural
from tasks.values.reports import BatchReport
from tasks.values.rows import Novelty
from tasks.values.text.escape import as_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillReport:
    """What a backfill did. Its JSON is the contract of `--json` (docs/cli.md).

    `records` were read and `pages` taken in (in a dry run: would be). `skipped` and `failed` count records and pages by
    reason; `troubles` describe the first damaged places.
    """

    run_id: str
    is_dry_run: bool
    archives: int
    units: int
    records: int
    pages: int
    articles: dict[str, int]
    skipped: dict[str, int]
    failed: dict[str, int]
    quarantined: int
    troubles: tuple[str, ...]
    seconds: float
    pending: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints, with every novelty."""
        return {
            "run_id": self.run_id,
            "archives": self.archives,
            "records": self.records,
            "pages": self.pages,
            "articles": {novelty.value: self.articles.get(novelty.value, 0) for novelty in Novelty},
            "skipped": self.skipped,
            "failed": self.failed,
            "quarantined": self.quarantined,
            **({} if self.pending is None else {"pending": self.pending}),
            "seconds": round(self.seconds, 3),
        }

    def summary(self) -> dict[str, Any]:
        """Return what is stored with the run, for `status`, which shows it among sweeps."""
        return {**self.to_json(), "fetched": self.pages}


def add_up(
    *,
    run_id: str,
    is_dry_run: bool,
    archives: int,
    read: ReadCounts,
    batches: Iterable[BatchReport],
    others: int,
    lost: Counter[str],
    refused: Iterable[str],
    seconds: float,
) -> BackfillReport:
    """Add up what was read and deduplicated; `others` are pages in other languages, `lost` those of failed units."""
    done, no_archives = tuple(batches), tuple(refused)
    skipped = read.skipped + sum((Counter(one.skipped) for one in done), Counter())
    failed = read.failed + lost + sum((Counter(one.failed) for one in done), Counter())
    skipped["other_language"] += others
    failed["not_a_warc"] += len(no_archives)
    taken = sum(one.fetched + sum(one.skipped.values()) + sum(one.failed.values()) + one.quarantined for one in done)
    return BackfillReport(
        run_id=run_id,
        is_dry_run=is_dry_run,
        archives=archives,
        units=len(done),
        records=read.records,
        pages=read.pages if is_dry_run else taken,
        articles=dict(sum((Counter(one.articles) for one in done), Counter())),
        skipped=_sorted(skipped),
        failed=_sorted(failed),
        quarantined=sum(one.quarantined for one in done),
        troubles=(*no_archives, *read.troubles),
        seconds=seconds,
    )


def summary_line(report: BackfillReport) -> str:
    """Return a backfill in one line."""
    read = f"{plural(report.records, 'record')} of {plural(report.archives, 'archive')}"
    if report.pending is not None:
        read = f"{plural(report.records, 'URL')} in this period in {plural(report.archives, 'list')}, {report.pending:,} pending"
    if report.is_dry_run:
        return f"{read}: would import {plural(report.pages, 'page')}; nothing was stored"
    failed = f"; {sum(report.failed.values()):,} failed" if report.failed else ""
    return f"{read}: {plural(report.pages, 'page')} imported: {counted(report.articles) or 'no article'}{failed}"


def tables(report: BackfillReport) -> Iterator[Table]:
    """Return it as titled tables."""
    yield f"Backfill: {summary_line(report)}", (), []
    for title, counts in (("Articles", report.articles), ("Skipped", report.skipped), ("Failed", report.failed)):
        if counts:
            yield title, ("novelty" if title == "Articles" else "reason", "pages or records"), list(counts.items())
    if report.troubles:
        yield "Damage", ("where",), [(one,) for one in report.troubles]


def as_markdown(report: BackfillReport) -> str:
    """Return it as the markdown of an artifact."""
    lines = [f"# {summary_line(report)}"]
    for title, head, rows in tables(report):
        if head:
            lines += ["", f"## {title}", "", f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
            lines += [f"| {' | '.join(as_plain(str(cell)).replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counts.items()) if number}
