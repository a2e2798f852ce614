"""Plan the changes to a unit's articles: rows superseded, gained, lost, folded; others decided again.

Reads, writes nothing. The plan is based on what is stored at one moment, and written only if nothing has been decided
since (deciding.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from tasks.config.catalogue import SourceRules
from tasks.deduplicate.judge import Verdict
from tasks.deduplicate.looks import article_row, with_source_labels
from tasks.index import replayed
from tasks.index.articles import KnownArticle, article_id_of, find_aliases, find_by_url_key, find_url_keys
from tasks.index.database import Transaction
from tasks.index.repairing import find_articles
from tasks.index.replayed import Note
from tasks.replay.comparing import ComparedCapture, Result, differs, updated_row
from tasks.replay.reading import kept_of
from tasks.replay.state import Reader, Revisions, copied, newest_of, span_of
from tasks.values.rows import Article, Capture, Novelty, Outcome
from tasks.values.text.content import changed_parts, is_current

Number = tuple[str, int]
"""A revision of an article."""


@dataclass(slots=True)
class Unit:
    """The rows of a unit's articles before and after, and its captures; filled step by step.

    `known` and `url_keys` go by article, `at_url` by url_key. `moved` maps removed revisions to the one that their
    captures show from now on (None: no article is left).
    `redecided` are the revisions whose text, time or original changed.
    """

    known: dict[str, KnownArticle]
    url_keys: dict[str, str]
    at_url: dict[str, KnownArticle]
    before: Revisions
    after: Revisions
    homes: dict[str, Note]
    captures: dict[str, Capture] = field(default_factory=dict)
    stored: dict[str, Capture] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    moved: dict[Number, tuple[Number | None, Capture | None]] = field(default_factory=dict)
    back: set[Number] = field(default_factory=set)
    redecided: set[Number] = field(default_factory=set)
    fresh: set[Number] = field(default_factory=set)

    @property
    def touched(self) -> set[str]:
        """The articles whose rows changed."""
        return {
            one for one in self.before.keys() | self.after.keys() if self.before.get(one, {}) != self.after.get(one, {})
        }

    def last_number(self, article_id: str) -> int:
        """Return the greatest number that a revision of an article ever had."""
        known = self.known.get(article_id)
        numbers = [known.next_revision - 1 if known else 0]
        numbers += [one.revision or 0 for one in self.homes.values() if one.article_id == article_id]
        return max(*numbers, *self.before.get(article_id, ()), *self.after.get(article_id, ()), 0)


def change_articles(
    tx: Transaction, compared: Sequence[ComparedCapture], reader: Reader, *, rules: Mapping[str, SourceRules]
) -> Unit:
    """Return the unit with its own articles' rows changed, equal revisions folded, and captures moved."""
    unit = _read(tx, compared, reader)
    for one in sorted(compared, key=lambda one: (one.capture.fetched_at, one.capture.capture_id)):
        _CHANGES[one.result](unit, one, rules)
    for article_id in list(unit.after):
        _fold(unit, article_id)
        _put_in_order(unit, article_id)
    _move_captures(unit, reader)
    _name_articles(unit)
    return unit


def _read(tx: Transaction, compared: Sequence[ComparedCapture], reader: Reader) -> Unit:
    keys = {one.capture.url_key for one in compared}
    aliases = find_aliases(tx, keys)
    by_key = find_by_url_key(tx, keys | set(aliases.values()))
    named = {one.capture.article_id for one in compared} | {one.article_id for one in by_key.values()}
    named |= {one.reading.stored.home.article_id for one in compared if one.reading.stored.home}
    ids = {one for one in named if one}
    known = {one.article_id: one for one in by_key.values()} | find_articles(tx, sorted(ids))
    spans = {one.article_id: span_of(one) for one in known.values()}
    before = reader.revisions(spans)
    homes = {one.capture_id: one for one in replayed.find_homes(tx, ids)}
    at_url = {key: by_key[name] for key in keys for name in (aliases.get(key), key) if name in by_key}
    stored = _present_captures(compared, reader)
    url_keys = find_url_keys(tx, known)
    return Unit(
        known=known, url_keys=url_keys, at_url=at_url, before=before, after=copied(before), homes=homes, stored=stored
    )


