"""Publish changes of rows, in an order in which no row ever refers to one that readers cannot find.

Removals are written to `removals` first, so that a reader that finds a sequence in `articles` has seen all removals
before it. New and replaced rows of `articles` come next, then `captures`, then the rows removed from `articles`. Each
step happens exactly once despite kills, in the order of the outbox.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tasks.index.outbox import OutboxItem
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.removals import add_removals
from tasks.lake.replacing import TableChange, replace_rows
from tasks.store.documents import put_documents
from tasks.values.changes import ArticleKey, Removal, key_of
from tasks.values.rows import Outcome


def publish_changes(items: Sequence[OutboxItem], *, store: ObjectStore, index_id: str, now: datetime) -> None:
    """Change rows of the lake as these items say; idempotent. Raises LakeUnavailable."""
    gone = list(_gone(items))
    for one, change in zip(items, gone, strict=True):
        rows = [
            Removal(article_id=key.article_id, revision=key.revision, change_seq=one.sequence)
            for key in change.gone
            if isinstance(key, ArticleKey)
        ]
        add_removals(store, rows, batch_id=one.batch_id, sequence=one.sequence, app_id=index_id, now=now)
    put = [TableChange(name=one.batch_id, sequence=one.sequence, rows=one.changes.articles) for one in items]
    replace_rows(store, ARTICLES, put, app_id=index_id, now=now)
    for one in items:
        quarantined = (pair for pair in enumerate(one.changes.captures) if pair[1].outcome is Outcome.QUARANTINED)
        put_documents(one.batch_id, quarantined, store)
    replace_rows(store, CAPTURES, [_of_captures(one) for one in items], app_id=index_id, now=now)
    replace_rows(store, ARTICLES, gone, app_id=f"{index_id}.gone", now=now)
    for one in items:
        for document in one.changes.gone_documents:
            store.delete(document)


def _of_captures(item: OutboxItem) -> TableChange:
    changes = item.changes
    return TableChange(name=item.batch_id, sequence=item.sequence, rows=changes.captures, gone=changes.gone_captures)


def _gone(items: Sequence[OutboxItem]) -> Iterator[TableChange]:
    """Yield the rows to remove from `articles`, without those that a later item adds again."""
    for number, one in enumerate(items):
        again = {key_of(row) for later in items[number + 1 :] for row in later.changes.articles}
        gone = tuple(key for key in one.changes.gone_articles if key not in again)
        yield TableChange(name=one.batch_id, sequence=one.sequence, gone=gone)
