"""The page of the newest articles, filtered by source, tag, language and day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from tasks.browse.chart import Chart, day_chart
from tasks.browse.library import Library
from tasks.index import browsing, health
from tasks.index.browsing import ArticleFilter, ListedArticle, Place
from tasks.index.database import Transaction

SHOWN = 50
STRIP_DAYS = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """The filters of a list; None means no filter."""

    source: str | None = None
    tag: str | None = None
    language: str | None = None
    day: date | None = None
    before: Place | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "ListFilter":
        """Parse a query string; invalid values are ignored."""
        return cls(
            source=query.get("source", "").strip() or None,
            tag=query.get("tag", "").strip() or None,
            language=query.get("language", "").strip() or None,
            day=read_day(query.get("day", "")),
            before=_read_place(query.get("before", "")),
        )

    @property
    def choices(self) -> dict[str, str | None]:
        """The filters as query parameters, without the position in the list."""
        day = self.day.isoformat() if self.day else None
        return {"source": self.source, "tag": self.tag, "language": self.language, "day": day}


def newest(library: Library, asked: ListFilter, *, now: datetime) -> dict[str, Any]:
    """Return the values of the page; raises IndexUnavailable."""
    tags = library.sources.tags
    wanted = filter_of(asked, tags)
    with library.index() as tx:
        found = browsing.find_listed(tx, wanted, before=asked.before, limit=SHOWN + 1)
        sources = sorted(health.known_sources(tx))
        values: dict[str, Any] = {
            "languages": browsing.find_languages(tx),
            "sources": sources,
            "strip": _strip(tx, wanted.sources, now=now),
            "last_run_at": browsing.last_run_at(tx),
        }
    shown, more = found[:SHOWN], len(found) > SHOWN
    return {
        **values,
        "asked": asked,
        "names": library.sources.names,
        "tags": tags,
        "days": by_day(shown),
        "older": cursor(shown[-1]) if more else None,
    }


def filter_of(asked: ListFilter, tags: Mapping[str, tuple[str, ...]]) -> ArticleFilter:
    """Return the index filter; with a source and a tag, the source's articles if it has the tag."""
    sources: frozenset[str] | None = None
    if asked.tag is not None:
        sources = frozenset(tags.get(asked.tag, ()))
    if asked.source is not None:
        sources = frozenset({asked.source}) if sources is None else sources & {asked.source}
    since = datetime.combine(asked.day, time(), tzinfo=UTC) if asked.day else None
    until = since + timedelta(days=1) if since else None
    return ArticleFilter(sources=sources, language=asked.language, since=since, until=until)


def by_day(found: list[ListedArticle]) -> list[tuple[datetime, list[ListedArticle]]]:
    """Group a list by UTC day."""
    groups = groupby(found, key=lambda one: one.shown_at.astimezone(UTC).date())
    return [((several := list(group))[0].shown_at, several) for _, group in groups]


def cursor(last: ListedArticle) -> str:
    """Return the cursor of an article in a list, for the link to the next page."""
    return f"{last.shown_at.isoformat()}~{last.article_id}"


def read_day(text: str) -> date | None:
    """Return a day of the form 2026-11-29, or None."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if date(1, 1, 2) < day < date(9999, 12, 30) else None


def _read_place(text: str) -> Place | None:
    at, tilde, article_id = text.partition("~")
    try:
        shown_at = datetime.fromisoformat(at.replace(" ", "+"))  # a plus sign that was not escaped
    except ValueError:
        return None
    return Place(shown_at=shown_at, article_id=article_id[:32]) if tilde and shown_at.tzinfo else None


def _strip(tx: Transaction, chosen: frozenset[str] | None, *, now: datetime) -> Chart | None:
    """Return a chart of the articles per day of the last days; None if there are none."""
    counts = browsing.count_by_day(tx, chosen, since=now.date() - timedelta(days=STRIP_DAYS - 1))
    return day_chart(counts, last=now.date(), days=STRIP_DAYS) if any(counts.values()) else None