def _present_captures(compared: Sequence[ComparedCapture], reader: Reader) -> dict[str, Capture]:
    """Return the current captures; another unit may have changed them since the plan was made."""
    read = {one.capture.capture_id: one.capture for one in compared}
    return {**read, **reader.captures(ids=set(read), days={one.dt for one in read.values()})}


def _supersede(unit: Unit, one: ComparedCapture, rules: Mapping[str, SourceRules]) -> None:
    stored = one.reading.stored.row
    held = unit.after.get(stored.article_id, {}).get(stored.revision) if stored else None
    if stored is None:
        _relabel(unit, one, rules)
    elif held is None:  # it was folded since it was read
        _gain(unit, one, rules)
    else:
        row = updated_row(held, one.reading.look)
        if not differs(row, held):  # False if another replay has already done it
            return
        _put(unit, row)
        _note_home(unit, one.capture, held)
        present = unit.stored[one.capture.capture_id]
        charset = one.reading.look.extracted.charset or present.charset
        unit.captures[present.capture_id] = replace(present, charset=charset)


def _relabel(unit: Unit, one: ComparedCapture, _rules: Mapping[str, SourceRules]) -> None:
    """Change the reason of a capture without a row; if it showed a revision, it no longer does."""
    capture, now = one.capture, one.reading.look.captured
    label = replace(capture, outcome=now.outcome, reason=now.reason, detail=now.detail)
    if capture.revision is not None:
        unit.notes[capture.capture_id] = Note(
            capture_id=capture.capture_id, day=capture.dt, article_id=capture.article_id, revision=capture.revision
        )
        label = replace(label, novelty=None, revision=None)
    unit.captures[capture.capture_id] = label


def _lose(unit: Unit, one: ComparedCapture, _rules: Mapping[str, SourceRules]) -> None:
    row = one.reading.stored.row
    held = unit.after.get(row.article_id, {}).pop(row.revision, None) if row else None
    if held is None:
        return
    _note_home(unit, one.capture, held)
    now = one.reading.look.captured
    label = replace(
        one.capture,
        outcome=now.outcome,
        reason=now.reason,
        detail=now.detail,
        novelty=None,
        revision=None,
        article_id=None,
    )
    unit.captures[one.capture.capture_id] = label
    unit.moved[held.article_id, held.revision] = (None, label)


def _gain(unit: Unit, one: ComparedCapture, rules: Mapping[str, SourceRules]) -> None:
    """Assign a revision to a capture: the one it had before, an equal one, or a new one."""
    look, capture, home = one.reading.look, one.capture, one.reading.stored.home
    known = unit.known.get(capture.article_id or "") or unit.at_url.get(capture.url_key)
    article_id = (home.article_id if home else None) or (known.article_id if known else article_id_of(capture.url_key))
    rows = unit.after.setdefault(article_id, {})
    page = look.prepared
    same = [number for number, row in rows.items() if page is not None and row.content_digest == page.content]
    shown = replace(
        capture, outcome=Outcome.OK, reason=None, detail=look.captured.detail, charset=look.extracted.charset,
        article_id=article_id, novelty=Novelty.UNCHANGED,
    )  # fmt: skip
    if same:
        unit.captures[capture.capture_id] = replace(shown, revision=max(same))
        return
    own = home.revision if home and home.revision not in rows else None
    number = own or unit.last_number(article_id) + 1
    row = _made(one, article_id, number, rows, unit.url_keys.get(known.article_id) if known else None)
    _put(unit, with_source_labels([row], rules)[0])
    unit.fresh.add((article_id, number))
    if own:
        unit.back.add((article_id, number))
    unit.notes[capture.capture_id] = Note(
        capture_id=capture.capture_id, day=capture.dt, article_id=article_id, revision=number
    )
    unit.captures[capture.capture_id] = replace(shown, revision=number, novelty=Novelty.NEW)


