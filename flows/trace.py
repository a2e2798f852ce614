"""Where is my article? A URL's history out of the index and the lake."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.display import Rows, Table, listed, plain, shown
from tasks.errors import ConfigError, ItemError
from tasks.index.history import UrlHistory, find_cluster, find_history
from tasks.opening import check_lake, opened_index, opened_store
from tasks.settings import Settings
from tasks.store.reading import read_rows
from tasks.urls import url_key

ARTICLE_ID = re.compile(r"[0-9a-f]{32}")
CLUSTER_SHOWN = 50
URL_SHOWN = ("url", "source_id", "state", "announced_by", "announced_at", "discovered_at", "due_at", "reason")
ARTICLE_SHOWN = ("article_id", "title", "revision", "published_at", "first_seen_at", "duplicate_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of one URL: its frontier row and article, its captures and revisions, its cluster."""

    history: UrlHistory
    captures: tuple[dict[str, Any], ...]
    revisions: tuple[dict[str, Any], ...]
    cluster: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data; instants in ISO 8601."""
        return {
            "frontier": plain(self.history.frontier),
            "article": plain(self.history.article),
            "captures": [plain(row) for row in self.captures],
            "revisions": [plain(row) for row in self.revisions],
            "cluster": [plain(row) for row in self.cluster],
        }

    def tables(self) -> Iterator[Table]:
        """Return it as titled tables."""
        if row := self.history.frontier:
            yield "URL", ("what", "is"), listed(row, URL_SHOWN)
        if row := self.history.article:
            yield "Article", ("what", "is"), listed(row, ARTICLE_SHOWN)
        yield (
            f"Captures ({len(self.captures)})",
            ("fetched at", "status", "outcome", "reason", "novelty", "revision", "bytes at"),
            [_capture_row(row) for row in self.captures],
        )
        if self.revisions:
            rows: Rows = [
                (row["revision"], row["novelty"], shown(row["fetched_at"]), row["word_count"], row["title"])
                for row in self.revisions
            ]
            yield f"Revisions ({len(rows)})", ("revision", "novelty", "fetched at", "words", "title"), rows
        if len(self.cluster) > 1:
            members: Rows = [(shown(row["first_seen_at"]), row["source_id"], row["url"]) for row in self.cluster]
            yield f"The same story ({len(members)})", ("first seen at", "source", "URL"), members


def trace(what: str, settings: Settings) -> Trace:
    """Look a URL or an article's id up; raises ConfigError when nothing is known of it."""
    check_lake(settings)
    index, lake = opened_index(settings), opened_store(settings)
    key, article_id = _read_question(what)
    with index.read() as tx:
        history = find_history(tx, url_key=key, article_id=article_id)
        cluster = find_cluster(tx, history.article["cluster_id"], limit=CLUSTER_SHOWN) if history.article else []
    if history.frontier is None and history.article is None:
        raise ConfigError(f"nothing is known of {what}: no feed announced it, and nobody asked for it")
    known_key = (history.frontier or history.article or {})["url_key"]
    return Trace(
        history=history,
        captures=tuple(read_rows(lake, "captures", url_key=known_key)),
        revisions=tuple(read_rows(lake, "articles", url_key=known_key)),
        cluster=tuple(cluster),
    )


def _read_question(what: str) -> tuple[str | None, str | None]:
    if ARTICLE_ID.fullmatch(what):
        return None, what
    try:
        return url_key(what), None
    except ItemError as error:
        raise ConfigError(f"{what!r} is neither a URL nor an article's id (32 hexadecimal digits)") from error


def _capture_row(row: dict[str, Any]) -> tuple[object, ...]:
    place = f"{row['warc_key']}:{row['warc_offset']}+{row['warc_length']}" if row["warc_key"] else ""
    return (
        shown(row["fetched_at"]),
        row["status"] or "",
        row["outcome"],
        row["reason"] or "",
        row["novelty"] or "",
        row["revision"] or "",
        place,
    )
