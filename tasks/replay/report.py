"""The report of a replay: counts in total and by source, and the largest changes with diffs; as rows, JSON and Markdown. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest

from tasks.replay.comparing import ComparedCapture, Difference, Result, difference
from tasks.values.display import Rows, plural

SHOWN = 20
"""How many of the largest changes are shown."""

COUNTED = (Result.SAME, Result.CHANGED, Result.GAINED, Result.LOST, Result.FAILED, Result.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """The result of a replay, or of a dry run. `failures` are counts by reason; `rows_changed` are rows of `articles`.

    `stopped` says why it stopped early.
    """

    is_dry_run: bool
    pages: int
    same: int
    changed: int
    gained: int
    lost: int
    failed: int
    expired: int
    by_source: dict[str, dict[str, int]]
    failures: dict[str, int]
    differences: tuple[Difference, ...]
    rows_changed: int
    rows_gone: int
    estimated_s: float
    seconds: float
    stopped: str | None = None


@dataclass(slots=True)
class Tally:
    """Counts of a replay so far."""

    counts: Counter[tuple[str, Result]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    largest: list[Difference] = field(default_factory=list)
    rows_changed: int = 0
    rows_gone: int = 0

    def add(self, compared: Iterable[ComparedCapture]) -> None:
        """Count a unit."""
        found = []
        for one in compared:
            self.counts[one.capture.source_id, one.result] += 1
            if one.reading.failure is not None:
                self.failures[one.reading.failure] += 1
            elif one.result is not Result.SAME:
                found.append(difference(one))
        self.largest = nlargest(SHOWN, [*self.largest, *found], key=lambda one: (one.size, one.url))

    def total(self, result: Result | None = None) -> int:
        """Return how many captures had a result, or any."""
        return sum(number for (_, one), number in self.counts.items() if result in {None, one})

    def by_source(self) -> dict[str, dict[str, int]]:
        """Return the counts of each source."""
        sources = sorted({source for source, _ in self.counts})
        return {
            source: {one.value: number for one in COUNTED if (number := self.counts[source, one])} for source in sources
        }


def summary_line(report: ReplayReport) -> str:
    """Return in one line what was done."""
    counts = ", ".join(f"{getattr(report, one.value):,} {one.value}" for one in COUNTED if getattr(report, one.value))
    line = (
        f"{plural(report.pages, 'page')} extracted again: {counts}."
        if report.pages
        else "No stored page matches the selection."
    )
    if report.stopped:
        line = f"{line} Stopped: {report.stopped}."
    return f"Would be: {line}" if report.is_dry_run and report.pages else line


def as_json(report: ReplayReport) -> dict[str, object]:
    """Return the report as plain data."""
    return {
        **{
            name: getattr(report, name)
            for name in ("pages", "same", "changed", "gained", "lost", "failed", "expired", "seconds")
        },
        "dry_run": report.is_dry_run,
        "rows_changed": report.rows_changed,
        "rows_gone": report.rows_gone,
        "estimated_s": report.estimated_s,
        "by_source": report.by_source,
        "failures": report.failures,
        "stopped": report.stopped,
        "differences": [
            {
                "url": one.url,
                "source_id": one.source_id,
                "result": one.result.value,
                "parts": list(one.parts),
                "diff": one.diff,
            }
            for one in report.differences
        ],
    }


def tables(report: ReplayReport) -> list[tuple[str, Sequence[str], Rows]]:
    """Return what a terminal shows: the counts by source, and the largest changes."""
    names = tuple(one.value for one in COUNTED)
    rows: Rows = [(source, *(counts.get(name, 0) for name in names)) for source, counts in report.by_source.items()]
    shown: list[tuple[str, Sequence[str], Rows]] = [(summary_line(report), ("source", *names), rows)]
    if report.failures:
        shown.append(("Not read", ("reason", "pages"), list(report.failures.items())))
    if report.differences:
        changes: Rows = [(one.result.value, ", ".join(one.parts), one.url) for one in report.differences]
        shown.append(("The largest changes", ("result", "parts", "URL"), changes))
    return shown


def to_markdown(report: ReplayReport) -> str:
    """Return the report for Prefect's artifact."""
    names = tuple(one.value for one in COUNTED)
    lines = [summary_line(report), "", f"| source | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    lines += [
        f"| {source} | {' | '.join(str(counts.get(name, 0)) for name in names)} |"
        for source, counts in report.by_source.items()
    ]
    for one in report.differences:
        lines += ["", f"**{one.result.value}** {', '.join(one.parts)}: `{one.url}`", "", _fenced(one.diff)]
    return "\n".join(lines) + "\n"


def _fenced(diff: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in diff.split() if set(run) == {"`"}), default=0))
    return f"{fence}diff\n{diff}\n{fence}"
