"""The full-text search for the web interface; it uses an existing search index and never builds one."""

from collections.abc import Iterator

from tasks.browse.library import Hits, Search, SearchHit
from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.search.asking import Order, Period, SearchQuery
from tasks.search.searching import Hit, has_search_index, search
from tasks.search.snippets import Snippet

NONE_YET = "there is no search index yet: create it with `presslake search QUERY`"


def search_of(settings: Settings) -> Search:
    """Return the search of the lake that the settings name."""

    def look(
        text: str, *, source: str | None, tag: str | None, language: str | None, is_newest_first: bool, offset: int, limit: int
    ) -> Hits:  # fmt: skip
        if not has_search_index(settings):
            raise ConfigError(NONE_YET)
        asked = SearchQuery(
            text=text,
            sources=(source,) if source else (),
            tags=(tag,) if tag else (),
            languages=(language,) if language else (),
            order=Order.NEWEST if is_newest_first else Order.RELEVANCE,
            limit=limit,
            offset=offset,
            by=Period.DAY,
        )
        try:
            found = search(asked, settings, on_step=_quietly)
        except ConfigError:  # the query is wrong, or the index is read-only: then search it as it is
            found = search(asked, settings, on_step=_quietly, is_caught_up=True)
        return Hits(
            hits=tuple(map(_found, found.hits)),
            total=found.total,
            by_day=tuple((one.day, one.articles) for one in found.counts),
            is_behind=found.is_behind,
        )

    return look


def _found(hit: Hit) -> SearchHit:
    return SearchHit(
        article_id=hit.article_id, url=hit.url, title=hit.title, source_id=hit.source_id, language=hit.language,
        shown_at=hit.at.date(), snippet=tuple(_pieces(hit.snippet)),
    )  # fmt: skip


def _pieces(snippet: Snippet) -> Iterator[tuple[str, bool]]:
    """Cut a snippet at its marks."""
    at = 0
    for start, end in snippet.marks:
        if start < at:  # inside the previous mark
            continue
        if start > at:
            yield snippet.text[at:start], False
        yield snippet.text[start:end], True
        at = end
    if snippet.text[at:]:
        yield snippet.text[at:], False


def _quietly(_what: str, _done: int, _total: int) -> None:
    """Say nothing."""
