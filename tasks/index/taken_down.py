"""Copy of the takedowns' digests, so that a decision checks them in its own transaction. The lake is authoritative."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from tasks.index.database import Index, lock, share
from tasks.index.schema import taken_down
from tasks.values.takedown import NOTHING, KeptOut, Takedown

_HELD = select(taken_down.c.takedown_id, taken_down.c.digest)


def read_kept_out(tx: Connection, *, is_deciding: bool = True) -> KeptOut:
    """Return what takedowns exclude: usually nothing, otherwise a few digests.

    With `is_deciding`, no takedown can begin until this transaction ends. So a takedown finds in the outbox whatever
    was decided without it.
    """
    if is_deciding:
        share(tx, "taken_down")
    digests = tx.execute(select(taken_down.c.digest)).scalars().all()
    return KeptOut.of(digests) if digests else NOTHING


def agree(index: Index, takedowns: Sequence[Takedown]) -> None:
    """Apply the given takedowns: add digests of active ones, delete those of undone ones. Others stay as they are."""
    wanted = {
        (takedown.takedown_id, digest)
        for takedown in takedowns
        if takedown.undone_at is None
        for digest in takedown.key_digests
    }
    undone = [takedown.takedown_id for takedown in takedowns if takedown.undone_at is not None]
    with index.read() as tx:
        stored = set(tx.execute(_HELD).tuples().all())
    if wanted <= stored and not any(takedown_id in undone for takedown_id, _ in stored):
        return  # a write would wait for other writers, and every run calls this
    with index.write() as tx:
        lock(tx, "taken_down")
        tx.execute(delete(taken_down).where(taken_down.c.takedown_id.in_(undone)))
        stored = set(tx.execute(_HELD).tuples().all())
        if new := sorted(wanted - stored):
            rows = [{"takedown_id": takedown_id, "digest": digest} for takedown_id, digest in new]
            tx.execute(taken_down.insert(), rows)
