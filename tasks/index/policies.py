"""The documents in the lake in which sites state what may be done with their pages."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, FromClause, and_, bindparam, select, text, update

from tasks.index.schema import batches, frontier, policies
from tasks.index.statements import in_chunks, insert_into
from tasks.values.rights import FORM_LENGTH
from tasks.values.rows import Policy
from tasks.values.url import host_of

CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPolicy:
    """A document as the index knows it. `told_at`: the `last_seen_at` that its row in the lake shows."""

    policy_id: str
    origin: str
    kind: str
    url: str
    status: int
    body_digest: str
    observed_at: datetime
    last_seen_at: datetime
    told_at: datetime
    warc_key: str
    warc_offset: int
    warc_length: int


def known_ids(tx: Connection, wanted: Collection[str]) -> set[str]:
    """Return those of these documents that are in the lake or in the outbox."""
    found: set[str] = set()
    for part in in_chunks(sorted(wanted), CHUNK):
        found.update(tx.execute(select(policies.c.policy_id).where(policies.c.policy_id.in_(part))).scalars())
    return found


def remember(tx: Connection, rows: Iterable[Policy]) -> tuple[Policy, ...]:
    """Add documents; returns the new ones, because two batches may find the same document at the same time."""
    known = {
        row.policy_id: row for row in sorted(rows, key=lambda policy: policy.policy_id)
    }  # so that two writers lock in one order
    if not known:
        return ()
    values = [{name: getattr(row, name) for name in _SHARED} | {"told_at": row.last_seen_at} for row in known.values()]
    insert = insert_into(tx, policies).on_conflict_do_nothing().returning(policies.c.policy_id)
    added = set(tx.execute(insert, values).scalars())
    return tuple(row for policy_id, row in known.items() if policy_id in added)


def known_forms(tx: Connection, policy_ids: Iterable[str]) -> set[str]:
    """Return the forms of those documents whose content is in the lake or in the outbox, possibly from another turn."""
    forms = sorted({one[:FORM_LENGTH] for one in policy_ids})
    if not forms:
        return set()
    if tx.dialect.name == "sqlite":
        return set(tx.execute(_OF_JSON, {"forms": orjson.dumps(forms).decode()}).scalars())
    return set(tx.execute(_OF_ARRAY, {"forms": forms}).scalars())


def seen_after(tx: Connection, policy_id: str) -> str | None:
    """Return the most recently seen document at this one's URL if its content differs, else None."""
    same = policies.alias()
    is_there = (
        select(same.c.policy_id)
        .where(_has_form_of(policy_id, same), *(same.c[name] == policies.c[name] for name in ("origin", "kind", "url")))
        .exists()
    )
    last: str | None = tx.execute(
        select(policies.c.policy_id).where(is_there).order_by(policies.c.last_seen_at.desc()).limit(1)
    ).scalar()
    return None if last is None or last[:FORM_LENGTH] == policy_id[:FORM_LENGTH] else last


def _has_form_of(policy_id: str, table: FromClause = policies) -> ColumnElement[bool]:
    """Return the condition on documents with this one's content: a range that the primary key serves."""
    form = policy_id[:FORM_LENGTH]
    return and_(table.c.policy_id >= form, table.c.policy_id < _beyond(form))


def _beyond(form: str) -> str:
    """Return a string above all ids that start with this form; ids are hexadecimal."""
    return f"{form}g"


def meet(tx: Connection, seen: Mapping[str, datetime]) -> set[str]:
    """Record when documents were seen; returns those that are in the lake or in the outbox."""
    see(tx, seen)
    return known_ids(tx, seen.keys())


def see(tx: Connection, seen: Mapping[str, datetime]) -> None:
    """Record when known documents were seen unchanged; ignores unknown ones."""
    if seen:
        tx.execute(_SEEN, [{"which": policy_id, "at": at} for policy_id, at in sorted(seen.items())])


def unreported(tx: Connection) -> dict[str, datetime]:
    """Return documents seen on a later day than their rows in the lake show, with that time."""
    rows = tx.execute(select(policies.c.policy_id, policies.c.last_seen_at, policies.c.told_at))
    return {row.policy_id: row.last_seen_at for row in rows if row.last_seen_at.date() > row.told_at.date()}