def _made(
    one: ComparedCapture, article_id: str, number: int, rows: Mapping[int, Article], home_key: str | None
) -> Article:
    look, prepared = one.reading.look, one.reading.look.prepared
    if prepared is None:
        raise ValueError(f"not prepared: {one.capture.url}")
    verdict = Verdict(novelty=Novelty.NEW, article_id=article_id, revision=number, duplicate_of=None, similarity=None)
    any_row = next(iter(rows.values()), None)
    key = any_row.url_key if any_row else (home_key or one.capture.url_key)
    row = article_row(look, prepared, verdict, url_key=key, known=None)
    firsts = [one.capture.fetched_at, *(other.first_seen_at for other in rows.values())]
    return replace(
        row,
        added_seq=one.reading.stored.site.added_seq,
        first_seen_at=min(firsts),
        origin_uri=one.capture.origin_uri,
        origin_offset=one.capture.origin_offset,
    )


def _same(_unit: Unit, _one: ComparedCapture, _rules: Mapping[str, SourceRules]) -> None:
    """Leave a capture as it is."""


_CHANGES = {
    Result.SAME: _same,
    Result.FAILED: _same,
    Result.EXPIRED: _same,
    Result.CHANGED: _supersede,
    Result.LOST: _lose,
    Result.GAINED: _gain,
}


def _fold(unit: Unit, article_id: str) -> None:
    """Keep the first of revisions that are now equal, if this unit changed one of them."""
    rows, before = unit.after[article_id], unit.before.get(article_id, {})
    first: dict[str, int] = {}
    for number in sorted(rows):
        content = rows[number].content_digest
        if content is None or not is_current(content):
            continue
        kept = first.setdefault(content, number)
        has_become = any(rows[one] != before.get(one) for one in (kept, number))
        if kept != number and has_become:
            unit.moved[article_id, number] = ((article_id, kept), None)
            del rows[number]


def _put_in_order(unit: Unit, article_id: str) -> None:
    """Recompute what a revision derives from earlier ones: since when the article is known, what it changes, and its novelty."""
    rows, before = unit.after[article_id], unit.before.get(article_id, {})
    first_seen = min((one.first_seen_at for one in rows.values()), default=None)
    for number in sorted(rows):
        row, old = rows[number], before.get(number)
        if first_seen is not None and row.first_seen_at != first_seen:
            row = replace(row, first_seen_at=first_seen)
        previous, old_previous = _previous(rows, number), _previous(before, number)
        if old is None or _content(row) != _content(old) or _content(previous) != _content(old_previous):
            row = replace(row, changes=_changes(previous, row))
        if old is None or _is_decided_anew(row, old) or (previous is None) != (old_previous is None):
            unit.redecided.add((article_id, number))
        rows[number] = row


def _previous(rows: Mapping[int, Article], number: int) -> Article | None:
    """Return the newest revision at the time of the given one's decision."""
    return newest_of({one: row for one, row in rows.items() if one < number})


def _content(row: Article | None) -> str | None:
    return row.content_digest if row else None


def _changes(previous: Article | None, row: Article) -> tuple[str, ...] | None:
    before, after = _content(previous), _content(row)
    if previous is not None and row.fetched_at < previous.fetched_at:  # an older page from an archive changes nothing
        return None
    if before is None or after is None or not (is_current(before) and is_current(after)):
        return None
    return changed_parts(before, after)


def _is_decided_anew(row: Article, old: Article) -> bool:
    names = ("text", "published_at", "host", "syndicated_from")
    return any(getattr(row, name) != getattr(old, name) for name in names)


def _move_captures(unit: Unit, reader: Reader) -> None:
    """Point the captures of removed revisions to another one, and those of restored revisions back to them."""
    returning = {
        one.capture_id: one
        for one in unit.homes.values()
        if (one.article_id, one.revision) in unit.back and one.capture_id not in unit.captures
    }
    gone = {article_id for article_id, _ in unit.moved}
    if not gone and not returning:
        return
    days = {one.day for one in returning.values()}
    since = min((row.dt for one in gone for row in unit.before[one].values()), default=None)
    for capture in reader.captures(articles=gone, ids=set(returning), days=days, since=since).values():
        if capture.capture_id in returning:
            _let_return(unit, capture, returning[capture.capture_id])
        elif capture.capture_id not in unit.captures and capture.revision is not None:
            _let_go(unit, capture)
        elif unit.captures.get(capture.capture_id) is not None:
            _follow(unit, unit.captures[capture.capture_id])


