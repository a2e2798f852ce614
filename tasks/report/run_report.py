"""The result of a run: added up, as JSON for programs, as rows for people. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.health.drift import Drift
from tasks.report.links import NO_LINKS, Links
from tasks.values.display import counted, plural
from tasks.values.reports import BatchReport, DiscoverReport, Failure, Headline, Published
from tasks.values.rows import Novelty
from tasks.values.text.escape import as_plain

SHOWN = 10
TABLE_ROWS = 200
DRIFT_HEAD = ("drifted source", "figure", "before", "lately")


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
    feeds_skipped: dict[str, int] = field(default_factory=dict)
    feeds_failed: dict[str, int] = field(default_factory=dict)
    polled_failed: dict[str, int] = field(default_factory=dict)
    again: int = 0
    headlines: tuple[Headline, ...] = ()
    batch_ids: tuple[str, ...] = ()
    published: Published | None = None

    @property
    def urls_skipped(self) -> dict[str, int]:
        """The URLs that were skipped, by reason, without feeds."""
        return _less(self.skipped, self.feeds_skipped)

    @property
    def urls_failed(self) -> dict[str, int]:
        """The URLs that failed, by reason, without feeds."""
        return _less(self.failed, self.feeds_failed)

    @property
    def looked_at(self) -> int:
        """The number of URLs that were looked at."""
        ended = sum(self.urls_skipped.values()) + sum(self.urls_failed.values()) + self.quarantined
        return self.fetched + self.not_modified + ended

    @property
    def known_before(self) -> int:
        """The number of URLs, looked at or pending, that were known before this run."""
        return max(0, self.looked_at + self.pending - self.discovered)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints, with every novelty."""
        return {
            "run_id": self.run_id,
            "discovered": self.discovered,
            "known_before": self.known_before,
            "fetched": self.fetched,
            "not_modified": self.not_modified,
            "articles": {novelty.value: self.articles.get(novelty.value, 0) for novelty in Novelty},
            "skipped": self.skipped,
            "failed": self.failed,
            "quarantined": self.quarantined,
            "pending": self.pending,
            "seconds": round(self.seconds, 3),
        }

    def published_json(self) -> dict[str, Any]:
        """Return what a consumer finds the run's rows by: change sequences, batches, table versions; empty if unknown."""
        if self.published is None:
            return {}
        return {
            "change_seq": {"from": self.published.since, "to": self.published.upto},
            "batch_ids": list(self.batch_ids),
            "delta_versions": self.published.delta_versions,
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
    headlines: tuple[Headline, ...] = (),
    published: Published | None = None,
) -> RunReport:
    """Add up the batches of a run; `pending` counts all URLs still to be fetched, including those that just failed."""
    done = tuple(batches)
    again = sum(batch.again for batch in done)
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
        pending=max(0, pending - again),
        seconds=seconds,
        payload_size=sum(batch.payload_size for batch in done),
        slowest_hosts=tuple(sorted(host_ms.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]),
        failures=discovered.failures + tuple(failure for batch in done for failure in batch.failures),
        drifted=drifted,
        fell_short=fell_short,
        lake=lake,
        segments=tuple(key for batch in done for key in batch.segments),
        limits=(*discovered.limits, *limits),
        feeds_skipped=dict(discovered.skipped),
        feeds_failed=dict(discovered.failed),
        polled_failed=dict(discovered.polled_failed),
        again=again,
        headlines=headlines,
        batch_ids=tuple(batch.batch_id for batch in done),
        published=published,
    )


def shortfall(report: RunReport) -> str | None:
    """Return in words what went wrong in a finished run, or None if nothing did."""
    parts = []
    if failed := sum(report.failed.values()):
        parts.append(f"{failed} failed ({_by_reason(report.failed)})")
    if report.quarantined:
        parts.append(f"{report.quarantined} quarantined")
    if report.fell_short:
        parts.append(report.fell_short)
    return "; ".join(parts) or None


def summary_line(report: RunReport) -> str:
    """Return the run in one line: what was fetched, what failed and why; if every feed failed, that comes first."""
    parts = [_feeds(report)] if _have_all_feeds_failed(report) else []
    if report.looked_at:
        made = counted(dict(sorted(report.articles.items())))
        parts.append(f"{report.fetched:,} fetched{f' ({made})' if made else ''}")
        if report.not_modified:
            parts.append(f"{report.not_modified:,} not modified")
    elif not parts:
        parts.append("nothing was due" if report.polled or report.known_before else "nothing to fetch")
    if failed := report.urls_failed:
        parts.append(f"{sum(failed.values()):,} failed ({_by_reason(failed)})")
    if skipped := report.urls_skipped:
        parts.append(f"{sum(skipped.values()):,} skipped ({_by_reason(skipped)})")
    if report.quarantined:
        parts.append(f"{report.quarantined:,} quarantined")
    if report.pending:
        parts.append(f"{report.pending:,} pending")
    if report.feeds_failed and not _have_all_feeds_failed(report):
        parts.append(_feeds(report))
    return ", ".join(filter(None, (*parts, report.fell_short)))


def _have_all_feeds_failed(report: RunReport) -> bool:
    return bool(report.polled_failed) and sum(report.polled_failed.values()) >= report.polled


def _feeds(report: RunReport) -> str:
    """Return how many polled feeds failed; if none did, how many of the sitemaps and pages that they name."""
    failed, reasons = sum(report.polled_failed.values()), _by_reason(report.polled_failed)
    if not failed:
        return f"{sum(report.feeds_failed.values()):,} feeds found through other feeds failed ({_by_reason(report.feeds_failed)})"
    if not _have_all_feeds_failed(report):
        return f"{failed:,} of {plural(report.polled, 'feed')} failed ({reasons})"
    return f"the only feed failed ({reasons})" if failed == 1 else f"all {failed:,} feeds failed ({reasons})"


def failure_rows(report: RunReport, links: Links = NO_LINKS) -> list[dict[str, str]]:
    """Return the first 200 failures as rows of the table artifact, with links to their pages if configured."""
    return [
        {
            "source": failure.source_id,
            "reason": failure.reason,
            "becomes": failure.disposition.value,
            "URL": as_plain(failure.url),
            "detail": as_plain(failure.detail),
            **({"history": page} if (page := links.url(failure.url)) else {}),
        }
        for failure in report.failures[:TABLE_ROWS]
    ]


def drift_rows(report: RunReport) -> list[tuple[str, str, str, str]]:
    """Return the first 200 drifts as rows under `DRIFT_HEAD`."""
    return [(one.source_id, one.what, f"{one.before:g}", f"{one.now:g}") for one in report.drifted[:TABLE_ROWS]]


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the counts, the largest first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _less(counts: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {reason: left for reason, number in counts.items() if (left := number - others.get(reason, 0)) > 0}


def _by_reason(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in most_first(counts)[:5])
