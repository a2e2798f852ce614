"""Recompute the relations of a unit's articles to others, and the resulting clusters. Reads, writes nothing."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from tasks.deduplicate.looks import syndicated_key
from tasks.deduplicate.resemblance import Relation, compare
from tasks.index import articles, postings, relations, repairing, replayed
from tasks.index.articles import KnownArticle, article_id_of
from tasks.index.database import Transaction
from tasks.index.postings import HOT
from tasks.index.relations import Edge
from tasks.replay.asof import AsOfDecision, Moment, decide_as_of, fingerprint, is_alike, shape_of
from tasks.replay.reclustering import ClusterPlaces, Event, Place, recluster
from tasks.replay.state import Reader, Revisions, copied, span_of
from tasks.replay.unit import Number, Unit, rows_of
from tasks.values.rows import Article, Novelty


@dataclass(slots=True, kw_only=True)
class UnitRelations:
    """How a unit changes relations.

    `rows` are all rows that differ from the stored ones, by number. `known` are all articles considered, `places` the
    new places of articles whose cluster changed.
    """

    rows: dict[Number, Article]
    known: dict[str, KnownArticle]
    revisions: Revisions
    gone_edges: list[Edge] = field(default_factory=list)
    new_edges: list[Edge] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    hot: frozenset[tuple[int, int]] = frozenset()


def relate(tx: Transaction, unit: Unit, reader: Reader) -> UnitRelations:
    """Decide again the rows affected by the unit's changes, and rebuild clusters whose relations changed."""
    touched = unit.touched
    if not unit.redecided and not unit.moved:
        return UnitRelations(rows=_differing(unit.after, unit.before), known=dict(unit.known), revisions=unit.after)
    fresh = [*rows_of(unit.after, unit.redecided), *rows_of(unit.before, unit.redecided)]
    surroundings = postings.read_surroundings(tx, ((one.told_at, one.shape) for row in fresh if (one := shape_of(row))))
    near = {one.article_id for one in surroundings.shapes.values()}
    near |= {one.article_id for one in articles.find_by_text(tx, (row.text_digest for row in fresh)).values()}
    near |= replayed.find_related(tx, touched) | {row.duplicate_of for row in fresh if row.duplicate_of}
    others = repairing.find_articles(tx, sorted(near - unit.after.keys()))
    before = unit.before | reader.revisions({one.article_id: span_of(one) for one in others.values()})
    after = copied(unit.after | {one: before[one] for one in others})
    known = unit.known | others
    hot = frozenset(value for value, numbers in surroundings.holders.items() if len(numbers) > HOT)
    positions = _positions(tx, unit, known)
    moment = Moment(revisions=after, positions=positions, hot=hot)
    wanted = unit.redecided | _concerned(unit, moment, touched)
    decided = {number: decide_as_of(row, moment) for number in wanted if (row := _row(after, number)) is not None}
    for (article_id, number), verdict in decided.items():
        after[article_id][number] = _with_decision(after[article_id][number], verdict)
    related = UnitRelations(rows={}, known=known, revisions=after, hot=surroundings.full)
    _relate_edges(tx, related, touched, decided)
    _recluster(tx, related, reader, before=before, decided=decided, unit=unit)
    related.rows |= _differing(after, before)
    return related


def _positions(tx: Transaction, unit: Unit, known: Iterable[str]) -> dict[Number, int]:
    homes = {one.capture_id: one for one in replayed.find_homes(tx, known)}
    noted = {**unit.notes, **unit.homes, **homes}
    return {
        (one.article_id, one.revision): one.position
        for one in noted.values()
        if one.article_id is not None and one.revision is not None and one.position is not None
    }


def _row(revisions: Revisions, number: Number) -> Article | None:
    return revisions.get(number[0], {}).get(number[1])


def _concerned(unit: Unit, moment: Moment, touched: Collection[str]) -> set[Number]:
    """Return the later rows that refer to a changed text, or that resemble its new version."""
    near = _Near(rows_of(unit.after, unit.redecided))
    return {
        (article_id, number)
        for article_id, rows in moment.revisions.items()
        for number, row in rows.items()
        if (article_id, number) not in unit.redecided
        and (row.duplicate_of in touched or any(_comes_after(row, one, moment) for one in near.find(row)))
    }


