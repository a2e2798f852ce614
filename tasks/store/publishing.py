"""Publish the outbox into the lake: decided batches become Parquet files, and each table gets one commit.

Every step is idempotent: a file's key and bytes are derived from its batch, and a landed commit is not repeated.
Batches that change rows are in the same outbox and are published in its order (tasks/store/changing.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from operator import attrgetter

from tasks.errors import TooManyUnexpected, UnexpectedError
from tasks.index import outbox
from tasks.index.database import Index
from tasks.index.outbox import OutboxItem
from tasks.lake.growing import add_missing_columns, open_for_writing
from tasks.lake.keys import ARTICLES, CAPTURES, POLICIES, parquet_key
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.tables import DataFile, StoredRow, commit_files, is_committed, parquet
from tasks.runtime.guarding import guarded_item
from tasks.store.changing import publish_changes
from tasks.store.documents import put_documents
from tasks.store.unstorable import without_unstorable
from tasks.values.rows import Capture, Outcome

ITEMS_A_COMMIT = 20
MAX_ITEMS_SIZE = 2_000_000
"""The most bytes of batches, as stored in the outbox, per commit, since they are read together."""

PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What one call added to the lake; `captures` and `articles` are numbers of rows."""

    batches: int
    captures: int
    articles: int
    quarantined: int

    def __add__(self, other: "PublishReport") -> "PublishReport":
        return PublishReport(
            batches=self.batches + other.batches,
            captures=self.captures + other.captures,
            articles=self.articles + other.articles,
            quarantined=self.quarantined + other.quarantined,
        )


def publish(items: Sequence[OutboxItem], *, store: ObjectStore, index_id: str) -> PublishReport:
    """Publish decided batches to the lake's tables; idempotent.

    Articles come before captures, so that no capture names an article that readers cannot find. Raises LakeUnavailable,
    after which the same items can be passed again, DamagedTable and LakeFormatError. A row that Parquet refuses is left
    out and gets a quarantine document.
    """
    done = PublishReport(batches=0, captures=0, articles=0, quarantined=0)
    ordered = sorted(items, key=attrgetter("sequence"))
    for has_rows, several in groupby(ordered, key=attrgetter("changes.is_empty")):
        if has_rows:
            done += _publish_rows(tuple(several), store=store, index_id=index_id)
        else:
            publish_changes(tuple(several), store=store, index_id=index_id, now=datetime.now(UTC))
    if not ordered:
        return _publish((), store=store, index_id=index_id)
    return done


def _publish_rows(items: Sequence[OutboxItem], *, store: ObjectStore, index_id: str) -> PublishReport:
    try:
        with guarded_item(f"{len(items)} batches"):
            return _publish(items, store=store, index_id=index_id)
    except UnexpectedError as error:
        return _publish(_storable(items, error, store), store=store, index_id=index_id)


def _storable(items: Sequence[OutboxItem], error: UnexpectedError, store: ObjectStore) -> list[OutboxItem]:
    """Return the batches without the rows that prevent the publication; raises TooManyUnexpected if no row does."""
    kept = []
    for item in items:
        storable, apart = without_unstorable(item)
        put_documents(item.batch_id, apart, store)
        kept.append(storable)
    if kept == list(items):
        raise TooManyUnexpected(
            f"publishing failed with an exception not caused by a single row: {error.detail}"
        ) from error
    return kept


def _publish(items: Sequence[OutboxItem], *, store: ObjectStore, index_id: str) -> PublishReport:
    if named := [item for item in items if item.policies]:  # policies first, so that no article names a missing one
        _publish_table(POLICIES, named, store, index_id)
    articles, _ = _publish_table(ARTICLES, items, store, index_id)
    quarantined = {item.batch_id: _quarantined(item.captures) for item in items}
    for batch_id, pages in quarantined.items():
        put_documents(batch_id, pages, store)
    captures, fresh = _publish_table(CAPTURES, items, store, index_id)
    return PublishReport(
        batches=len(fresh),
        captures=captures,
        articles=articles,
        quarantined=sum(len(quarantined[item.batch_id]) for item in fresh),
    )


def publish_all(index: Index, store: ObjectStore) -> int:
    """Publish everything in the outbox, oldest first; returns how many rows the articles table gained."""
    gained, items = 0, _waiting(index)
    if not items:
        add_missing_columns(store)  # needed even if a newer version's first run has nothing to publish
    while items:
        publish(items, store=store, index_id=index.index_id)
        with index.write() as tx:
            outbox.clear(tx, (item.sequence for item in items))
        gained += sum(len(item.articles) for item in items)
        items = _waiting(index)
    return gained


def _waiting(index: Index) -> tuple[OutboxItem, ...]:
    with index.read() as tx:
        return outbox.pending(tx, limit=ITEMS_A_COMMIT, max_size=MAX_ITEMS_SIZE)


def _publish_table(
    name: str, items: Sequence[OutboxItem], store: ObjectStore, app_id: str
) -> tuple[int, list[OutboxItem]]:
    """Commit the batches that the table lacks; returns how many rows and which batches were missing."""
    table = open_for_writing(store, name)
    fresh = [
        item for item in items if not is_committed(table, app_id=app_id, sequence=item.sequence, batch_id=item.batch_id)
    ]
    # published files are not written again: another pyarrow version might give a size that differs from the log's
    rows_of = attrgetter(name)  # the fields of an outbox item are named like the tables
    files = [file for item in fresh for file in _put_rows(name, rows_of(item), item.batch_id, item.sequence, store)]
    landed = commit_files(table, files, app_id=app_id)
    return sum(file.rows for file in landed), fresh


def _put_rows(
    name: str, rows: Iterable[StoredRow], batch_id: str, sequence: int, store: ObjectStore
) -> Iterable[DataFile]:
    """Write a batch's rows, one file per day, and yield the files."""
    days: defaultdict[date, list[StoredRow]] = defaultdict(list)
    for row in rows:
        days[row.dt].append(row)
    for day, together in days.items():
        body = parquet(name, together)
        store.put(parquet_key(name, day, batch_id, sequence), body, content_type=PARQUET)
        yield DataFile(
            batch_id=batch_id,
            sequence=sequence,
            day=day,
            size=len(body),
            rows=len(together),
            last_at=max(row.fetched_at for row in together),
        )


def _quarantined(captures: Sequence[Capture]) -> list[tuple[int, Capture]]:
    """Return a batch's captures in quarantine, each with its position in the batch."""
    return [(n, capture) for n, capture in enumerate(captures) if capture.outcome is Outcome.QUARANTINED]
