"""Decide a unit of a replay: index and outbox in one transaction, based on what is stored at that moment.

Everything slow is read and planned before the lock (optimistic concurrency). If anything was decided meanwhile, it is
planned again; with SQLite, after a few attempts under the lock. On PostgreSQL the locks depend on the plan, so there
are more attempts instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.config.catalogue import SourceRules
from tasks.deduplicate.looks import known_after, settle
from tasks.deduplicate.retry_policy import next_look
from tasks.errors import IndexUnavailable
from tasks.extract.rules import rules_name
from tasks.index import articles, frontier, outbox, postings, relations, repairing, replayed, taken_down
from tasks.index.articles import KnownArticle
from tasks.index.database import Index, Transaction, lock
from tasks.index.frontier import Settlement, State
from tasks.index.replayed import Note
from tasks.lake.objects.stores import ObjectStore
from tasks.reasons import Disposition
from tasks.replay.asof import shape_of
from tasks.replay.comparing import ComparedCapture, Result, differs_in_capture
from tasks.replay.relating import UnitRelations, relate, scripts_of
from tasks.replay.state import Reader, newest_of
from tasks.replay.unit import Number, Unit, change_articles
from tasks.values.changes import RowChanges, key_of_article
from tasks.values.rows import Article, Capture, Outcome

ATTEMPTS, ATTEMPTS_ON_SERVER = 4, 40
WAITING = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """The context of a replay's decisions: the stores, the run, the sources' rules, and the revisit schedule of young articles."""

    index: Index
    store: ObjectStore
    run_id: str
    rules: Mapping[str, SourceRules]
    revisit_after: Sequence[timedelta]
    knowledge: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChanges:
    """The planned changes of a unit, not written yet. `sequence` was the last decision when they were planned."""

    sequence: int
    unit: Unit
    related: UnitRelations
    captures: tuple[Capture, ...]
    notes: tuple[Note, ...]
    documents: tuple[str, ...]

    @property
    def changes(self) -> RowChanges:
        """The changes to the lake."""
        gone = (
            row
            for article_id, rows in sorted(self.unit.before.items())
            for number, row in rows.items()
            if number not in self.unit.after.get(article_id, {})
        )
        return RowChanges(
            articles=tuple(row for _, row in sorted(self.related.rows.items())),
            captures=self.captures,
            gone_articles=tuple(map(key_of_article, gone)),
            gone_documents=self.documents,
        )


def decide_unit(compared: Sequence[ComparedCapture], deciding: Deciding, *, batch_id: str, now: datetime) -> RowChanges:
    """Decide a unit and commit it; returns what changes in the lake. Raises IndexUnavailable, LakeUnavailable."""
    differing = [one for one in compared if one.result.is_read and one.result is not Result.SAME]
    read = [_note_of(one, deciding) for one in compared if one.result is not Result.FAILED]
    if not differing:
        with deciding.index.write() as tx:
            replayed.note(tx, read, now=now)
        return RowChanges()
    for _ in range(ATTEMPTS if deciding.index.is_sqlite else ATTEMPTS_ON_SERVER):
        with deciding.index.read() as tx:
            worked = _plan_changes(tx, differing, deciding)
        with deciding.index.write() as tx:
            _lock(tx, worked)
            if outbox.last_sequence(tx) == worked.sequence:
                return _write(tx, worked, read, deciding, batch_id=batch_id, now=now)
    if not deciding.index.is_sqlite:
        raise IndexUnavailable(f"{deciding.index.uri}: sweeps interfered; gave up after {ATTEMPTS_ON_SERVER} attempts")
    with deciding.index.write() as tx:
        worked = _plan_changes(tx, differing, deciding)
        return _write(tx, worked, read, deciding, batch_id=batch_id, now=now)


def _note_of(one: ComparedCapture, deciding: Deciding) -> Note:
    """Return the note that the current rules have read a capture, whatever the result; an expired one stays so."""
    capture = one.capture
    return Note(capture_id=capture.capture_id, day=capture.dt, rules=rules_name(), knowledge=deciding.knowledge)


def _plan_changes(tx: Transaction, compared: Sequence[ComparedCapture], deciding: Deciding) -> PlannedChanges:
    sequence = outbox.last_sequence(tx)
    reader = Reader(deciding.store, outbox.pending(tx, limit=WAITING))
    kept_out = taken_down.read_kept_out(tx)  # a URL may have been taken down since its page was read
    compared = [one for one in compared if not one.reading.look.is_kept_out(kept_out)]
    unit = change_articles(tx, compared, reader, rules=deciding.rules)
    related = relate(tx, unit, reader)
    owners = _find_owners(unit, related, reader)
    captures = {**unit.captures, **_with_novelty(unit, related, owners)}
    stored = unit.stored | {one.capture_id: one for one in owners.values()}
    changed = {key: one for key, one in captures.items() if key not in stored or differs_in_capture(one, stored[key])}
    documents = replayed.find_documents(tx, (one.url_key for one in changed.values()))
    return PlannedChanges(
        sequence=sequence,
        unit=unit,
        related=related,
        captures=tuple(one for _, one in sorted(changed.items())),
        notes=tuple(_homes(unit, related, owners)),
        documents=tuple(
            document
            for key, one in changed.items()
            if key in stored and stored[key].outcome is Outcome.QUARANTINED and one.outcome is not Outcome.QUARANTINED
            for document in [documents.get((one.url_key, one.fetched_at))]
            if document is not None
        ),
    )


def _find_owners(unit: Unit, related: UnitRelations, reader: Reader) -> dict[Number, Capture]:
    """Return the stored captures whose pages gave the rows that differ."""
    places = {(row.warc_key, row.warc_offset): number for number, row in related.rows.items()}
    found = {
        places[place]: one
        for one in unit.stored.values()
        if (place := (str(one.warc_key), one.warc_offset or 0)) in places
    }
    missing = [row for number, row in related.rows.items() if number not in found]
    if missing:
        ids, days = {row.article_id for row in missing}, {row.dt for row in missing}
        for one in reader.captures(articles=ids, days=days).values():
            place = (str(one.warc_key), one.warc_offset or 0)
            if place in places and one.outcome is Outcome.OK:
                found.setdefault(places[place], one)
    return found


def _with_novelty(unit: Unit, related: UnitRelations, owners: Mapping[Number, Capture]) -> dict[str, Capture]:
    """Return the captures of rows that differ, with the new novelty of the rows."""
    found = {}
    for number, stored in owners.items():
        row = related.rows[number]
        capture = unit.captures.get(stored.capture_id, stored)
        if (capture.article_id, capture.revision) == number:
            found[capture.capture_id] = replace(capture, novelty=row.novelty)
    return found


def _homes(unit: Unit, related: UnitRelations, owners: Mapping[Number, Capture]) -> Iterable[Note]:
    """Yield the original revision of captures: of rows of this unit, and of others that are decided again."""
    yield from unit.notes.values()
    for number, one in owners.items():
        row = unit.before.get(number[0], {}).get(number[1])
        held = row or related.rows[number]
        if one.capture_id not in unit.notes:
            yield Note(
                capture_id=one.capture_id,
                day=one.dt,
                article_id=number[0],
                revision=number[1],
                position=held.change_seq,
            )


def _lock(tx: Transaction, worked: PlannedChanges) -> None:
    """Lock in the same order as sweeps: URLs, scripts, outbox."""
    rows = [*worked.related.rows.values(), *(row for one in worked.unit.before.values() for row in one.values())]
    keys = {row.url_key for row in rows} | {one.url_key for one in worked.captures}
    frontier.hold(tx, keys)
    for script in sorted(scripts_of(rows)):
        lock(tx, f"script.{script}")
    outbox.hold(tx)


def _write(
    tx: Transaction, worked: PlannedChanges, read: Sequence[Note], deciding: Deciding, *, batch_id: str, now: datetime
) -> RowChanges:
    changes = worked.changes
    replayed.note(tx, worked.notes, now=now)
    replayed.note(tx, read, now=now)
    if changes.is_empty:
        return changes
    changed_clusters = _write_articles(tx, worked, now=now)
    _settle(tx, worked, deciding, now=now)
    replayed.forget_documents(tx, worked.documents)
    outbox.append_changes(
        tx,
        changes,
        batch_id=batch_id,
        run_id=deciding.run_id,
        counts={},
        now=now,
        changed_clusters=changed_clusters,
    )
    return changes


def _write_articles(tx: Transaction, worked: PlannedChanges, *, now: datetime) -> set[str]:
    """Write the articles' new state into the index; returns the clusters that changed."""
    unit, related = worked.unit, worked.related
    ids = unit.touched | related.places.keys() | {number[0] for number in related.rows}
    newest = {one: row for one in sorted(ids) if (row := newest_of(related.revisions.get(one, {}))) is not None}
    known = {one: _known(row, worked) for one, row in newest.items()}
    marked = {related.known[one].cluster_id for one in related.places if one in related.known}
    relations.remove_edges(tx, related.gone_edges)
    gone = sorted(one for one in unit.touched if not unit.after.get(one) and one in related.known)
    marked |= {related.known[one].cluster_id for one in gone}
    repairing.remove_articles(tx, gone)
    articles.remember(tx, ((newest[article_id], one) for article_id, one in known.items()))
    for article_id, one in known.items():
        repairing.correct_article(
            tx,
            article_id,
            url_key=newest[article_id].url_key,
            first_seen_at=one.first_seen_at,
            revision=one.revision,
        )
    fresh = [row for one, row in newest.items() if one in unit.touched and _has_new_shape(row, related.known.get(one))]
    postings.drop_shapes(tx, [row.article_id for row in fresh])
    shapes = [shape for row in fresh if (shape := shape_of(row)) is not None]
    postings.add_shapes(tx, shapes, full=related.hot)
    relations.add_edges(tx, related.new_edges, now=now)
    return marked | {one.cluster_id for one in related.places.values()}


