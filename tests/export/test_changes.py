"""A consumer that asks for changes since its last sequence sees each once, despite writes, packing and vacuum."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tasks.export.changes import read_changes
from tasks.index.outbox import OutboxItem
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.store.publishing import publish
from tasks.values.changes import RowChanges, key_of_article
from tests.engine import Presslake
from tests.lakes import Lake
from tests.rows import make_article, make_item

A, B, C = (make_article(article_id=name, title=name) for name in "abc")


@pytest.fixture
def lake(tmp_path):
    """Two articles of the first batch, one of the second; the third change supersedes one, the fourth removes one."""
    lake = Lake(tmp_path)
    lake.publish({"article_id": "a", "title": "a"}, {"article_id": "b", "title": "b"})
    lake.publish({"article_id": "c", "title": "c"})
    lake.change([replace(A, title="new")])
    lake.change(gone=[B])
    return lake


def changes_since(lake, since):
    found = read_changes(lake.store, since=since)
    return [(one.change_seq, one.kind.value, one.article_id, one.row and one.row.title) for one in found], found.upto


@pytest.mark.parametrize(
    ("since", "changes"),
    [
        (0, [(2, "added", "c", "c"), (3, "added", "a", "new"), (4, "removed", "b", None)]),
        (1, [(2, "added", "c", "c"), (3, "superseded", "a", "new"), (4, "removed", "b", None)]),
        (2, [(3, "superseded", "a", "new"), (4, "removed", "b", None)]),
        (3, [(4, "removed", "b", None)]),
    ],
)
def test_changes_since_a_sequence_are_returned(lake, since, changes):
    assert changes_since(lake, since) == (changes, 4)


def test_there_are_no_changes_since_the_last_sequence(lake):
    assert changes_since(lake, 4) == ([], 4)
    assert changes_since(lake, 9) == ([], 9)


def test_a_lake_in_s3_gives_the_same_changes(object_store):
    publish(
        [replace(make_item(n), articles=make_item(n, change_seq=n).articles) for n in (1, 2)],
        store=object_store,
        index_id="i",
    )

    found = read_changes(object_store, since=1)

    assert ([(one.change_seq, one.article_id) for one in found], found.upto) == ([(2, "b2-0"), (2, "b2-1")], 2)


def test_packing_and_vacuum_do_not_affect_changes(lake):
    before = changes_since(lake, 1)
    lake.rewrite()
    table = DeltaTable(str(Path(lake.store.uri) / "articles"))
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)

    assert changes_since(lake, 1) == before


def test_only_files_with_newer_rows_are_read(lake, monkeypatch):
    lake.rewrite()
    lake.publish({"article_id": "d", "title": "d"})
    whole = []
    monkeypatch.setattr(lake.store, "get", lambda key: whole.append(key) or DirectoryStore.get(lake.store, key))

    assert changes_since(lake, 4)[0] == [(5, "added", "d", "d")]
    assert {key.rpartition("/")[2] for key in whole if key.startswith("articles/dt=")} == {"b5-5.parquet"}


def test_rows_without_a_sequence_are_returned_since_0(tmp_path):
    lake = Lake(tmp_path)
    publish([OutboxItem(sequence=1, batch_id="b1", captures=(), articles=(A,))], store=lake.store, index_id="i")

    assert changes_since(lake, 0) == ([(0, "added", "a", "a")], 0)
    assert changes_since(lake, 1) == ([], 1)
    lake._sequence = 1
    lake.change([replace(A, title="new")])
    assert changes_since(lake, 1) == ([(2, "superseded", "a", "new")], 2)


def test_a_lake_without_articles_has_no_changes(tmp_path):
    assert changes_since(Lake(tmp_path), 0) == ([], 0)


class Listened(DirectoryStore):
    """A store that calls a listener before and after every write, as if it were another process."""

    def __init__(self, path, listener):
        super().__init__(path)
        self._listener = listener

    def put(self, key, body, **options):
        self._listener()
        super().put(key, body, **options)
        self._listener()

    def delta_uri(self, table):
        self._listener()
        return super().delta_uri(table)


def test_a_consumer_that_asks_at_any_time_sees_each_change_once(tmp_path):
    plain = DirectoryStore(tmp_path)
    open_lake(plain)
    copy, seen, at = {}, [], 0

    def listen():
        nonlocal at
        changes = read_changes(plain, since=at)
        for one in changes:
            seen.append((one.change_seq, one.article_id, one.kind.value))
            if one.row is None:
                copy.pop(one.article_id, None)
            else:
                copy[one.article_id] = one.row.title
        at = changes.upto

    def changed(sequence, put=(), gone=()):
        changes = RowChanges(articles=put, gone_articles=tuple(map(key_of_article, gone))).written_by(sequence)
        return OutboxItem(sequence=sequence, batch_id=f"r{sequence}", captures=(), articles=(), changes=changes)

    def batch(sequence, *rows):
        rows = RowChanges(articles=rows).written_by(sequence).articles
        return OutboxItem(sequence=sequence, batch_id=f"b{sequence}", captures=(), articles=rows)

    items = [
        batch(1, A, B),
        changed(2, put=(replace(A, title="new"), C), gone=(B,)),
        changed(3, gone=(C,)),
        batch(4, replace(A, article_id="d")),
        changed(5, gone=(A,)),
    ]
    store = Listened(tmp_path, listen)
    for start in (0, 1, 3):
        publish(items[: start + 2], store=store, index_id="i")
    listen()

    assert copy == {"d": "a"}
    assert at == 5
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one[0] > 1] == [
        (2, "a", "superseded"), (2, "b", "removed"), (2, "c", "added"), (3, "c", "removed"), (4, "d", "added"), (5, "a", "removed"),
    ]  # fmt: skip


def test_the_command_prints_changes_and_the_next_sequence(lake, tmp_path):
    command = Presslake(tmp_path, {"PREFECT_API_URL": "http://127.0.0.1:9/api"})

    shown = command.run("changes", "--since", "1").out
    lines = [json.loads(line) for line in command.run("changes", "--since", "1", "--json").out.splitlines()]

    assert "superseded" in shown
    assert "1 added, 1 superseded, 1 removed. Next: --since 4" in shown
    assert [(line["change"], line["row"] and line["row"]["title"]) for line in lines[:-1]] == [
        ("added", "c"),
        ("superseded", "new"),
        ("removed", None),
    ]
    assert lines[-1] == {"since": 1, "upto": 4, "added": 1, "superseded": 1, "removed": 1}
