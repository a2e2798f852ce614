"""Set aside what repairs remove, and restore it: `verify --mend` deletes nothing (ADR 0016).

A repair writes its plan before it acts. An object is copied below `set-aside/<verify_id>/` before it is removed. Rows
of the index that a transaction changes are written there, as before and after the change, before it commits.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import orjson

from tasks.errors import ConfigError
from tasks.index.database import Index, Transaction
from tasks.index.recording import ChangedRow, History, histories, recorded, take_back
from tasks.lake.keys import SET_ASIDE, changed_rows_key, changed_rows_prefix, plan_key, set_aside_prefix
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.verify.fault import SetAside

JSON = "application/json"
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One planned repair: the fault, its key, what is done, and where an object goes."""

    fault: str
    key: str
    place: str
    action: str
    moves_to: str | None = None


@dataclass(slots=True, kw_only=True)
class Journal:
    """The plan and the changes of a repair run, written before they are made; `verify_id` names it."""

    store: ObjectStore
    index: Index
    verify_id: str
    steps: list[Step] = field(default_factory=list)
    transactions: int = 0

    def plan(self, steps: Iterable[Step]) -> None:
        """Add these steps to the written plan."""
        planned, self.steps = len(self.steps), list(dict.fromkeys((*self.steps, *steps)))
        if len(self.steps) > planned:
            plan = {"verify_id": self.verify_id, "steps": [asdict(step) for step in self.steps]}
            self.store.put(plan_key(self.verify_id), orjson.dumps(plan, option=orjson.OPT_INDENT_2), content_type=JSON)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction of the index whose changes are recorded in the lake before it commits."""
        with self.index.write() as tx, recorded(tx) as recording:
            yield tx
            if changes := [asdict(one) for one in recording.changes()]:
                self.transactions += 1
                key = changed_rows_key(self.verify_id, self.transactions)
                self.store.put(key, orjson.dumps(changes), content_type=JSON)

    def set_aside(self, key: str) -> bool:
        """Set an object aside; False if it is missing."""
        try:
            body = self.store.get(key)
        except MissingObject:
            return False
        # copy first: a kill in between leaves two copies, never none
        self.store.put(set_aside_prefix(self.verify_id) + key, body)
        self.store.delete(key)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoReport:
    """The result of an undo: what was restored, and what was not because something newer is in its place."""

    verify_id: str
    objects_restored: int
    rows_restored: int
    objects_kept: tuple[str, ...]
    rows_kept: tuple[str, ...]


def new_verify_id(now: datetime, random_id: str) -> str:
    """Return the name of a verification; names sort by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{random_id[:8]}"


def list_set_asides(store: ObjectStore) -> list[SetAside]:
    """Return what repairs have set aside, the oldest first."""
    found: dict[str, SetAside] = {}
    for one in store.list(SET_ASIDE):
        verify_id, _, rest = one.key.removeprefix(SET_ASIDE).partition("/")
        held = found.get(verify_id)
        is_object = rest.startswith("objects/")
        found[verify_id] = SetAside(
            verify_id=verify_id,
            made_at=max(one.modified_at, held.made_at) if held else one.modified_at,
            objects=(held.objects if held else 0) + is_object,
            size=(held.size if held else 0) + one.size * is_object,
        )
    return [found[verify_id] for verify_id in sorted(found)]


def prune_set_asides(store: ObjectStore, *, before: datetime, is_dry_run: bool) -> int:
    """Delete what was set aside before an instant; returns how many objects."""
    old = {one.verify_id for one in list_set_asides(store) if one.made_at < before}
    keys = [found.key for verify_id in sorted(old) for found in store.list(f"{SET_ASIDE}{verify_id}/")]
    for key in () if is_dry_run else keys:
        store.delete(key)
    return len(keys)


def undo(*, index: Index, store: ObjectStore, verify_id: str, on_step: Callable[[str, int, int], None]) -> UndoReport:
    """Restore what a repair removed or changed, unless something newer is in its place; idempotent.

    Raises ConfigError if nothing of that name is set aside, LakeUnavailable, IndexUnavailable.
    """
    if not any(one.verify_id == verify_id for one in list_set_asides(store)):
        raise ConfigError(f"nothing is set aside as {verify_id!r}: `presslake verify` lists the ids")
    keys = [one.key for one in store.list(changed_rows_prefix(verify_id))]
    rows = histories(ChangedRow(**row) for key in keys for row in orjson.loads(store.get(key)))
    count, kept = 0, list[History]()
    for start in range(0, len(rows), ROWS_AT_ONCE):
        on_step("rows of the index", start, len(rows))
        with index.write() as tx:
            restored, newer = take_back(tx, rows[start : start + ROWS_AT_ONCE])
        count += restored
        kept += newer
    objects, standing = _put_back(store, set_aside_prefix(verify_id))
    return UndoReport(
        verify_id=verify_id,
        objects_restored=objects,
        rows_restored=count,
        objects_kept=tuple(standing),
        rows_kept=tuple(one.name for one in kept),
    )


def _put_back(store: ObjectStore, prefix: str) -> tuple[int, list[str]]:
    """Move the objects back; returns how many, and the keys that have another object."""
    count, standing = 0, []
    for aside in [one.key for one in store.list(prefix)]:
        key, body = aside.removeprefix(prefix), store.get(aside)
        # equal bytes: an earlier undo was killed between its put and its delete
        if store.put_new(key, body) or store.get(key) == body:
            store.delete(aside)
            count += 1
        else:
            standing.append(key)
    return count, standing
