"""The commands' output for 25 sources with every column filled, at 80 and 120 columns, stored as text in tests/data/terminal.

`python -m tests.terminal` regenerates the files; review them before you commit.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from flows.cli.catalogue_table import rows_of
from flows.cli.console import lines_of
from flows.cli.sweep_report import report_tables
from tasks.config.catalogue import Catalogue
from tasks.config.choices import Period
from tasks.discover.check import FeedCheck, SourceCheck
from tasks.discover.probe import RobotsVerdict
from tasks.discover.sources import check_table
from tasks.health.drift import Drift
from tasks.health.judgement import HealthState, SourceHealth
from tasks.index.history import UrlHistory
from tasks.index.relations import Edge
from tasks.reasons import Disposition
from tasks.report.period import PeriodReport, SourceInPeriod
from tasks.report.period import tables as period_tables
from tasks.report.run_report import add_up
from tasks.report.status import Status
from tasks.report.trace import Trace
from tasks.values.display import Table
from tasks.values.feed import FeedKind
from tasks.values.reports import BatchReport, DiscoverReport, Failure, Headline
from tests.terminal_of_others import NOW, NUMBERS, RUN, TITLE, ago, others, search, source_id, url

FOLDER = Path(__file__).parent / "data" / "terminal"
WIDTHS = (80, 120)


def pictures() -> dict[str, Callable[[int], Iterable[tuple[str, str]]]]:
    """Return the lines that each command prints at a width, with their styles."""
    tables = {
        "ingest": ingest,
        "status": status,
        "trace": trace,
        "report": report,
        "sources-list": sources_list,
        "sources-check": sources_check,
        **others(),
    }
    return {"search": search, **{name: partial(_laid_out, made) for name, made in tables.items()}}


def _laid_out(made: Callable[[], Iterable[Table]], width: int) -> Iterable[tuple[str, str]]:
    return lines_of(made(), width=width)


def rendered(name: str, width: int) -> str:
    """Return a command's output as text."""
    return "\n".join(line for line, _ in pictures()[name](width)) + "\n"


def ingest() -> Iterable[Table]:
    failures = tuple(
        Failure(
            url=url(n), source_id=source_id(n), reason="connect_failed", disposition=Disposition.STAYS_DUE, detail="",
            happened_at=NOW,
        )
        for n in range(3)
    )  # fmt: skip
    batch = BatchReport(
        batch_id="b1", fetched=1234, not_modified=56, articles={"new": 1200, "revision": 30, "near_duplicate": 4},
        skipped={"not_html": 7, "robots_disallowed": 8}, failed={"http_404": 9, "connect_failed": 10}, quarantined=1,
        doubtful={source_id(3): 2}, failures=failures, again=10,
    )  # fmt: skip
    headlines = tuple(
        Headline(title=TITLE.format(n), source_id=source_id(n), url=url(n), published_at=ago(n), first_seen_at=NOW)
        for n in range(10)
    )
    found = add_up(
        run_id=RUN.format(0), discovered=DiscoverReport(polled=25, discovered=1300, failed={"feed_http_404": 2}, polled_failed={"feed_http_404": 2}),
        batches=[batch], pending=110, seconds=93.4, fell_short=None, headlines=headlines,
        drifted=(Drift(source_id=source_id(9), what="titles", before=0.98, now=0.1),),
    )  # fmt: skip
    return report_tables(found, now=NOW)


def status() -> Iterable[Table]:
    sources = tuple(
        {"source_id": source_id(n), "feeds": n + 1, "failing": n % 3, "polled_at": ago(n), "articles": n * 999}
        for n in NUMBERS
    )
    frontier = {
        source_id(n): {"due": n, "leased": 1, "done": 9, "dropped": n * 7, "gone": 2, "quarantined": 1} for n in NUMBERS
    }
    summary = '{"fetched": 1234, "articles": {"new": 1200}, "failed": {"http_404": 9}}'
    runs = tuple(
        {"run_id": RUN.format(n), "started_at": ago(n), "state": "ended", "summary": summary} for n in range(10)
    )
    found = Status(
        sources=sources, frontier=frontier, runs=runs, unpublished=1, unpublished_since=ago(1), health=tuple(map(_health, NUMBERS))
    )  # fmt: skip
    return found.tables(now=NOW)


