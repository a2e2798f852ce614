"""Publish the outbox into the lake: decided batches become Parquet files, and each table gets one commit.

Each step can be repeated: a file's key and bytes follow from its batch, and a commit that landed is not made again.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from deltalake import DeltaTable

from tasks.errors import TooManyUnexpected, UnexpectedError
from tasks.index import outbox
from tasks.index.database import Index
from tasks.lake.growing import grow_tables, open_grown
from tasks.lake.keys import ARTICLES, CAPTURES, POLICIES, parquet_key, quarantine_key
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.tables import DataFile, Row, commit_files, is_committed, parquet
from tasks.runtime.guarding import guarded_item
from tasks.store.unstorable import without_unstorable
from tasks.values.batch import OutboxItem
from tasks.values.rows import Capture, Outcome
from tasks.values.text.storable import storable_text

ITEMS_A_COMMIT = 20
PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What this call has added to the lake. `captures` and `articles` are rows."""

    batches: int
    captures: int
    articles: int
    quarantined: int


def publish(items: Sequence[OutboxItem], *, store: ObjectStore, index_id: str) -> PublishReport:
    """Put decided batches into the lake's tables, each once, even if called again.

    Articles come before captures, so that no capture names an article that readers cannot find. Raises LakeUnavailable,
    after which the same items can be passed again, DamagedTable and LakeFormatError. A row that Parquet refuses is left
    out, and gets a document.
    """
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
        _put_documents(item.batch_id, apart, store)
        kept.append(storable)
    if kept == list(items):
        raise TooManyUnexpected(f"publishing met an exception, and no row is to blame: {error.detail}") from error
    return kept


def _publish(items: Sequence[OutboxItem], *, store: ObjectStore, index_id: str) -> PublishReport:
    ordered = sorted(items, key=lambda item: item.sequence)
    if named := [item for item in ordered if item.policies]:  # first, so that no article names one that is not there
        _publish_table(POLICIES, named, store, index_id)
    articles, _ = _publish_table(ARTICLES, ordered, store, index_id)
    for item in ordered:
        _put_documents(item.batch_id, _quarantined(item), store)
    captures, fresh = _publish_table(CAPTURES, ordered, store, index_id)
    return PublishReport(
        batches=len(fresh),
        captures=captures,
        articles=articles,
        quarantined=sum(len(_quarantined(item)) for item in fresh),
    )


def publish_all(index: Index, store: ObjectStore) -> int:
    """Publish everything in the outbox, oldest first; returns how many rows the articles table gained."""
    gained, items = 0, _waiting(index)
    if not items:
        grow_tables(store)  # the first run of a newer version may have nothing to publish yet
    while items:
        publish(items, store=store, index_id=index.index_id)
        with index.write() as tx:
            outbox.clear(tx, (item.sequence for item in items))
        gained += sum(len(item.articles) for item in items)
        items = _waiting(index)
    return gained


def _waiting(index: Index) -> tuple[OutboxItem, ...]:
    with index.read() as tx:
        return outbox.pending(tx, limit=ITEMS_A_COMMIT)


def quarantine_document(capture: Capture, *, batch_id: str) -> bytes:
    """Return the document about a page that cannot be processed: its capture, as JSON; times are ISO 8601, UTC."""
    told = {name: storable_text(value) if isinstance(value, str) else value for name, value in asdict(capture).items()}
    return (json.dumps({"batch_id": batch_id, **told}, indent=2, default=datetime.isoformat) + "\n").encode()


def _publish_table(
    name: str, items: Sequence[OutboxItem], store: ObjectStore, app_id: str
) -> tuple[int, list[OutboxItem]]:
    """Commit the batches that the table lacks; returns how many rows and which batches were missing."""
    table = open_grown(store, name)
    fresh = [item for item in items if not _is_published(table, item, app_id)]
    # published files are not written again: another version of pyarrow makes bytes of another size than in the log
    files = [file for item in fresh for file in _put_rows(name, item, store)]
    landed = commit_files(table, files, app_id=app_id)
    return sum(file.rows for file in landed), fresh


def _is_published(table: DeltaTable, item: OutboxItem, app_id: str) -> bool:
    return is_committed(table, app_id=app_id, sequence=item.sequence, batch_id=item.batch_id)


def _put_rows(name: str, item: OutboxItem, store: ObjectStore) -> Iterable[DataFile]:
    """Write a batch's rows, one file a day, and yield the files."""
    days: defaultdict[date, list[Row]] = defaultdict(list)
    for row in _rows_of(name, item):
        days[row.dt].append(row)
    for day, rows in days.items():
        body = parquet(name, rows)
        store.put(parquet_key(name, day, item.batch_id, item.sequence), body, content_type=PARQUET)
        yield DataFile(
            batch_id=item.batch_id,
            sequence=item.sequence,
            day=day,
            size=len(body),
            rows=len(rows),
            last_at=max(row.fetched_at for row in rows),
        )


def _rows_of(name: str, item: OutboxItem) -> Sequence[Row]:
    rows: dict[str, Sequence[Row]] = {CAPTURES: item.captures, ARTICLES: item.articles, POLICIES: item.policies}
    return rows[name]


def _put_documents(batch_id: str, captures: Iterable[tuple[int, Capture]], store: ObjectStore) -> None:
    for n, capture in captures:
        body = quarantine_document(capture, batch_id=batch_id)
        store.put(quarantine_key(batch_id, n, capture.dt), body, content_type="application/json")


def _quarantined(item: OutboxItem) -> list[tuple[int, Capture]]:
    """Return the batch's captures in quarantine, each with its position in the batch."""
    return [(n, capture) for n, capture in enumerate(item.captures) if capture.outcome is Outcome.QUARANTINED]
