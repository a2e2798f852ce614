"""The pages on sources and their health, on failures, and on the history of one URL."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tasks.browse.articles import NotFound
from tasks.browse.chart import hour_chart
from tasks.browse.library import Library
from tasks.browse.newest import by_day
from tasks.errors import ItemError
from tasks.health.judgement import GOOD, HealthState, SourceHealth, failing_of
from tasks.health.judging import read_health
from tasks.index import browsing, health
from tasks.index.browsing import ArticleFilter
from tasks.index.health import Tally, TallyKind
from tasks.index.history import find_history, find_names, read_runs
from tasks.reasons import find_reason
from tasks.values.rows import Novelty
from tasks.values.url import url_key

WEEK = timedelta(days=7)
URLS_SHOWN, FEEDS_SHOWN, RUNS_SHOWN, NEWEST_SHOWN, CAPTURES_SHOWN = 100, 50, 10, 15, 200
ARRIVALS = frozenset({*Novelty} - {Novelty.UNCHANGED, Novelty.REVISION})


def sources(library: Library, *, now: datetime) -> dict[str, Any]:
    """Return the template values of the page on all sources, the worst first."""
    with library.index() as tx:
        ids = health.known_sources(tx)
        judged = library.judged(tx, ids, now=now)
        looks = browsing.count_looks(tx, None, since=now.date() - WEEK)
    articles = Counter[str]()
    for source_id, what, number in looks:
        if what in ARRIVALS:
            articles[source_id] += number
    states = Counter(one.state.value for one in judged)
    return {"sources": judged, "articles": articles, "states": states, "names": library.sources.names}


def source(library: Library, source_id: str, *, now: datetime) -> dict[str, Any]:
    """Return the template values of one source's page; raises NotFound."""
    with library.index() as tx:
        newest = browsing.find_listed(
            tx, ArticleFilter(sources=frozenset({source_id})), before=None, limit=NEWEST_SHOWN
        )
        if not newest and source_id not in health.known_sources(tx):
            raise NotFound("no such source")
        judged = read_health(tx, {source_id}, now=now).sources
        arrivals = health.find_arrivals(tx, {source_id}, since=now.date() - WEEK).get(source_id, [])
        tallies = health.find_tallies(tx, {source_id}, since=now.date() - timedelta(days=13))
        feeds = browsing.find_feeds_of(tx, source_id, limit=FEEDS_SHOWN)
    return {
        "source_id": source_id,
        "name": library.sources.names.get(source_id, ""),
        "tags": [tag for tag, ids in library.sources.tags.items() if source_id in ids],
        "health": judged[0] if judged else SourceHealth(source_id=source_id, state=HealthState.LEARNING),
        "chart": hour_chart(arrivals, now=now),
        "arrivals": arrivals,
        "looks": _looks_by_day(tallies),
        "feeds": feeds,
        "days": by_day(newest),
        "names": library.sources.names,
    }


def failures(library: Library, *, source_id: str | None, reason: str | None, now: datetime) -> dict[str, Any]:
    """Return the template values of the page on failures, of one source or reason if given."""
    with library.index() as tx:
        ids = sorted(health.known_sources(tx))
        looks = browsing.count_looks(tx, source_id, since=now.date() - WEEK)
        urls = browsing.find_no_pages(tx, source_id=source_id, reasons={reason} if reason else None, limit=URLS_SHOWN)
        feeds = [] if source_id or reason else browsing.find_failing_feeds(tx, limit=FEEDS_SHOWN)
        quarantined = [] if source_id or reason else health.find_quarantined(tx, limit=FEEDS_SHOWN)
        runs = read_runs(tx, limit=RUNS_SHOWN)
    return {
        "source_id": source_id,
        "reason": reason,
        "known_sources": ids,
        "looks": sum(number for _, _, number in looks),
        "reasons": _by_reason(looks),
        "urls": urls,
        "feeds": feeds,
        "quarantined": quarantined,
        "runs": runs,
        "names": library.sources.names,
        "becomes": _becomes,
    }


def address(library: Library, what: str) -> dict[str, Any]:
    """Return the template values of the page on one URL; raises NotFound if it is invalid or unknown."""
    try:
        key = url_key(what)
    except ItemError as error:
        raise NotFound("this is not a URL") from error
    with library.index() as tx:
        history = find_history(tx, url_key=key, article_id=None)
        names = find_names(tx, history.article["url_key"]) if history.article else []
    if history.frontier is None and history.article is None:
        raise NotFound("this URL is unknown: no feed has announced it, and no sweep has fetched it")
    own = history.frontier or history.article or {}
    first, last = _days_of(history.frontier, history.article)
    captures = library.captures_of(sorted({own["url_key"]}), first=first, last=last)[:CAPTURES_SHOWN]
    return {
        "what": what,
        "frontier": history.frontier,
        "article": history.article,
        "aliases": names,
        "captures": captures,
        "becomes": _becomes,
    }


def _days_of(frontier: dict[str, Any] | None, article: dict[str, Any] | None) -> tuple[date, date]:
    """Return the first and the last day on which the lake may have a capture."""
    begins = [row[name] for row, name in ((frontier, "discovered_at"), (article, "first_seen_at")) if row]
    ends = [row[name] for row, name in ((frontier, "captured_at"), (article, "fetched_at")) if row and row[name]]
    first: date = min(begins).astimezone(UTC).date()
    last: date = max(ends, default=min(begins)).astimezone(UTC).date()
    return first, last


def _by_reason(looks: list[tuple[str, str, int]]) -> list[tuple[str, int, int]]:
    """Return the reasons of failed looks, with their number and the number of sources, the most frequent first."""
    number: Counter[str] = Counter()
    several: Counter[str] = Counter()
    for _, what, count in looks:
        if what not in GOOD:
            number[what] += count
            several[what] += 1
    return [(what, count, several[what]) for what, count in number.most_common()]


def _looks_by_day(tallies: list[Tally]) -> list[tuple[date, dict[str, int]]]:
    """Return the looks of each day, the newest first: articles, revisions, nothing new, no page, failed."""
    days: dict[date, Counter[str]] = {}
    for one in tallies:
        if one.kind is TallyKind.LOOK:
            days.setdefault(one.day, Counter())[one.what] += one.number
    return [(day, _summed(days[day])) for day in sorted(days, reverse=True)]


def _summed(counts: Counter[str]) -> dict[str, int]:
    failed = sum(failing_of(counts).values())
    new = sum(counts[what] for what in ARRIVALS)
    same = counts["unchanged"] + counts["not_modified"]
    others = counts.total() - new - same - counts["revision"] - failed
    return {"new": new, "revisions": counts["revision"], "same": same, "no page": others, "failed": failed}


def _becomes(reason: str) -> str:
    known = find_reason(reason)
    return known.disposition.value.replace("_", " ") if known else ""