def _has_new_shape(row: Article, known: KnownArticle | None) -> bool:
    if known is None:
        return True
    return (row.text_digest, row.published_at, row.revision) != (known.text_digest, known.published_at, known.revision)


def _known(row: Article, worked: PlannedChanges) -> KnownArticle:
    """Return what later decisions need to know about an article, given its newest row."""
    unit, related = worked.unit, worked.related
    rows, before = related.revisions[row.article_id], related.known.get(row.article_id)
    place = related.places.get(row.article_id)
    old_rows = unit.before.get(row.article_id, rows)
    kept = [
        (number, content)
        for number, content in (before.earlier_contents if before else ())
        if number in rows and rows[number].content_digest == getattr(old_rows.get(number), "content_digest", None)
    ]
    contents = [(number, one.content_digest) for number, one in rows.items() if one.content_digest]
    last = unit.last_number(row.article_id)
    known = replace(
        known_after(row),
        last_revision=last if last > row.revision else None,
        first_seen_at=min(row.first_seen_at, before.first_seen_at)
        if before and rows.keys() >= old_rows.keys()
        else row.first_seen_at,
        cluster_id=place.cluster_id if place else (before.cluster_id if before else row.cluster_id),
        is_representative=place.is_representative
        if place
        else (before.is_representative if before else row.is_representative),
    )
    return known.with_contents([*kept, *contents])


