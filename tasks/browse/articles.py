"""The pages on one article: its text next to its stored page, its revisions with their changes, its story in order of time."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from tasks.browse.differences import Line, compare
from tasks.browse.library import Library, Row
from tasks.deduplicate.changes import Change, Version, summarise_change
from tasks.errors import PresslakeError
from tasks.index import browsing
from tasks.index.browsing import ListedArticle
from tasks.index.database import Transaction
from tasks.index.relations import Edge, find_edges
from tasks.politeness.rights.mapping import Verdict, verdict_on
from tasks.report.stories import find_stories
from tasks.values.columns import revive
from tasks.values.rights import Purpose
from tasks.values.rows import Signal

ARTICLE_ID = re.compile(r"[0-9a-f]{32}")
MEMBERS_SHOWN, STORIES_SHOWN = 200, 50
MOST_REVISIONS = 100


class NotFound(PresslakeError):
    """The requested article, story, source or page does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRevision:
    """A revision, what it changed (None: it is the first one stored), and the lines of the diff (None: too long)."""

    row: Row
    change: Change | None
    lines: tuple[Line, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One article of a story: how long after the first it was published, and how similar it is (None: unknown)."""

    article: ListedArticle
    after: timedelta
    score: float | None
    kind: str


def article(library: Library, article_id: str, *, revision: int | None = None) -> dict[str, Any]:
    """Return the template values of an article's page, for its newest revision unless one is given; raises NotFound."""
    with library.index() as tx:
        known = known_article(tx, article_id)
        members = browsing.find_members(tx, known.cluster_id, limit=MEMBERS_SHOWN)
        edges = find_edges(tx, article_id)
        kin = browsing.find_listed_by_id(tx, {end for edge in edges for end in (edge.a, edge.b)} - {article_id})
        original = browsing.find_listed_by_id(tx, [known.duplicate_of] if known.duplicate_of else [])
    row = library.newest_row(known) if revision is None else _revision(library, known, revision)
    return {
        "known": known,
        "row": row,
        "names": library.sources.names,
        "is_newest": row is None or row["revision"] == known.revision,
        "members": members,
        "alike": _alike(article_id, edges, kin, {one.article_id for one in members}),
        "original": next(iter(original.values()), None),
        "verdicts": _verdicts(row),
    }


def _verdicts(row: Row | None) -> dict[str, Verdict] | None:
    """Return the verdict on each purpose when a revision was fetched; None if nothing was recorded."""
    if row is None or row.get("rights") is None:
        return None
    signals = tuple(revive(Signal, one) for one in row["rights"])
    return {purpose.value: verdict_on(purpose, signals) for purpose in Purpose}


def revisions(library: Library, article_id: str) -> dict[str, Any]:
    """Return the template values of the page on an article's revisions, the newest first; raises NotFound."""
    with library.index() as tx:
        known = known_article(tx, article_id)
    rows = library.revisions(known)[-MOST_REVISIONS:]
    shown = [ShownRevision(row=row, change=None, lines=None) for row in rows[:1]]
    for before, after in pairwise(rows):
        old, new = _version(before), _version(after)
        change = summarise_change(old, new, parts=after["changes"])
        shown.append(ShownRevision(row=after, change=change, lines=compare(old, new)))
    return {"known": known, "revisions": shown[::-1], "names": library.sources.names}


def story(library: Library, story_id: str) -> dict[str, Any]:
    """Return the template values of a story's page, by the id of the story or of any article in it; raises NotFound.

    A story's id changes when stories merge; an article's never does, so links use article ids.
    """
    with library.index() as tx:
        one = browsing.find_listed_by_id(tx, [story_id]).get(story_id)
        members = browsing.find_members(tx, one.cluster_id if one else story_id, limit=MEMBERS_SHOWN)
        if not members:
            raise NotFound("no such story")
        first = members[0]
        scores = {end: edge for edge in find_edges(tx, first.article_id) for end in (edge.a, edge.b)}
    return {
        "first": first,
        "moments": [_moment(first, member, scores.get(member.article_id)) for member in members],
        "sources": len({member.source_id for member in members}),
        "names": library.sources.names,
        "is_cut": len(members) == MEMBERS_SHOWN,
    }


def stories(library: Library, *, day: date | None) -> dict[str, Any]:
    """Return the values of the page on the stories reported again in the seven days up to a day, or to the newest article's."""
    with library.index() as tx:
        found = find_stories(tx, last=day, days=7, limit=STORIES_SHOWN)
    is_newest = found.newest_at is None or found.newest_at.date() <= found.last
    return {
        "stories": found.stories,
        "since": found.first,
        "last": found.last,
        "earlier": found.last - timedelta(days=7),
        "later": None if is_newest else found.last + timedelta(days=7),
        "names": library.sources.names,
    }


def is_article_id(text: str) -> bool:
    """Whether a text has the form of an article's id."""
    return ARTICLE_ID.fullmatch(text) is not None


def known_article(tx: Transaction, article_id: str) -> ListedArticle:
    """Return what the index knows of an article; raises NotFound."""
    found = browsing.find_listed_by_id(tx, [article_id]).get(article_id)
    if found is None:
        raise NotFound("no such article")
    return found


def _revision(library: Library, known: ListedArticle, revision: int) -> Row:
    rows = library.revisions(known)
    for row in rows:
        if row["revision"] == revision:
            return row
    raise NotFound("no such revision")


def _version(row: Row) -> Version:
    return Version(
        title=row["title"],
        text=row["text"] or "",
        authors=tuple(row["authors"] or ()),
        published_at=row["published_at"],
    )


def _moment(first: ListedArticle, member: ListedArticle, edge: Edge | None) -> Moment:
    if member.article_id == first.article_id:
        return Moment(article=member, after=timedelta(0), score=None, kind="first")
    if member.duplicate_of == first.article_id and (edge is None or edge.kind != "near_duplicate"):
        return Moment(article=member, after=member.shown_at - first.shown_at, score=1.0, kind="duplicate")
    kind = edge.kind if edge else ""
    return Moment(article=member, after=member.shown_at - first.shown_at, score=edge.score if edge else None, kind=kind)


def _alike(
    article_id: str, edges: list[Edge], kin: dict[str, ListedArticle], members: set[str]
) -> list[tuple[Edge, ListedArticle]]:
    """Return the articles at the other ends of an article's edges that are not in its story."""
    others = ((edge, edge.b if edge.a == article_id else edge.a) for edge in edges)
    return [(edge, kin[other]) for edge, other in others if other in kin and other not in members]