def _health(number: int) -> SourceHealth:
    return SourceHealth(
        source_id=source_id(number), state=list(HealthState)[number % len(HealthState)], newest_at=ago(number),
        succeeded_at=ago(number), per_day=12.5, looks=99, failing={"http_403": number}, lag_p50_s=600, lag_p95_s=90_000,
        detail="http_403 at 12 of 99 looks since 28 Feb: the site refuses us",
    )  # fmt: skip


def trace() -> Iterable[Table]:
    row = {"url_key": url(1)[8:], "url": url(1), "source_id": source_id(1), "fetched_at": ago(9), "noted_at": ago(9)}
    article = {
        **row, "article_id": "a" * 32, "title": TITLE.format(1), "revision": 2, "published_at": ago(25), "first_seen_at": ago(20),
        "duplicate_of": None,
    }  # fmt: skip
    frontier = {
        **row, "state": "done", "announced_by": url(2), "announced_at": ago(22), "discovered_at": ago(21), "due_at": ago(1),
        "reason": "http_404",
    }  # fmt: skip
    capture = {
        **row, "status": 200, "outcome": "ok", "reason": "not_html", "novelty": "near_duplicate", "revision": 2,
        "warc_key": "warc/dt=2026-03-01/20260301T120000Z-01124f4c91e0.warc.gz", "warc_offset": 98_790, "warc_length": 56_558,
    }  # fmt: skip
    revision = {
        **row, "revision": 1, "novelty": "new", "word_count": 898, "title": TITLE.format(1), "text": "One. Two.", "authors": (),
        "published_at": ago(25), "changes": None,
    }  # fmt: skip
    others = tuple(
        {
            **article,
            "article_id": f"{n:032x}",
            "title": TITLE.format(n),
            "source_id": source_id(n),
            "published_at": ago(30 - n),
        }
        for n in NUMBERS
    )
    found = Trace(
        history=UrlHistory(frontier=frontier, article=article), captures=(capture,) * 3,
        revisions=(revision, {**revision, "revision": 2, "text": "One. Three.", "changes": ("words",)}), names=(row | {"how": "canonical"},),
        edges=(*(Edge(a="a" * 32, b=f"{n:032x}", kind="near_duplicate", score=0.87) for n in range(3)), Edge(a="a" * 32, b="b" * 32, kind="syndicated", score=1.0)),
        cluster=others, kin=others,
    )  # fmt: skip
    return found.tables(now=NOW)


def report() -> Iterable[Table]:
    sources = tuple(
        SourceInPeriod(
            source_id=source_id(n), articles=n * 99, before=n * 98, revisions=n, looks=999, failing={"http_403": n, "timed_out": 1},
            lag_p50_s=600, lag_p95_s=90_000, health=_health(n),
        )
        for n in NUMBERS
    )  # fmt: skip
    counts = {"new": 29_700, "near_duplicate": 12, "not_modified": 400, "http_403": 300, "timed_out": 25}
    found = PeriodReport(
        period=Period.WEEK, since=(NOW - timedelta(days=7)).date(), until=NOW.date(), came_to=counts, before=counts, today=counts,
        by_day={}, by_hour=(0,) * 24, lag_p50_s=600, lag_p95_s=90_000, sources=sources,
    )  # fmt: skip
    return period_tables(found)


def sources_list() -> Iterable[Table]:
    entries = [
        {
            "id": source_id(n), "name": f"The Daily of Town {n}", "feeds": [url(n)], "urls": [url(n)], "language": "pt-BR", "country": "BR",
            "tags": ["local", "agency copy"],
        }
        for n in NUMBERS
    ]  # fmt: skip
    return [rows_of(Catalogue.model_validate({"sources": entries}))]


def sources_check() -> Iterable[Table]:
    checks = [
        SourceCheck(
            source_id=source_id(n),
            name="",
            feeds=(
                FeedCheck(
                    feed_url=url(n), kind=FeedKind.FEED, is_reachable=n % 2 == 0, robots=RobotsVerdict.ALLOWED, entries=40,
                    newest_at=ago(n), due_at=NOW + timedelta(minutes=n), warnings=("nothing new for 14 days", "moved permanently"),
                ),
            ),
        )
        for n in NUMBERS
    ]  # fmt: skip
    return [check_table(checks, now=NOW)]


def texts() -> Iterator[tuple[Path, str]]:
    """Yield each file with its text."""
    for name in pictures():
        for width in WIDTHS:
            yield FOLDER / f"{name}-{width}.txt", rendered(name, width)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in texts():
        path.write_text(text, encoding="utf-8")