def _settle(tx: Transaction, worked: PlannedChanges, deciding: Deciding, *, now: datetime) -> None:
    """Update the frontier for URLs whose latest look has become an article, or is no longer one."""
    stored = worked.unit.stored
    moved = [
        one
        for one in worked.captures
        if one.outcome is not Outcome.NOT_MODIFIED
        and not one.is_archived
        and (held := stored.get(one.capture_id)) is not None
        and (held.outcome, held.article_id) != (one.outcome, one.article_id)
    ]
    urls = replayed.find_urls(tx, (one.url_key for one in moved))
    frontier.settle(
        tx, [_settlement(one, worked, urls[one.url_key], deciding, now=now) for one in moved if _is_latest(one, urls)]
    )


def _is_latest(capture: Capture, urls: Mapping[str, replayed.UrlState]) -> bool:
    url = urls.get(capture.url_key)
    return url is not None and url.captured_at == capture.fetched_at and url.state not in {State.LEASED, State.DUE}


def _settlement(
    capture: Capture, worked: PlannedChanges, url: replayed.UrlState, deciding: Deciding, *, now: datetime
) -> Settlement:
    newest = newest_of(worked.related.revisions.get(capture.article_id or "", {}))
    return settle(
        capture,
        _DISPOSITIONS.get(capture.outcome),
        now=now,
        previous_digest=url.payload_digest,
        look_again_at=next_look(
            newest.first_seen_at, newest.published_at, now=now, revisit_after=deciding.revisit_after
        )
        if newest
        else None,
    )


_DISPOSITIONS = {
    Outcome.SKIPPED: Disposition.SKIPPED,
    Outcome.QUARANTINED: Disposition.QUARANTINED,
    Outcome.FAILED: Disposition.DROPPED,
}
