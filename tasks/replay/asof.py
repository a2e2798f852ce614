"""Deduplicate a revision again as of its first decision: against the texts known at that moment. Pure.

Texts decided later are ignored, and of an article with several revisions the one of that moment counts.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from tasks.deduplicate.judge import judge
from tasks.deduplicate.looks import known_after
from tasks.deduplicate.neighbours import Comparisons, Match, Neighbours
from tasks.deduplicate.resemblance import Relation, article_time
from tasks.index.postings import KnownShape, Surroundings
from tasks.replay.state import Revisions, newest_of
from tasks.values.rows import Article, Novelty
from tasks.values.text.fingerprint import Fingerprint, fingerprint_of

Position = tuple[int, str, datetime, str]
"""The order of decisions: by sequence or, if that is unknown, by segment, time and URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOfDecision:
    """The decision on a revision against the texts of its moment; `relatives` are the articles that it nearly duplicates."""

    novelty: Novelty
    duplicate_of: str | None
    similarity: float | None
    matches: tuple[Match, ...]
    relatives: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """All revisions that may matter, each with its position in the order of decisions; `hot` are hashes of boilerplate."""

    revisions: Revisions
    positions: Mapping[tuple[str, int], int]
    hot: frozenset[int] = frozenset()
    _order: dict[str, list[tuple[Position, Article]]] = field(default_factory=dict)

    def position(self, row: Article) -> Position:
        """Return when a row was decided."""
        sequence = self.positions.get((row.article_id, row.revision), row.change_seq or 0)
        return sequence, "" if sequence else row.warc_key, time_of(row), row.url_key

    def before(self, row: Article) -> Article | None:
        """Return the previous revision of the same article."""
        earlier = [number for number in self.revisions.get(row.article_id, ()) if number < row.revision]
        return self.revisions[row.article_id][max(earlier)] if earlier else None

    def others(self, row: Article) -> list[Article]:
        """Return the revision that each other article had at the moment of a row."""
        mine = self.position(row)
        found = (self._at(article_id, mine) for article_id in self.revisions if article_id != row.article_id)
        return [one for one in found if one is not None]

    def _at(self, article_id: str, moment: Position) -> Article | None:
        if article_id not in self._order:
            rows = self.revisions[article_id].values()
            self._order[article_id] = sorted(((self.position(one), one) for one in rows), key=lambda one: one[0])
        earlier = (one for position, one in self._order[article_id] if position < moment)
        return newest_of({one.revision: one for one in earlier})


def decide_as_of(row: Article, moment: Moment) -> AsOfDecision:
    """Decide a revision against the texts of its moment."""
    before, others, own = moment.before(row), moment.others(row), fingerprint(row.text)
    equal = [one for one in others if own.has_words and one.text_digest == row.text_digest]
    if before is not None and before.text_digest == row.text_digest:
        equal.append(before)
    twin = _twin(row, equal, moment)
    matches = _matches(row, own, others, moment.hot)
    since = article_time(before.published_at, before.first_seen_at) if before else None
    verdict = judge(
        article_id=row.article_id,
        known=None,
        twin=known_after(twin) if twin else None,
        matches=[one for one in matches if since is None or one.told_at < since],
    )
    relatives = {one.article_id for one in matches if one.relation is Relation.NEAR_DUPLICATE}
    if twin is not None and twin.article_id != row.article_id:
        relatives.add(twin.article_id)
    return AsOfDecision(
        novelty=Novelty.REVISION if before else verdict.novelty,
        duplicate_of=verdict.duplicate_of,
        similarity=verdict.similarity,
        matches=tuple(matches),
        relatives=frozenset(relatives),
    )


def _twin(row: Article, equal: Iterable[Article], moment: Moment) -> Article | None:
    """Return the earliest article with the same text; if all are of the row's own batch, the first decided."""
    own_batch = moment.position(row)[:2]
    by_batch: dict[bool, list[Article]] = {True: [], False: []}
    for one in equal:
        by_batch[moment.position(one)[:2] == own_batch].append(one)
    if by_batch[False]:
        return min(by_batch[False], key=lambda one: (one.first_seen_at, one.article_id))
    return min(by_batch[True], key=moment.position, default=None)


def time_of(row: Article) -> datetime:
    """Return a revision's own time."""
    return article_time(row.published_at, row.fetched_at)


@lru_cache(maxsize=2000)
def fingerprint(text: str) -> Fingerprint:
    """Return a text's fingerprint; cached, since several decisions of a unit need it."""
    return fingerprint_of(text)


def shape_of(row: Article) -> KnownShape | None:
    """Return the shape of a revision; None for a short text."""
    shape = fingerprint(row.text).shape
    if shape is None:
        return None
    return KnownShape(article_id=row.article_id, told_at=time_of(row), host=row.host, shape=shape)


def is_alike(row: Article, other: Article) -> bool:
    """Whether two texts are equal or resemble each other in any way."""
    if row.text_digest == other.text_digest:
        return fingerprint(row.text).has_words
    return bool(_matches(row, fingerprint(row.text), [other], frozenset()))


def _matches(row: Article, own: Fingerprint, others: Iterable[Article], hot: Collection[int]) -> list[Match]:
    if own.shape is None:
        return []
    shapes = dict(enumerate(shape for one in others if (shape := shape_of(one)) is not None))
    holders: dict[int, list[int]] = {}
    for number, one in shapes.items():
        for value in one.shape.sketch:
            if value not in hot:
                holders.setdefault(value, []).append(number)
    neighbours = Neighbours(Surroundings(holders=holders, shapes=shapes, full=frozenset()), Comparisons(left=None))
    return neighbours.matches(row.article_id, time_of(row), row.host, own.shape)