class _Near:
    """An index of changed rows by text digest and by sketch hash, since most rows have nothing in common with them."""

    def __init__(self, changed: Iterable[Article]) -> None:
        self._rows = list(changed)
        self._equal: dict[str, list[int]] = {}
        self._holders: dict[int, list[int]] = {}
        for place, row in enumerate(self._rows):
            self._equal.setdefault(row.text_digest, []).append(place)
            shape = fingerprint(row.text).shape
            for value in shape.sketch if shape else ():
                self._holders.setdefault(value, []).append(place)

    def find(self, row: Article) -> list[Article]:
        """Return the changed rows that a row may resemble."""
        shape = fingerprint(row.text).shape
        sharing = postings.sharing(shape, self._holders) if shape else []
        return [self._rows[place] for place in {*self._equal.get(row.text_digest, ()), *sharing}]


def _comes_after(row: Article, changed: Article, moment: Moment) -> bool:
    is_other = row.article_id != changed.article_id
    return is_other and moment.position(changed) < moment.position(row) and is_alike(row, changed)


def _with_decision(row: Article, decided: AsOfDecision) -> Article:
    return replace(row, novelty=decided.novelty, duplicate_of=decided.duplicate_of, similarity=decided.similarity)


def _relate_edges(
    tx: Transaction, related: UnitRelations, touched: Collection[str], decided: dict[Number, AsOfDecision]
) -> None:
    """Find the edges of the touched articles that no longer hold, and those that the decisions add."""
    new = {(one.a, one.b, one.kind): one for number, found in decided.items() for one in _edges(number[0], found)}
    for article_id in touched:
        rows = related.revisions.get(article_id, {}).values()
        originals = {original for row in rows if (original := _original(row)) is not None}
        new |= {
            (article_id, one, Relation.SYNDICATED): Edge(a=article_id, b=one, kind=Relation.SYNDICATED, score=1.0)
            for one in originals
        }
        for edge in relations.find_edges(tx, article_id):
            if edge.kind == Relation.SYNDICATED:
                is_held = edge.a != article_id or edge.b in originals
            else:
                is_held = _holds(edge, related.revisions)
            if not is_held and (edge.a, edge.b, edge.kind) not in new:
                related.gone_edges.append(edge)
    related.new_edges = list(new.values())


def _original(row: Article) -> str | None:
    key = syndicated_key(row.syndicated_from, row.url) if row.syndicated_from else None
    return article_id_of(key) if key else None


def _edges(article_id: str, decided: AsOfDecision) -> Iterable[Edge]:
    for match in decided.matches:
        if match.relation is Relation.NEAR_DUPLICATE:
            a, b = sorted((article_id, match.article_id))
        else:
            a, b = (article_id, match.article_id) if match.is_longer else (match.article_id, article_id)
        yield Edge(a=a, b=b, kind=match.relation, score=match.score)


def _holds(edge: Edge, revisions: Revisions) -> bool:
    """Whether two articles have revisions that are still related as the edge says."""
    pairs = ((one, other) for one in _shapes(revisions, edge.a) for other in _shapes(revisions, edge.b))
    for one, other in pairs:
        found = compare(one.shape, other.shape)
        if found is not None and found.relation == edge.kind:
            return True
    return False


def _shapes(revisions: Revisions, article_id: str) -> list[postings.KnownShape]:
    return [one for row in revisions.get(article_id, {}).values() if (one := shape_of(row)) is not None]


