"""Search the newest texts: for the command, the web interface and programs.

The search index is updated first; it is built from the lake alone, without the control plane's index.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import tantivy

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.runtime.lakes import open_lake_without_index
from tasks.runtime.progress import OnStep
from tasks.search.asking import Order, Period, SearchQuery
from tasks.search.catching_up import CatchUpResult, catch_up
from tasks.search.folder import drop_state, fields, has_search_index, open_generation, search_root
from tasks.search.querying import Highlight, highlights_of, query_of
from tasks.search.snippets import Snippet, snippet_of

__all__ = ["Count", "Hit", "SearchResult", "bring_up_to_date", "find", "has_search_index", "search"]

DAY_S = 86_400.0
MOST_EMPTY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A found article, in its newest revision; `at` is its time: publication, else first sight."""

    article_id: str
    revision: int
    url: str
    title: str | None
    source_id: str
    language: str | None
    at: datetime
    snippet: Snippet


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The number of found articles of a day, or of the week or month that begins with it."""

    day: date
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The result of a search: `total` articles, one page of them, and their counts by time if requested.

    `is_behind`: another process is updating the index, so the newest articles may be missing.
    """

    total: int
    hits: tuple[Hit, ...]
    counts: tuple[Count, ...] = ()
    is_behind: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        counts = [{"day": one.day.isoformat(), "articles": one.articles} for one in self.counts]
        hits = [asdict(hit) | {"at": hit.at.isoformat()} for hit in self.hits]
        return {"total": self.total, "hits": hits, "counts": counts, "is_behind": self.is_behind}


def search(asked: SearchQuery, settings: Settings, *, on_step: OnStep, is_caught_up: bool = False) -> SearchResult:
    """Search the lake that the settings name, after updating its search index unless it `is_caught_up`.

    Raises ConfigError for an invalid query, a missing lake, and a folder that cannot be written; and LakeUnavailable.
    """
    query_of(asked, fields())  # report a mistake before building anything
    store, lake_id = open_lake_without_index(settings)
    home = search_root(settings) / lake_id
    done = CatchUpResult() if is_caught_up else catch_up(store, home, on_step=on_step)
    if (found := _find_if_whole(home, asked)) is None:  # no index yet, or its files are damaged
        drop_state(home)
        catch_up(store, home, on_step=on_step, is_awaited=True)
        found = _find_if_whole(home, asked)
    if found is None:
        raise ConfigError(f"{home}: the search index cannot be read: delete this folder and search again")
    return replace(found, is_behind=done.is_busy)


def bring_up_to_date(settings: Settings, *, on_step: OnStep) -> CatchUpResult:
    """Update the search index from the lake, for `maintain`; raises as `search` does."""
    store, lake_id = open_lake_without_index(settings)
    return catch_up(store, search_root(settings) / lake_id, on_step=on_step, is_awaited=True)


def _find_if_whole(home: Path, asked: SearchQuery) -> SearchResult | None:
    index = open_generation(home)
    try:
        return find(index, asked) if index is not None else None
    except (ValueError, OSError):  # tantivy's errors for a damaged file
        return None


def find(index: tantivy.Index, asked: SearchQuery) -> SearchResult:
    """Search an index as it is."""
    searcher, query = index.searcher(), query_of(asked, index.schema)
    field = "at" if asked.order is Order.NEWEST else None
    found = searcher.search(query, max(asked.limit, 1), count=True, offset=asked.offset, order_by_field=field)
    shown = highlights_of(asked.text)
    places = [address for _, address in found.hits][: asked.limit]
    return SearchResult(
        total=found.count,  # type: ignore[attr-defined] # missing in its stub
        hits=tuple(_hit(searcher.doc(place), shown) for place in places),
        counts=_counts(searcher, query, asked.by) if asked.by else (),
    )


def _hit(document: tantivy.Document, shown: Sequence[Highlight]) -> Hit:
    row, body = orjson.loads(document["shown"][0]), document["body"][0].decode()
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=row.pop("at"))
    return Hit(**row, at=at, snippet=snippet_of(body, shown))


def _counts(searcher: tantivy.Searcher, query: tantivy.Query, by: Period) -> tuple[Count, ...]:
    days = {"histogram": {"field": "at", "interval": DAY_S, "min_doc_count": 1}}
    buckets = searcher.aggregate(query, {"days": days})["days"]["buckets"]
    counts = Counter[date]()
    for bucket in buckets:
        counts[_beginning(date(1970, 1, 1) + timedelta(seconds=bucket["key"]), by)] += bucket["doc_count"]
    return tuple(Count(day=day, articles=counts[day]) for day in _every(sorted(counts), by))


def _beginning(day: date, by: Period) -> date:
    if by is Period.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if by is Period.WEEK else day


def _every(days: Sequence[date], by: Period) -> Iterator[date]:
    """Yield the periods from the first to the last, including empty ones unless there are very many."""
    if not days or len(days) < (days[-1] - days[0]).days / MOST_EMPTY:
        yield from days
        return
    day = days[0]
    while day <= days[-1]:
        yield day
        day = _beginning(day + timedelta(days=_STEPS[by]), by)


_STEPS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 31}
