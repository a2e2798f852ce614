"""The search page: filters, hits with snippets, counts by day."""

from collections.abc import Mapping
from typing import Any

from tasks.browse.chart import Chart, day_chart
from tasks.browse.library import Hits, Library
from tasks.browse.rendering import address
from tasks.errors import ConfigError

SHOWN = 20
FEWEST_DAYS, MOST_DAYS = 14, 60
FURTHEST = 1_000
"""The most hits that can be paged through."""


def search(library: Library, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the page."""
    text = query.get("q", "").strip()[:1000]
    choices = {name: query.get(name, "").strip() or None for name in ("source", "tag", "language")}
    is_newest_first, offset = query.get("order") == "newest", _offset(query.get("from", ""))
    hits, wrong = Hits(hits=(), total=0), ""
    if text and library.search is not None:
        try:
            hits = library.search(text, **choices, is_newest_first=is_newest_first, offset=offset, limit=SHOWN)
        except ConfigError as error:
            wrong = str(error)
    asked = {"q": text, "order": "newest" if is_newest_first else "", **choices}
    after = offset + SHOWN
    return {
        "query": text,
        "choices": choices,
        "is_newest_first": is_newest_first,
        "hits": hits,
        "wrong": wrong,
        "offset": offset,
        "next": address("/search", **asked, **{"from": after}) if after < min(hits.total, FURTHEST) else None,
        "previous": address("/search", **asked, **{"from": max(0, offset - SHOWN)}) if offset else None,
        "chart": _chart(hits),
        "names": library.sources.names,
        "tags": library.sources.tags,
    }


def _chart(hits: Hits) -> Chart | None:
    """Return a chart of the hits by day, up to the day of the newest one, with a bounded number of days."""
    if len(hits.by_day) < 2:
        return None
    first, last = hits.by_day[0][0], hits.by_day[-1][0]
    return day_chart(dict(hits.by_day), last=last, days=min(max((last - first).days + 1, FEWEST_DAYS), MOST_DAYS))


def _offset(text: str) -> int:
    return min(int(text), FURTHEST) if text.isascii() and text.isdigit() and len(text) < 6 else 0