def _recluster(
    tx: Transaction,
    related: UnitRelations,
    reader: Reader,
    *,
    before: Revisions,
    decided: dict[Number, AsOfDecision],
    unit: Unit,
) -> None:
    """Rebuild the clusters whose members' relatives changed, or that gain or lose a member."""
    changed = {number[0] for number, one in decided.items() if _joined(before, number) != one.relatives}
    changed |= {one for one in unit.touched if bool(unit.before.get(one)) != bool(unit.after.get(one))}
    changed |= {end for edge in related.gone_edges if edge.kind == Relation.NEAR_DUPLICATE for end in (edge.a, edge.b)}
    changed |= {other for number, one in decided.items() if number[0] in changed for other in one.relatives}
    clusters = {related.known[one].cluster_id for one in changed if one in related.known}
    found = {one.article_id: one for cluster in sorted(clusters) for one in repairing.find_cluster(tx, cluster)}
    missing = {one: known for one, known in found.items() if one not in related.revisions}
    rows = reader.revisions({one: span_of(known) for one, known in missing.items()})
    before.update(rows)
    related.revisions.update(copied(rows))
    related.known.update(missing)
    members = {one for one in found.keys() | changed if related.revisions.get(one)}
    if not members:
        return
    moment = Moment(revisions=related.revisions, positions=_positions(tx, unit, related.known))
    made = recluster(_events(tx, related, moment, members, decided))
    _take_places(related, made, before, decided)


def _joined(before: Revisions, number: Number) -> frozenset[str]:
    """Return the articles that the stored row names as joined with."""
    row = _row(before, number)
    if row is None or row.duplicate_of is None or row.novelty is Novelty.EXCERPT:
        return frozenset()
    return frozenset({row.duplicate_of})


def _events(
    tx: Transaction,
    related: UnitRelations,
    moment: Moment,
    members: Collection[str],
    decided: dict[Number, AsOfDecision],
) -> list[Event]:
    edges = {
        (one.a, one.b)
        for article_id in members
        for one in relations.find_edges(tx, article_id)
        if one.kind == Relation.NEAR_DUPLICATE and one not in related.gone_edges
    }
    edges |= {(one.a, one.b) for one in related.new_edges if one.kind == Relation.NEAR_DUPLICATE}
    excerpts = {
        (one.a, one.b)
        for article_id in members
        for one in relations.find_edges(tx, article_id)
        if one.kind == Relation.EXCERPT
    }
    begun = {one: min(map(moment.position, related.revisions[one].values())) for one in members}
    events = []
    for article_id in members:
        near = {b if a == article_id else a for a, b in edges if article_id in {a, b}}
        for number, row in related.revisions[article_id].items():
            own = decided.get((article_id, number))
            relatives = set(own.relatives) if own else _named(row, near, excerpts)
            if moment.position(row) == begun[article_id]:
                relatives |= {one for one in near if one in begun and begun[one] < begun[article_id]}
            events.append(Event(row=row, position=moment.position(row), relatives=frozenset(relatives)))
    return events


def _named(row: Article, near: Collection[str], excerpts: Collection[tuple[str, str]]) -> set[str]:
    """Return the article that a stored row was joined with; an excerpt's original does not count."""
    if row.duplicate_of is None or row.novelty is Novelty.EXCERPT:
        return set()
    is_excerpt = row.novelty is Novelty.REVISION and (row.article_id, row.duplicate_of) in excerpts
    return set() if is_excerpt and row.duplicate_of not in near else {row.duplicate_of}


def _take_places(
    related: UnitRelations, made: ClusterPlaces, before: Revisions, decided: dict[Number, AsOfDecision]
) -> None:
    for article_id, place in made.now.items():
        known = related.known.get(article_id)
        is_as_before = known is not None and (known.cluster_id, known.is_representative) == (
            place.cluster_id,
            place.is_representative,
        )
        if not is_as_before:
            related.places[article_id] = place
        for number, row in related.revisions[article_id].items():
            is_put = (article_id, number) in decided or row != _row(before, (article_id, number))
            if is_put and (not is_as_before or _row(before, (article_id, number)) is None):
                related.revisions[article_id][number] = _placed(row, made.then[article_id, number])


def _placed(row: Article, place: Place) -> Article:
    return replace(
        row,
        cluster_id=place.cluster_id,
        is_representative=place.is_representative,
        cluster_size=place.size,
        cluster_earliest=place.earliest,
    )


def _differing(after: Revisions, before: Revisions) -> dict[Number, Article]:
    return {
        (article_id, number): row
        for article_id, rows in after.items()
        for number, row in rows.items()
        if row != before.get(article_id, {}).get(number)
    }


def scripts_of(rows: Iterable[Article]) -> set[str]:
    """Return the scripts of texts; decisions are locked by script."""
    return {fingerprint(row.text).script for row in rows}
