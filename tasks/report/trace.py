"""Where is my article? A URL's history from the index and the lake: its answers, decisions and changes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from tasks.config.settings import Settings
from tasks.deduplicate.changes import Change, Version, diff_versions, summarise_change
from tasks.errors import ConfigError, ItemError
from tasks.index.database import Index
from tasks.index.history import UrlHistory, find_articles, find_cluster, find_history, find_names, why_unknown
from tasks.index.relations import Edge, find_edges
from tasks.lake.objects.port import ObjectStore
from tasks.lake.reading import read_rows
from tasks.runtime.resources import index_to_read, lake_to_read
from tasks.values.display import Rows, Table, age, moment, plain, plural, shown
from tasks.values.url import url_key

ARTICLE_ID = re.compile(r"[0-9a-f]{32}")
CLUSTER_SHOWN = 50
NOT_HERE = "(an article that was never fetched here)"
URL_SHOWN = ("url", "source_id", "state", "announced_by", "announced_at", "discovered_at", "due_at", "reason")
ARTICLE_SHOWN = ("article_id", "title", "revision", "published_at", "first_seen_at", "duplicate_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The history of one URL: its frontier row, article, captures, revisions, aliases, and related articles.

    `revisions` are the lake's rows, the oldest first; `names` are its aliases with their kind; `edges` lead to other
    articles; `cluster` has the articles of its story, the earliest first.
    """

    history: UrlHistory
    captures: tuple[dict[str, Any], ...]
    revisions: tuple[dict[str, Any], ...]
    names: tuple[dict[str, Any], ...]
    edges: tuple[Edge, ...]
    cluster: tuple[dict[str, Any], ...]
    kin: tuple[dict[str, Any], ...] = ()

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
        """Return the changes of each revision, as unified diffs; empty if there is one revision."""
        diffs = [
            diff_versions(_version(before), _version(after), before_name=_name(before), after_name=_name(after))
            for before, after in pairwise(self.revisions)
        ]
        return "\n".join(diff for diff in diffs if diff)

    def why_no_diff(self) -> str:
        """Return why there is nothing to compare."""
        number = len(self.revisions)
        return f"Nothing to compare: {plural(number, 'revision')}." if number < 2 else "No sentence changed."

    def tables(self, *, now: datetime) -> Iterator[Table]:
        """Return it as titled tables; the first publisher of the story comes first."""
        if row := self.history.frontier:
            yield "URL", ("", ""), _listed(row, URL_SHOWN, now)
        if row := self.history.article:
            yield "Article", ("", ""), _listed(row, ARTICLE_SHOWN, now)
        if self.names:
            names: Rows = [(row["url_key"], row["how"], moment(row["noted_at"], now)) for row in self.names]
            yield "Also known as", ("URL key", "by", "since"), names
        head = ("fetched", "status", "outcome", "reason", "novelty", "revision")
        yield plural(len(self.captures), "capture"), head, [_capture_row(row, now) for row in self.captures]
        if details := [(moment(row["fetched_at"], now), why) for row in self.captures if (why := _why(row))]:
            yield "Why", ("fetched", "detail"), list(details)
        if places := [(moment(row["fetched_at"], now), place) for row in self.captures if (place := _place(row))]:
            yield "Where the bytes are", ("fetched", "segment:offset+length"), list(places)
        if self.revisions:
            yield self._revisions_table(now)
        if self.edges:
            yield f"Alike ({len(self.edges)})", ("kind", "score", "published", "source", "title"), self._kin(now)
        if len(self.cluster) > 1:
            rows: Rows = [
                (moment(_time_of(row), now), row["source_id"], row["title"] or row["url"]) for row in self.cluster
            ]
            yield f"The same story ({len(rows)})", ("published", "source", "title"), rows

    def _kin(self, now: datetime) -> Rows:
        """Return the articles at the other ends of the edges; one that was never fetched has only its id."""
        own = self.history.article or {}
        others = [(edge, edge.b if edge.a == own.get("article_id") else edge.a) for edge in self.edges]
        known = {row["article_id"]: row for row in self.kin}
        rows: Rows = []
        for edge, article_id in others:
            row = known.get(article_id)
            cells = (
                (moment(_time_of(row), now), row["source_id"], row["title"] or row["url"])
                if row
                else ("", "", NOT_HERE)
            )
            rows.append((edge.kind, f"{edge.score:.2f}", *cells))
        return rows

    def _revisions_table(self, now: datetime) -> Table:
        again = [moment(row["extracted_at"], now) if _is_superseded(row) else "" for row in self.revisions]
        columns: dict[str, Sequence[object]] = {
            "number": [row["revision"] for row in self.revisions],
            "novelty": [row["novelty"] for row in self.revisions],
            "fetched": [moment(row["fetched_at"], now) for row in self.revisions],
            **({"read again": again} if any(again) else {}),
            "words": [row["word_count"] for row in self.revisions],
            "changed": ["", *map(_shown_change, self.changes())],
            "title": [row["title"] for row in self.revisions],
        }
        return plural(len(self.revisions), "revision"), tuple(columns), list(zip(*columns.values(), strict=True))


