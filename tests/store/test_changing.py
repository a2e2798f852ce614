"""Publishing changes of rows from the outbox to the lake: each once, and no row refers to one that readers cannot find."""

from contextlib import suppress
from dataclasses import replace

import pytest

from tasks.errors import LakeUnavailable
from tasks.index.outbox import OutboxItem
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.removals import read_removals
from tasks.lake.tables import open_table
from tasks.store.publishing import publish
from tasks.values.changes import Removal, RowChanges, key_of
from tasks.values.rows import Outcome
from tests.dying import DyingStore
from tests.rows import make_article, make_capture

A, B, C = (make_article(article_id=name, title=name, change_seq=1) for name in "abc")
OF_A, OF_B, OF_C = (make_capture(capture_id=name, article_id=name, change_seq=1) for name in "abc")
GONE_DOCUMENT = "quarantine/dt=2026-03-01/b0-0.json"

STORED = OutboxItem(sequence=1, batch_id="b1", captures=(OF_A, OF_B, OF_C), articles=(A, B))
POISON = replace(OF_B, article_id=None, revision=None, outcome=Outcome.QUARANTINED, reason="extractor_crashed")
CHANGES = RowChanges(
    articles=(replace(A, title="new"), C),
    captures=(POISON,),
    gone_articles=(key_of(B),),
    gone_documents=(GONE_DOCUMENT,),
)
CHANGED = OutboxItem(sequence=2, batch_id="r2", captures=(), articles=(), changes=CHANGES.written_by(2))
LATER = OutboxItem(sequence=3, batch_id="b3", captures=(), articles=(make_article(article_id="d", title="d"),))
ITEMS = (STORED, CHANGED, LATER)


def held(store):
    articles, captures = (open_table(store, name).to_pyarrow_table().to_pylist() for name in (ARTICLES, CAPTURES))
    return (
        sorted((row["article_id"], row["title"], row["change_seq"]) for row in articles),
        sorted((row["capture_id"], row["article_id"], row["outcome"]) for row in captures),
        list(read_removals(store)),
        [one.key for one in store.list("quarantine/")],
    )


def expected():
    return (
        [("a", "new", 2), ("c", "c", 2), ("d", "d", None)],
        [("a", "a", "ok"), ("b", None, "quarantined"), ("c", "c", "ok")],
        [Removal(article_id="b", revision=1, change_seq=2)],
        ["quarantine/dt=2026-03-01/r2-0.json"],
    )


def test_changes_are_published_between_the_batches_around_them(object_store):
    object_store.put(GONE_DOCUMENT, b"{}")

    publish(ITEMS, store=object_store, index_id="i")

    assert held(object_store) == expected()


def test_publishing_changes_again_makes_no_commit(tmp_path):
    store = DirectoryStore(tmp_path)
    publish(ITEMS, store=store, index_id="i")
    versions = [open_table(store, name).version() for name in (ARTICLES, CAPTURES)]

    publish(ITEMS, store=store, index_id="i")

    assert held(store) == expected()
    assert [open_table(store, name).version() for name in (ARTICLES, CAPTURES)] == versions


class _Watched(DyingStore):
    """A store that also looks before each use whether a capture names an article that is not there."""

    def __init__(self, path, uses):
        super().__init__(path, uses)
        self.path, self.seen = path, []

    def _use(self):
        plain = DirectoryStore(self.path)
        tables = [open_table(plain, name).to_pyarrow_table().to_pylist() for name in (ARTICLES, CAPTURES)]
        there = {row["article_id"] for row in tables[0]}
        self.seen.append({row["article_id"] for row in tables[1]} - there - {None})
        super()._use()


@pytest.mark.parametrize("uses", [1, 4, 8, 13, 17, 22])
def test_a_publisher_killed_at_any_step_leaves_no_dangling_rows_and_is_completed(tmp_path, uses):
    plain = DirectoryStore(tmp_path)
    plain.put(GONE_DOCUMENT, b"{}")
    publish([replace(STORED, captures=(OF_A, OF_B))], store=plain, index_id="i")
    watched = _Watched(tmp_path, uses)
    with suppress(LakeUnavailable):
        publish(ITEMS, store=watched, index_id="i")

    publish([replace(STORED, captures=(OF_A, OF_B)), *ITEMS[1:]], store=plain, index_id="i")

    assert watched.seen == [set()] * len(watched.seen)
    assert held(plain)[0] == expected()[0]
    assert held(plain)[2:] == expected()[2:]
