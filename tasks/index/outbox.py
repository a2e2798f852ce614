"""The outbox: decisions that are committed in the index and not yet published in the lake.

The sequence number comes from a row that stays locked until the decision commits. So numbers grow in commit order: a
reader that sees 6 has also seen 5. The payload is compressed JSON and is read by column name: a column that is newer
than the batch is null.
"""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import accumulate
from typing import Any, TypeVar

import orjson
from isal import isal_zlib
from sqlalchemy import Connection, delete, func, insert, select, update

from tasks.errors import LakeFormatError
from tasks.index import clusters
from tasks.index.database import lock
from tasks.index.schema import batches, counters, outbox
from tasks.values.changes import NO_CHANGES, ArticleKey, CaptureKey, RowChanges
from tasks.values.columns import columns_of, revive
from tasks.values.rows import Article, Capture, Policy
from tasks.values.text.storable import storable_text

COUNTER = "outbox"
CHANGES = "changes"
MOST_REMEMBERED = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """A batch that is decided and not yet published. `sequence` grows in the order of decisions.

    A batch has either new `captures` and `articles` or `changes` of rows, never both.
    """

    sequence: int
    batch_id: str
    captures: tuple[Capture, ...]
    articles: tuple[Article, ...]
    policies: tuple[Policy, ...] = ()
    changes: RowChanges = NO_CHANGES


Content = dict[str, Any]
"""The rows of a batch, by field of `OutboxItem`."""


class _Remembered:
    """A small cache of the latest payloads' rows, each until it is read: this process need not parse what it wrote.

    The key includes the payload itself, so rows of another decision are never returned.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contents: OrderedDict[tuple[str, bytes], Content] = OrderedDict()

    def add(self, batch_id: str, payload: bytes, content: Content) -> None:
        """Cache a batch's rows; evict the oldest if too many were never read."""
        with self._lock:
            self._contents[batch_id, payload] = content
            while len(self._contents) > MOST_REMEMBERED:
                self._contents.popitem(last=False)

    def take(self, batch_id: str, payload: bytes) -> Content | None:
        """Return a payload's rows and remove them from the cache."""
        with self._lock:
            return self._contents.pop((batch_id, payload), None)


_remembered = _Remembered()


def decided_counts(tx: Connection, batch_id: str) -> dict[str, Any] | None:
    """Return the batch's counts if it is already decided, else None. This prevents a second decision."""
    counts = tx.execute(select(batches.c.counts).where(batches.c.batch_id == batch_id)).scalar()
    return None if counts is None else orjson.loads(counts)


