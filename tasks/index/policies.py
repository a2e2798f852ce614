"""The documents in the lake by which sites say what may be done with their pages."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from tasks.index.schema import policies
from tasks.index.upsert import insert_into
from tasks.values.chunks import in_chunks
from tasks.values.rows import Policy

CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPolicy:
    """A document as the index has it; `told_at` is the `last_seen_at` of its row in the lake."""

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
    """Return those of the documents that are in the lake, or on their way."""
    found: set[str] = set()
    for part in in_chunks(sorted(wanted), CHUNK):
        found.update(tx.execute(select(policies.c.policy_id).where(policies.c.policy_id.in_(part))).scalars())
    return found


def remember(tx: Connection, rows: Iterable[Policy]) -> tuple[Policy, ...]:
    """Add documents; returns those that were new, since two batches may have met the same one at once."""
    added = []
    for row in sorted(rows, key=lambda one: one.policy_id):  # in one order, so that two writers lock in one
        values = {name: getattr(row, name) for name in _SHARED} | {"told_at": row.last_seen_at}
        insert = insert_into(tx, policies).values(values).on_conflict_do_nothing().returning(policies.c.policy_id)
        if tx.execute(insert).scalar() is not None:
            added.append(row)
    return tuple(added)


def meet(tx: Connection, seen: Mapping[str, datetime]) -> set[str]:
    """Note when documents were seen, and return those that are in the lake, or on their way."""
    see(tx, seen)
    return known_ids(tx, seen.keys())


def see(tx: Connection, seen: Mapping[str, datetime]) -> None:
    """Note when documents were seen unchanged; those that are not in the lake yet are passed over."""
    for policy_id, at in sorted(seen.items()):
        is_it = (policies.c.policy_id == policy_id) & (policies.c.last_seen_at < at)
        tx.execute(update(policies).where(is_it).values(last_seen_at=at))


def unreported(tx: Connection) -> dict[str, datetime]:
    """Return the documents that were seen on a later day than their rows say, and when."""
    held = tx.execute(select(policies.c.policy_id, policies.c.last_seen_at, policies.c.told_at))
    return {row.policy_id: row.last_seen_at for row in held if row.last_seen_at.date() > row.told_at.date()}


def note_reported(tx: Connection, reported: Mapping[str, datetime]) -> None:
    """Note what the rows of the lake say by now."""
    if reported:
        which = update(policies).where(policies.c.policy_id == bindparam("which")).values(told_at=bindparam("at"))
        tx.execute(which, [{"which": one, "at": at} for one, at in sorted(reported.items())])


def scan(tx: Connection) -> Iterator[KnownPolicy]:
    """Yield every document."""
    for row in tx.execute(select(policies).order_by(policies.c.policy_id)).mappings():
        yield KnownPolicy(**row)


def forget(tx: Connection, policy_ids: Sequence[str]) -> None:
    """Remove documents, so that the next sight of each records it again."""
    for part in in_chunks(list(policy_ids), CHUNK):
        tx.execute(policies.delete().where(policies.c.policy_id.in_(part)))


def earlier(tx: Connection, *, origin: str, kind: str, before: datetime) -> str | None:
    """Return the document of a kind that an origin had last before an instant, if it had one."""
    query = (
        select(policies.c.policy_id)
        .where(policies.c.origin == origin, policies.c.kind == kind, policies.c.observed_at < before)
        .order_by(policies.c.last_seen_at.desc(), policies.c.observed_at.desc())
    )
    found: str | None = tx.execute(query.limit(1)).scalar()
    return found


def count(tx: Connection) -> int:
    """Return how many documents are known."""
    return int(tx.execute(select(func.count()).select_from(policies)).scalar_one())


_SHARED = tuple(one.name for one in fields(KnownPolicy) if one.name in {field.name for field in fields(Policy)})