def trace(what: str, settings: Settings) -> Trace:
    """Look up a URL or an article's id; raises ConfigError if nothing is known of it."""
    key, article_id = read_question(what)
    with index_to_read(settings) as index:
        return _look_up(what, key, article_id, index=index, lake=lake_to_read(settings, index))


def _look_up(what: str, key: str | None, article_id: str | None, *, index: Index, lake: ObjectStore) -> Trace:
    with index.read() as tx:
        history = find_history(tx, url_key=key, article_id=article_id)
        unknown = why_unknown(tx, key)
        known = history.article
        cluster = find_cluster(tx, known["cluster_id"], limit=CLUSTER_SHOWN) if known else []
        edges = find_edges(tx, known["article_id"]) if known else []
        kin = find_articles(tx, {end for edge in edges for end in (edge.a, edge.b)})
        names = find_names(tx, known["url_key"]) if known else []
    if history.frontier is None and history.article is None:
        raise ConfigError(f"{what} is unknown: {unknown}")
    own_key = (history.frontier or history.article or {})["url_key"]
    article_key = history.article["url_key"] if history.article else own_key
    since = first_day(history)
    return Trace(
        history=history,
        captures=tuple(read_rows(lake, "captures", url_key=own_key, since=since)),
        revisions=tuple(read_rows(lake, "articles", url_key=article_key, since=since)),
        names=tuple(names),
        edges=tuple(edges),
        cluster=tuple(sorted(cluster, key=_time_of)),
        kin=tuple(kin),
    )


def read_question(what: str) -> tuple[str | None, str | None]:
    """Return a URL's key, or an article's id; raises ConfigError for what is neither."""
    if ARTICLE_ID.fullmatch(what):
        return None, what
    try:
        return url_key(what), None
    except ItemError as error:
        raise ConfigError(f"{what!r} is neither a URL nor an article's id (32 hexadecimal digits)") from error


def first_day(history: UrlHistory) -> date:
    """Return the first day on which the lake can have rows of this URL."""
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


def _is_superseded(row: dict[str, Any]) -> bool:
    """Whether a replay has changed the row since it was decided; rows emptied by retention do not count."""
    added, changed = row.get("added_seq"), row.get("change_seq")
    return added is not None and changed is not None and added < changed and row.get("text_removed_at") is None


def _name(row: dict[str, Any]) -> str:
    return f"revision {row['revision']}, {shown(row['fetched_at'])}"


def _shown_change(change: Change) -> str:
    moved = f"+{change.words_added} -{change.words_removed}"
    return f"{', '.join(change.parts)} ({moved})" if change.parts else moved


def _why(row: dict[str, Any]) -> str:
    """Return the first line of a capture's detail; other lines of an unexpected error are its places in the code."""
    return str(row.get("detail") or "").partition("\n")[0]


def _capture_row(row: dict[str, Any], now: datetime) -> tuple[object, ...]:
    return (
        moment(row["fetched_at"], now),
        *(row[name] for name in ("status", "outcome", "reason", "novelty", "revision")),
    )


def _place(row: dict[str, Any]) -> str:
    return f"{row['warc_key']}:{row['warc_offset']}+{row['warc_length']}" if row["warc_key"] else ""


def _time_of(row: dict[str, Any]) -> datetime:
    """Return when an article was published or, if unknown, first seen."""
    instant: datetime = row["published_at"] or row["first_seen_at"]
    return instant


def _listed(row: dict[str, Any], names: Sequence[str], now: datetime) -> Rows:
    """Return a row's named values as lines, without those that are None."""
    values = ((name, row[name]) for name in names if row[name] is not None)
    return [
        (name.replace("_", " "), f"{moment(one, now)} UTC ({age(one, now)})" if isinstance(one, datetime) else one)
        for name, one in values
    ]
