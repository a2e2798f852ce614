"""The result of a run: added up, as JSON for programs, as rows for people. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.health.drift import Drift
from tasks.values.reports import BatchReport, DiscoverReport, Failure
from tasks.values.rows import Novelty
from tasks.values.text.escape import as_plain

SHOWN = 10
TABLE_ROWS = 200
DRIFT_HEAD = ("drifted source", "what", "before", "lately")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The result of a sweep. Its JSON is the contract of `--json` (docs/cli.md)."""

    run_id: str
    polled: int
    discovered: int
    fetched: int
    not_modified: int
    articles: dict[str, int]
    skipped: dict[str, int]
    failed: dict[str, int]
    quarantined: int
    doubtful: dict[str, int]
    pending: int
    seconds: float
    payload_size: int
    slowest_hosts: tuple[tuple[str, int], ...]
    failures: tuple[Failure, ...]
    drifted: tuple[Drift, ...] = ()
    fell_short: str | None = None
    lake: str | None = None
    segments: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints, with every novelty."""
        return {
            "run_id": self.run_id,
            "discovered": self.discovered,
            "fetched": self.fetched,
            "not_modified": self.not_modified,
            "articles": {novelty.value: self.articles.get(novelty.value, 0) for novelty in Novelty},
            "skipped": self.skipped,
            "failed": self.failed,
            "quarantined": self.quarantined,
            "pending": self.pending,
            "seconds": round(self.seconds, 3),
        }


def add_up(
    *,
    run_id: str,
    discovered: DiscoverReport,
    batches: Iterable[BatchReport],
    pending: int,
    seconds: float,
    fell_short: str | None,
    drifted: tuple[Drift, ...] = (),
    lake: str | None = None,
    limits: tuple[str, ...] = (),
) -> RunReport:
    """Add up the batches of a run; `limits` are what it stopped at, beside those of its polls."""
    done = tuple(batches)
    host_ms: dict[str, int] = {}
    for batch in done:
        for host, elapsed_ms in batch.host_ms.items():
            host_ms[host] = max(host_ms.get(host, 0), elapsed_ms)
    return RunReport(
        run_id=run_id,
        polled=discovered.polled,
        discovered=discovered.discovered,
        fetched=sum(batch.fetched for batch in done),
        not_modified=sum(batch.not_modified for batch in done),
        articles=_sum(batch.articles for batch in done),
        skipped=_sum([discovered.skipped, *(batch.skipped for batch in done)]),
        failed=_sum([discovered.failed, *(batch.failed for batch in done)]),
        quarantined=sum(batch.quarantined for batch in done),
        doubtful=_sum(batch.doubtful for batch in done),
        pending=pending,
        seconds=seconds,
        payload_size=sum(batch.payload_size for batch in done),
        slowest_hosts=tuple(sorted(host_ms.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]),
        failures=discovered.failures + tuple(failure for batch in done for failure in batch.failures),
        drifted=drifted,
        fell_short=fell_short,
        lake=lake,
        segments=tuple(key for batch in done for key in batch.segments),
        limits=(*discovered.limits, *limits),
    )


def shortfall(report: RunReport) -> str | None:
    """Return in words what fell short in a run that ended, or None if nothing did."""
    parts = []
    if failed := sum(report.failed.values()):
        parts.append(f"{failed} failed ({_by_reason(report.failed)})")
    if report.quarantined:
        parts.append(f"{report.quarantined} quarantined")
    if report.fell_short:
        parts.append(report.fell_short)
    return "; ".join(parts) or None


def summary_line(report: RunReport) -> str:
    """Return the run in one line."""
    made = ", ".join(f"{number} {novelty}" for novelty, number in sorted(report.articles.items())) or "nothing"
    return f"{report.fetched} fetched, {report.not_modified} not modified: {made}"


def failure_rows(report: RunReport) -> list[dict[str, str]]:
    """Return the failures one by one, as rows of the table artifact: the first 200."""
    return [
        {
            "source": failure.source_id,
            "reason": failure.reason,
            "becomes": failure.disposition.value,
            "URL": as_plain(failure.url),
            "detail": as_plain(failure.detail),
        }
        for failure in report.failures[:TABLE_ROWS]
    ]


def drift_rows(report: RunReport) -> list[tuple[str, str, str, str]]:
    """Return what drifted as rows under `DRIFT_HEAD`, the first 200."""
    return [(one.source_id, one.what, f"{one.before:g}", f"{one.now:g}") for one in report.drifted[:TABLE_ROWS]]


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return counts with their names, the largest first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _by_reason(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in most_first(counts)[:5])