def _name_articles(unit: Unit) -> None:
    """Set the article of captures without a page to that of their URL, if there is one, as sweeps do."""
    for capture_id, one in unit.captures.items():
        home = unit.notes.get(capture_id) or unit.homes.get(capture_id)
        article_id = one.article_id or (home.article_id if home else None)
        if one.revision is None and article_id in unit.before:
            unit.captures[capture_id] = replace(one, article_id=article_id if unit.after.get(article_id) else None)


def _let_return(unit: Unit, capture: Capture, home: Note) -> None:
    shown = replace(capture, article_id=home.article_id, revision=home.revision, novelty=Novelty.UNCHANGED)
    if capture.outcome is not Outcome.NOT_MODIFIED:
        shown = replace(shown, outcome=Outcome.OK, reason=None)
    unit.captures[capture.capture_id] = shown
    unit.stored[capture.capture_id] = capture


def _let_go(unit: Unit, capture: Capture) -> None:
    number = (str(capture.article_id), capture.revision or 0)
    if number not in unit.moved:
        return
    unit.stored[capture.capture_id] = capture
    row = unit.before[number[0]].get(number[1])
    is_owner = row is not None and (row.warc_key, row.warc_offset) == (capture.warc_key, capture.warc_offset)
    unit.notes[capture.capture_id] = Note(
        capture_id=capture.capture_id,
        day=capture.dt,
        article_id=number[0],
        revision=number[1],
        position=row.change_seq if row is not None and is_owner else None,
        kept=kept_of(row) if row is not None and is_owner else None,
    )
    target, label = _target(unit, number)
    if target is not None:
        unit.captures[capture.capture_id] = replace(capture, revision=target[1], novelty=Novelty.UNCHANGED)
        return
    left = replace(capture, article_id=None, revision=None, novelty=None)
    if label is not None and capture.outcome is Outcome.OK:
        left = replace(left, outcome=label.outcome, reason=label.reason)
    unit.captures[capture.capture_id] = left


def _follow(unit: Unit, changed: Capture) -> None:
    """Point a capture of this unit to a revision that still exists."""
    number = (str(changed.article_id), changed.revision or 0)
    if number in unit.moved and (target := _target(unit, number)[0]) is not None:
        unit.captures[changed.capture_id] = replace(changed, revision=target[1], novelty=Novelty.UNCHANGED)


def _target(unit: Unit, number: Number) -> tuple[Number | None, Capture | None]:
    """Return the revision that captures of a removed one show instead: an equal one, else the last before it, else the first left."""
    target, label = unit.moved[number]
    article_id, revision = number
    if target is not None and target[1] in unit.after.get(article_id, {}):
        return target, label
    left = sorted(unit.after.get(article_id, {}))
    near = [one for one in left if one < revision] or left[:1]
    return ((article_id, near[-1]) if near else None), label


def _put(unit: Unit, row: Article) -> None:
    unit.after.setdefault(row.article_id, {})[row.revision] = row


def _note_home(unit: Unit, capture: Capture, row: Article) -> None:
    unit.notes[capture.capture_id] = Note(
        capture_id=capture.capture_id,
        day=capture.dt,
        article_id=row.article_id,
        revision=row.revision,
        position=row.change_seq,
        kept=kept_of(row),
    )


def days_of(rows: Iterable[Article]) -> set[date]:
    """Return the days of rows."""
    return {row.dt for row in rows}


def rows_of(revisions: Revisions, numbers: Collection[Number]) -> list[Article]:
    """Return the existing rows of these revisions."""
    return [rows[number] for one, number in sorted(numbers) if number in (rows := revisions.get(one, {}))]
