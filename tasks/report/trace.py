"""Where is my article? A URL's history from the index and the lake: its answers, decisions and changes."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from tasks.config.settings import Settings
from tasks.deduplicate.changes import Change, Version, diff_versions, summarise_change
from tasks.errors import ConfigError, ItemError
from tasks.index.database import Index
from tasks.index.history import UrlHistory, find_cluster, find_history, find_names
from tasks.index.relations import Edge, find_edges
from tasks.lake.objects.port import ObjectStore
from tasks.lake.reading import read_rows
from tasks.runtime.resources import index_to_read, lake_to_read
from tasks.values.display import Rows, Table, listed, plain, shown
from tasks.values.url import url_key

ARTICLE_ID = re.compile(r"[0-9a-f]{32}")
CLUSTER_SHOWN = 50
URL_SHOWN = ("url", "source_id", "state", "announced_by", "announced_at", "discovered_at", "due_at", "reason")
ARTICLE_SHOWN = ("article_id", "title", "revision", "published_at", "first_seen_at", "duplicate_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The history of one URL: its frontier row and article, its captures and revisions, its aliases, related articles.

    `revisions` are the lake's rows, the oldest first; `names` are its aliases, with their kind; `edges` lead to other
    articles; `cluster` has the articles of its story, the earliest first.
    """

    history: UrlHistory
    captures: tuple[dict[str, Any], ...]
    revisions: tuple[dict[str, Any], ...]
    names: tuple[dict[str, Any], ...]
    edges: tuple[Edge, ...]
    cluster: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data; instants in ISO 8601."""
        return {
            "frontier": plain(self.history.frontier),
            "article": plain(self.history.article),
            "captures": [plain(row) for row in self.captures],
            "revisions": [plain(row) for row in self.revisions],
            "changes": [asdict(change) for change in self.changes()],
            "names": [plain(row) for row in self.names],
            "edges": [asdict(edge) for edge in self.edges],
            "cluster": [plain(row) for row in self.cluster],
        }

    def changes(self) -> list[Change]:
        """Return the changes of each revision after the first."""
        return [
            summarise_change(_version(before), _version(after), parts=after["changes"])
            for before, after in pairwise(self.revisions)
        ]

    def diff(self) -> str:
        """Return the changes of each revision, as unified diffs; empty where there is one revision."""
        diffs = [
            diff_versions(_version(before), _version(after), before_name=_name(before), after_name=_name(after))
            for before, after in pairwise(self.revisions)
        ]
        return "\n".join(diff for diff in diffs if diff)

    def tables(self) -> Iterator[Table]:
        """Return it as titled tables."""
        if row := self.history.frontier:
            yield "URL", ("what", "is"), listed(row, URL_SHOWN)
        if row := self.history.article:
            yield "Article", ("what", "is"), listed(row, ARTICLE_SHOWN)
        if self.names:
            names: Rows = [(row["url_key"], row["how"], shown(row["noted_at"])) for row in self.names]
            yield "Also known as", ("URL key", "by", "since"), names
        head = ("fetched at", "status", "outcome", "reason", "novelty", "revision", "bytes at")
        yield f"Captures ({len(self.captures)})", head, [_capture_row(row) for row in self.captures]
        if self.revisions:
            yield self._revisions_table()
        if self.edges:
            kin: Rows = [(edge.kind, f"{edge.score:.2f}", edge.a, edge.b) for edge in self.edges]
            yield f"Alike ({len(kin)})", ("kind", "score", "of", "to"), kin
        if len(self.cluster) > 1:
            members: Rows = [(shown(row["first_seen_at"]), row["source_id"], row["url"]) for row in self.cluster]
            yield f"The same story ({len(members)})", ("first seen at", "source", "URL"), members

    def _revisions_table(self) -> Table:
        changes = ["", *map(_shown_change, self.changes())]
        rows: Rows = [
            (row["revision"], row["novelty"], shown(row["fetched_at"]), row["word_count"], change, row["title"])
            for row, change in zip(self.revisions, changes, strict=True)
        ]
        return (
            f"Revisions ({len(rows)})",
            ("revision", "novelty", "fetched at", "words", "changed", "title"),
            rows,
        )


def trace(what: str, settings: Settings) -> Trace:
    """Look up a URL or an article's id; raises ConfigError where nothing is known of it."""
    key, article_id = _read_question(what)
    with index_to_read(settings) as index:
        return _look_up(what, key, article_id, index=index, lake=lake_to_read(settings, index))


def _look_up(what: str, key: str | None, article_id: str | None, *, index: Index, lake: ObjectStore) -> Trace:
    with index.read() as tx:
        history = find_history(tx, url_key=key, article_id=article_id)
        known = history.article
        cluster = find_cluster(tx, known["cluster_id"], limit=CLUSTER_SHOWN) if known else []
        edges = find_edges(tx, known["article_id"]) if known else []
        names = find_names(tx, known["url_key"]) if known else []
    if history.frontier is None and history.article is None:
        raise ConfigError(f"nothing is known of {what}: no feed has announced it, and no sweep has fetched it")
    own_key = (history.frontier or history.article or {})["url_key"]
    article_key = history.article["url_key"] if history.article else own_key
    since = _first_day(history)
    return Trace(
        history=history,
        captures=tuple(read_rows(lake, "captures", url_key=own_key, since=since)),
        revisions=tuple(read_rows(lake, "articles", url_key=article_key, since=since)),
        names=tuple(names),
        edges=tuple(edges),
        cluster=tuple(cluster),
    )


def _read_question(what: str) -> tuple[str | None, str | None]:
    if ARTICLE_ID.fullmatch(what):
        return None, what
    try:
        return url_key(what), None
    except ItemError as error:
        raise ConfigError(f"{what!r} is neither a URL nor an article's id (32 hexadecimal digits)") from error


def _first_day(history: UrlHistory) -> date:
    """Return the first day on which the lake can have something of this URL."""
    known = [
        row[name] for row, name in ((history.frontier, "discovered_at"), (history.article, "first_seen_at")) if row
    ]
    earliest: date = min(known).date()
    return earliest


def _version(row: dict[str, Any]) -> Version:
    return Version(
        title=row["title"],
        text=row["text"],
        authors=tuple(row["authors"]),
        published_at=row["published_at"],
    )


def _name(row: dict[str, Any]) -> str:
    return f"revision {row['revision']}, {shown(row['fetched_at'])}"


def _shown_change(change: Change) -> str:
    moved = f"+{change.words_added} -{change.words_removed}"
    return f"{', '.join(change.parts)} ({moved})" if change.parts else moved


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