def note_reported(tx: Connection, reported: Mapping[str, datetime]) -> None:
    """Record what the rows of the lake show now."""
    if reported:
        which = update(policies).where(policies.c.policy_id == bindparam("which")).values(told_at=bindparam("at"))
        tx.execute(which, [{"which": policy_id, "at": at} for policy_id, at in sorted(reported.items())])


def scan(tx: Connection) -> Iterator[KnownPolicy]:
    """Yield all documents."""
    for row in tx.execute(select(policies).order_by(policies.c.policy_id)).mappings():
        yield KnownPolicy(**row)


def forget(tx: Connection, policy_ids: Sequence[str]) -> None:
    """Remove documents, so that each is recorded again when it is next seen."""
    for part in in_chunks(list(policy_ids), CHUNK):
        tx.execute(policies.delete().where(policies.c.policy_id.in_(part)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """A document that replaced another at its URL. `source_id` is a source with URLs at its origin."""

    source_id: str
    origin: str
    kind: str
    url: str
    before_id: str
    policy_id: str
    observed_at: datetime


def changed_by(tx: Connection, run_ids: Iterable[str], *, since: datetime) -> tuple[PolicyChange, ...]:
    """Return the documents that these runs' batches saw first and that replaced earlier ones."""
    theirs = set(tx.execute(select(batches.c.batch_id).where(batches.c.run_id.in_(sorted(run_ids)))).scalars())
    recent = tx.execute(_SUCCESSORS.where(policies.c.observed_at >= since)).all()
    # a segment's name is its batch's
    new = [row for row in recent if row.warc_key.rpartition("/")[2].partition(".")[0] in theirs]
    earlier = _at_origins(tx, {row.origin for row in new})
    found = []
    for row in new:
        before = [
            policy
            for policy in earlier.get((row.origin, row.kind, row.url), ())
            if policy.observed_at < row.observed_at
        ]
        if before:
            shared = {name: getattr(row, name) for name in ("origin", "kind", "url", "policy_id", "observed_at")}
            newest = max(before, key=lambda policy: policy.last_seen_at)
            found.append(PolicyChange(source_id=_source_at(tx, row.origin), before_id=newest.policy_id, **shared))
    return tuple(found)


def _at_origins(tx: Connection, origins: Collection[str]) -> dict[tuple[str, str, str], list[Any]]:
    """Return all documents ever seen at these origins, by (origin, kind, URL)."""
    found: dict[tuple[str, str, str], list[Any]] = {}
    for part in in_chunks(sorted(origins), CHUNK):
        columns = (policies.c.origin, policies.c.kind, policies.c.url, policies.c.policy_id)
        times = (policies.c.observed_at, policies.c.last_seen_at)
        for row in tx.execute(select(*columns, *times).where(policies.c.origin.in_(part))):
            found.setdefault((row.origin, row.kind, row.url), []).append(row)
    return found


def _source_at(tx: Connection, origin: str) -> str:
    query = select(frontier.c.source_id).where(frontier.c.host == host_of(origin)).order_by(frontier.c.source_id)
    return tx.execute(query.limit(1)).scalar() or ""


_before = policies.alias()
_SUCCESSORS = (
    select(policies)
    .where(
        select(_before.c.policy_id)
        .where(*(_before.c[name] == policies.c[name] for name in ("origin", "kind", "url")))
        .where(_before.c.observed_at < policies.c.observed_at)
        .exists()
    )
    .order_by(policies.c.policy_id)
)
"""The documents that are not the first at their URL. They are few, and each is looked up by its origin."""

_SEEN = (
    update(policies)
    .where(policies.c.policy_id == bindparam("which"), policies.c.last_seen_at < bindparam("at"))
    .values(last_seen_at=bindparam("at"))
)
# ranges as in `_has_form_of`, which the primary key answers, for all forms at once
_OF_JSON = text("""
SELECT one.value FROM json_each(:forms) AS one
WHERE EXISTS (SELECT 1 FROM policies WHERE policy_id >= one.value AND policy_id < one.value || 'g')
""")
_OF_ARRAY = text("""
SELECT one.form FROM unnest(CAST(:forms AS text[])) AS one(form)
WHERE EXISTS (SELECT 1 FROM policies WHERE policy_id >= one.form AND policy_id < one.form || 'g')
""")
_SHARED = tuple(one.name for one in fields(KnownPolicy) if one.name in {field.name for field in fields(Policy)})