def counts_of_runs(tx: Connection, run_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the counts of all batches that these runs decided."""
    query = select(batches.c.counts).where(batches.c.run_id.in_(list(run_ids))).order_by(batches.c.batch_id)
    return [orjson.loads(counts) for counts in tx.execute(query).scalars()]


def append(
    tx: Connection,
    *,
    batch_id: str,
    run_id: str,
    captures: Iterable[Capture],
    articles: Iterable[Article],
    counts: Mapping[str, Any],
    now: datetime,
    policies: Iterable[Policy] = (),
) -> int:
    """Add a decided batch to the outbox and record the decision; returns its sequence number."""
    content: Content = {
        "captures": tuple(map(_in_utc, captures)),
        "articles": tuple(map(_in_utc, articles)),
        "policies": tuple(map(_in_utc, policies)),
    }
    payload, is_whole = _packed(content)
    sequence = _append(tx, payload, batch_id=batch_id, run_id=run_id, counts=counts, now=now)
    if is_whole:
        _remembered.add(batch_id, payload, content)
    return sequence


def append_changes(
    tx: Connection,
    changes: RowChanges,
    *,
    batch_id: str,
    run_id: str,
    counts: Mapping[str, Any],
    now: datetime,
    changed_clusters: Iterable[str] = (),
) -> int:
    """Add row changes to the outbox and record the decision; returns its sequence number, which the rows will carry.

    Change the index earlier in the same transaction: then index and lake agree after the next publication, even after a
    crash. Marks the changed clusters, and clusters of rows that were read before a maintenance run updated them:
    publishing such a row restores an outdated state.
    """
    clusters.mark(tx, {*changed_clusters, *clusters.find_misplaced(tx, changes.articles)})
    content: Content = {"captures": [], "articles": [], CHANGES: changes}
    payload, _ = _packed(content)
    return _append(tx, payload, batch_id=batch_id, run_id=run_id, counts=counts, now=now)


def last_sequence(tx: Connection) -> int:
    """Return the sequence number of the last decision, 0 before the first."""
    return tx.execute(select(counters.c.value).where(counters.c.name == COUNTER)).scalar() or 0


def published_upto(tx: Connection) -> int:
    """Return the sequence number up to which all decisions are in the lake."""
    oldest = tx.execute(select(func.min(outbox.c.sequence))).scalar()
    return last_sequence(tx) if oldest is None else int(oldest) - 1


def hold(tx: Connection) -> None:
    """Block all other decisions until this transaction ends."""
    lock(tx, "outbox")


def pending(tx: Connection, *, limit: int, after: int = 0, max_size: int | None = None) -> tuple[OutboxItem, ...]:
    """Return the oldest unpublished batches after a sequence number, in order.

    Returns at least one batch, and otherwise at most `max_size` bytes of stored payload. Parsed, they take about 30
    times as much memory.
    """
    if max_size is not None:
        limit = _fitting(tx, limit=limit, after=after, max_size=max_size)
    query = select(outbox).where(outbox.c.sequence > after).order_by(outbox.c.sequence)
    rows = tx.execute(query.limit(limit)).mappings()
    return tuple(_item(row["sequence"], row["batch_id"], row["payload"]) for row in rows)


def _fitting(tx: Connection, *, limit: int, after: int, max_size: int) -> int:
    """Return how many batches fit into this many bytes, at least one."""
    sizes = select(func.length(outbox.c.payload)).where(outbox.c.sequence > after).order_by(outbox.c.sequence)
    so_far = accumulate(int(size) for size in tx.execute(sizes.limit(limit)).scalars())
    return max(1, sum(size <= max_size for size in so_far))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingBatch:
    """A batch in the outbox, without its rows."""

    sequence: int
    batch_id: str
    run_id: str | None
    created_at: datetime


def waiting(tx: Connection) -> tuple[WaitingBatch, ...]:
    """Return the batches in the outbox, in order."""
    query = (
        select(outbox.c.sequence, outbox.c.batch_id, outbox.c.created_at, batches.c.run_id)
        .outerjoin(batches, batches.c.batch_id == outbox.c.batch_id)
        .order_by(outbox.c.sequence)
    )
    return tuple(WaitingBatch(**row) for row in tx.execute(query).mappings())


def start_sequence_after(tx: Connection, sequence: int) -> None:
    """Start a new index's sequence numbers after this one."""
    tx.execute(insert(counters).values(name=COUNTER, value=sequence))


def clear(tx: Connection, sequences: Iterable[int]) -> None:
    """Remove published batches."""
    tx.execute(delete(outbox).where(outbox.c.sequence.in_(list(sequences))))


def prune(tx: Connection, *, before: datetime) -> int:
    """Delete the records of published batches that were decided before then; returns how many."""
    waiting = select(outbox.c.batch_id)
    return tx.execute(delete(batches).where(batches.c.decided_at < before, batches.c.batch_id.not_in(waiting))).rowcount


def _append(
    tx: Connection,
    payload: bytes,
    *,
    batch_id: str,
    run_id: str,
    counts: Mapping[str, Any],
    now: datetime,
) -> int:
    sequence = _next_sequence(tx)
    tx.execute(insert(outbox).values(sequence=sequence, batch_id=batch_id, created_at=now, payload=payload))
    tx.execute(
        insert(batches).values(batch_id=batch_id, run_id=run_id, decided_at=now, counts=orjson.dumps(counts).decode())
    )
    return sequence


def _in_utc(row: T) -> T:
    """Return a row with its times in UTC, as parsing would return them."""
    kind: type = type(row)
    found = ((name, getattr(row, name)) for name in _instants_of(kind))
    elsewhere = {name: value.astimezone(UTC) for name, value in found if value is not None and value.tzinfo is not UTC}
    return dataclasses.replace(row, **elsewhere) if elsewhere else row  # type: ignore[type-var]


@cache
def _instants_of(kind: type) -> tuple[str, ...]:
    return tuple(column.name for column in columns_of(kind) if column.type == "timestamp")


def _packed(content: Mapping[str, Any]) -> tuple[bytes, bool]:
    """Return a decision's payload, and whether it is stored without replacements."""
    try:
        return _compressed(_json_parts(content)), True
    except orjson.JSONEncodeError:  # JSON is UTF-8 and has no unpaired surrogates, but escapes in a page may
        return _compressed(_json_parts(_storable(content))), False


def _compressed(parts: Iterable[bytes]) -> bytes:
    """Return the parts compressed as one stream, without joining them first."""
    packer = isal_zlib.compressobj(1)
    return b"".join((*map(packer.compress, parts), packer.flush()))


def _json_parts(content: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield an object as JSON in parts, one per element of its lists."""
    for number, (name, value) in enumerate(content.items()):
        yield (b"," if number else b"{") + orjson.dumps(name) + b":"
        if isinstance(value, list | tuple):
            yield b"["
            for place, element in enumerate(value):
                yield (b"," if place else b"") + orjson.dumps(element)
            yield b"]"
        else:
            yield orjson.dumps(value)
    yield b"}"


def _storable(value: Any) -> Any:  # noqa: ANN401 - any JSON, and dataclasses
    """Return the value with U+FFFD for unpaired surrogates, as the lake stores it."""
    if isinstance(value, str):
        return storable_text(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _storable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value


def _next_sequence(tx: Connection) -> int:
    lock(tx, "outbox")
    raised = (
        update(counters)
        .where(counters.c.name == COUNTER)
        .values(value=counters.c.value + 1)
        .returning(counters.c.value)
    )
    sequence = tx.execute(raised).scalar()
    if sequence is None:
        tx.execute(insert(counters).values(name=COUNTER, value=1))
        return 1
    return int(sequence)


def _item(sequence: int, batch_id: str, payload: bytes) -> OutboxItem:
    content = _remembered.take(batch_id, payload) or _revived(batch_id, payload)
    # the sequence number is set on reading, so that batches from an older version have it too
    return OutboxItem(
        sequence=sequence,
        batch_id=batch_id,
        captures=tuple(row.written_by(sequence) for row in content["captures"]),
        articles=tuple(row.written_by(sequence) for row in content["articles"]),
        policies=content["policies"],
        changes=content.get(CHANGES, NO_CHANGES).written_by(sequence),
    )


def _revived(batch_id: str, payload: bytes) -> Content:
    content = orjson.loads(_unpacked(payload))
    return {
        "captures": [_revive(Capture, row, batch_id) for row in content["captures"]],
        "articles": [_revive(Article, row, batch_id) for row in content["articles"]],
        "policies": tuple(_revive(Policy, row, batch_id) for row in content.get("policies", ())),
        CHANGES: _changes(content.get(CHANGES), batch_id),
    }


def _unpacked(payload: bytes) -> bytes:
    try:
        return isal_zlib.decompress(payload)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
        raise ValueError(f"a damaged payload: {error}") from error


def _changes(content: Mapping[str, Any] | None, batch_id: str) -> RowChanges:
    if content is None:
        return NO_CHANGES
    return RowChanges(
        articles=tuple(_revive(Article, row, batch_id) for row in content["articles"]),
        captures=tuple(_revive(Capture, row, batch_id) for row in content["captures"]),
        gone_articles=tuple(_revive_key(ArticleKey, key) for key in content["gone_articles"]),
        gone_captures=tuple(_revive_key(CaptureKey, key) for key in content["gone_captures"]),
        gone_documents=tuple(content["gone_documents"]),
    )


def _revive_key(kind: Callable[..., T], key: Mapping[str, Any]) -> T:
    return kind(**{**key, "dt": date.fromisoformat(key["dt"])})


def _revive(kind: type[T], row: Mapping[str, Any], batch_id: str) -> T:
    unknown = row.keys() - {column.name for column in columns_of(kind)}
    if unknown:  # publishing the batch without this column would lose its values
        raise LakeFormatError(
            f"batch {batch_id} in the outbox has a column {min(unknown)}, which this version does not know: upgrade Presslake"
        )
    return revive(kind, row)
