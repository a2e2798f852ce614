"""What the pages read: the index, opened for each page; the two tables, whose ids are cached; the catalogue.

Nothing is created, migrated or written.
"""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from tasks.config.loading import load_catalogue
from tasks.config.settings import Settings
from tasks.errors import CatalogueError
from tasks.health.judgement import SourceHealth
from tasks.health.judging import read_health
from tasks.index.browsing import ListedArticle
from tasks.index.database import Transaction, open_reader
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.lookup import TableReader
from tasks.lake.objects.stores import ObjectStore
from tasks.runtime.resources import index_to_read, lake_to_read

JUDGED_S = 30
"""How long the health of all sources is cached; judging takes a millisecond per source."""

TIMEOUT_S = 20
"""The longest time that a page waits for the index."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One search hit; the snippet is cut into pieces, each with whether it matches the query."""

    article_id: str
    url: str
    title: str | None
    source_id: str
    language: str | None
    shown_at: date
    snippet: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """The hits of one page of results, the total number, and the number by day, the oldest first.

    `is_behind`: the newest articles may still be missing.
    """

    hits: tuple[SearchHit, ...]
    total: int
    by_day: tuple[tuple[date, int], ...] = ()
    is_behind: bool = False


class Search(Protocol):
    """Searches texts; raises ConfigError if the query is wrong, and says why."""

    def __call__(
        self, text: str, *, source: str | None, tag: str | None, language: str | None, is_newest_first: bool, offset: int,
        limit: int,
    ) -> Hits: ...  # fmt: skip


@dataclass(slots=True)
class KnownSources:
    """The sources of the catalogue, read again when its file changes; empty if it is missing or invalid."""

    path: Path
    _changed_at: float | None = None
    _names: dict[str, str] = field(default_factory=dict)
    _tags: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        """The names of sources for people, by id."""
        self._read()
        return self._names

    @property
    def tags(self) -> dict[str, tuple[str, ...]]:
        """The sources of each tag."""
        self._read()
        return self._tags

    def _read(self) -> None:
        try:
            changed_at = self.path.stat().st_mtime
            if changed_at == self._changed_at:
                return
            self._changed_at = changed_at
            sources = load_catalogue(self.path).sources
        except (OSError, CatalogueError):
            return
        self._names = {one.id: one.name for one in sources if one.name}
        tags: dict[str, list[str]] = {}
        for one in sources:
            for tag in one.tags:
                tags.setdefault(tag, []).append(one.id)
        self._tags = {tag: tuple(ids) for tag, ids in sorted(tags.items())}


class Library:
    """The lake and the index that the settings name, for the lifetime of the server. Threads may share it."""

    def __init__(self, settings: Settings, store: ObjectStore, *, search: Search | None = None) -> None:
        self._settings = settings
        self.store = store
        self.search = search
        self.sources = KnownSources(settings.catalogue)
        self.articles = TableReader(store, ARTICLES, column="article_id")
        self.captures = TableReader(store, CAPTURES, column="url_key")
        self._lock = threading.Lock()
        self._judged: tuple[SourceHealth, ...] = ()
        self._judged_at = float("-inf")

    @contextmanager
    def index(self) -> Iterator[Transaction]:
        """Open a read-only transaction of the index; raises IndexUnavailable, ConfigError."""
        with open_reader(self._settings.index, timeout_s=TIMEOUT_S) as index, index.read() as tx:
            yield tx

    def judged(self, tx: Transaction, source_ids: Collection[str], *, now: datetime) -> tuple[SourceHealth, ...]:
        """Return the health of all sources, the worst first; cached for half a minute."""
        with self._lock:
            if time.monotonic() - self._judged_at > JUDGED_S:
                self._judged, self._judged_at = read_health(tx, source_ids, now=now).sources, time.monotonic()
            return self._judged

    def newest_row(self, known: ListedArticle) -> Row | None:
        """Return the newest revision's row, or None if it is not in the lake (yet); raises LakeUnavailable."""
        day = known.fetched_at.astimezone(UTC).date()
        rows = self.articles.find([known.article_id], first=day, last=day) or self.revisions(known)
        return max(rows, key=lambda row: (row["fetched_at"], row["revision"]), default=None)

    def revisions(self, known: ListedArticle) -> list[Row]:
        """Return the rows of all revisions in the lake, the oldest first; raises LakeUnavailable."""
        first, last = sorted(at.astimezone(UTC).date() for at in (known.first_seen_at, known.fetched_at))
        rows = self.articles.find([known.article_id], first=first, last=last)
        return sorted(rows, key=lambda row: (row["fetched_at"], row["revision"]))

    def captures_of(self, url_keys: Sequence[str], *, first: date, last: date) -> list[Row]:
        """Return the captures of these URLs on these days, the newest first; raises LakeUnavailable."""
        rows = self.captures.find(url_keys, first=first, last=last)
        return sorted(rows, key=lambda row: row["fetched_at"], reverse=True)


def open_library(settings: Settings, *, search: Search | None = None) -> Library:
    """Open the lake and check that the index is its own; raises ConfigError if one of them is missing."""
    with index_to_read(settings) as index:
        return Library(settings, lake_to_read(settings, index), search=search)
