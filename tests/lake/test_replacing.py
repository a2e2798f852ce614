"""Replacing rows by key: each change is applied once, in one commit, beside concurrent writers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake.schema import Field, PrimitiveType

from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.reading import list_files, read_columns
from tasks.lake.replacing import TableChange, replace_rows
from tasks.lake.rewriting import pack_rows, replace_files
from tasks.lake.tables import open_table
from tasks.store.publishing import publish
from tasks.values.changes import key_of
from tests.rows import FETCHED_AT, make_article, make_capture, make_item

NOW = datetime(2026, 3, 9, tzinfo=UTC)


def titles(store):
    rows = open_table(store, ARTICLES).to_pyarrow_table(columns=["article_id", "revision", "title"]).to_pylist()
    return sorted((row["article_id"], row["revision"], row["title"]) for row in rows)


def change(sequence, *, rows=(), gone=()):
    return TableChange(name=f"r{sequence}", sequence=sequence, rows=rows, gone=gone)


def filled(store, *articles):
    publish([replace(make_item(1), articles=articles, captures=())], store=store, index_id="i")
    return store


def apply(store, *changes):
    return replace_rows(store, ARTICLES, changes, app_id="i", now=NOW)


A, B, C = (make_article(article_id=name, title=name) for name in "abc")


def test_rows_are_replaced_added_and_removed_in_one_commit(object_store):
    filled(object_store, A, B)
    before = open_table(object_store, ARTICLES).version()

    count = apply(object_store, change(2, rows=(replace(A, title="new"), C), gone=(key_of(B),)))

    assert (count, titles(object_store)) == (3, [("a", 1, "new"), ("c", 1, "c")])
    assert open_table(object_store, ARTICLES).version() == before + 1


def test_a_repeated_change_has_no_effect(tmp_path):
    store = filled(DirectoryStore(tmp_path), A, B)
    first, second = change(2, rows=(replace(A, title="new"),)), change(3, gone=(key_of(A),))
    apply(store, first)
    apply(store, second)

    assert (apply(store, first), apply(store, second), titles(store)) == (0, 0, [("b", 1, "b")])


def test_the_last_of_several_changes_of_a_row_applies(tmp_path):
    store = filled(DirectoryStore(tmp_path), A)
    changes = [change(2, gone=(key_of(A),)), change(3, rows=(replace(A, title="back"),))]

    apply(store, *changes)

    assert titles(store) == [("a", 1, "back")]


def test_an_older_change_does_not_overwrite_a_later_one(tmp_path):
    store = filled(DirectoryStore(tmp_path), A)
    first, second = change(2, rows=(replace(A, title="first"),)), change(3, rows=(replace(A, title="second"),))
    apply(store, first)
    apply(store, second)

    apply(store, first, second)

    assert titles(store) == [("a", 1, "second")]


def test_rows_of_several_days_and_files_change_together(tmp_path):
    store = DirectoryStore(tmp_path)
    rows = [make_article(article_id=str(n), fetched_at=FETCHED_AT + timedelta(days=n % 2)) for n in range(6)]
    for number, row in enumerate(rows, 1):
        publish([replace(make_item(number), articles=(row,), captures=())], store=store, index_id="i")
    version = open_table(store, ARTICLES).version()

    apply(store, change(9, rows=[replace(row, title="new") for row in rows]))

    assert [title for _, _, title in titles(store)] == ["new"] * 6
    assert open_table(store, ARTICLES).version() == version + 1


def test_a_duplicated_row_becomes_one(tmp_path):
    store = filled(DirectoryStore(tmp_path), A, A)

    apply(store, change(2, rows=(replace(A, title="new"),)))

    assert titles(store) == [("a", 1, "new")]


def test_a_file_left_without_rows_is_removed_from_the_table(tmp_path):
    store = filled(DirectoryStore(tmp_path), A)

    apply(store, change(2, gone=(key_of(A),)))

    assert list_files(open_table(store, ARTICLES), ARTICLES) == []


def test_an_empty_change_makes_no_commit(tmp_path):
    store = filled(DirectoryStore(tmp_path), A)
    version = open_table(store, ARTICLES).version()

    assert apply(store, change(2), change(3, gone=(key_of(B),))) == 0
    assert open_table(store, ARTICLES).version() == version


def test_a_column_of_a_newer_version_keeps_its_value(tmp_path):
    store = filled(DirectoryStore(tmp_path), A, B)
    table = open_table(store, ARTICLES)
    table.alter.add_columns([Field("mood", PrimitiveType("string"), nullable=True)])
    (file,) = list_files(table, ARTICLES)
    rows = read_columns(store, file).append_column("mood", pa.array(["glad", "sad"]))
    replace_files(store, table, [file], [pack_rows(file.day, rows)], is_changed=True, now=NOW)

    apply(store, change(2, rows=(replace(B, title="new"),)))

    found = open_table(store, ARTICLES).to_pyarrow_table(columns=["title", "mood"]).to_pylist()
    assert sorted((row["title"], row["mood"]) for row in found) == [("a", "glad"), ("new", "sad")]


def test_each_row_exists_once_despite_concurrent_appends_packing_and_changes(tmp_path):
    store = filled(DirectoryStore(tmp_path), A, B, C)

    def append(number):
        row = make_article(article_id=f"new{number}", title="appended")
        publish([replace(make_item(100 + number), articles=(row,), captures=())], store=store, index_id="j")

    def pack(_):
        table = open_table(store, ARTICLES)
        files = list_files(table, ARTICLES)
        if len(files) < 2:
            return
        rows = pa.concat_tables(read_columns(store, file) for file in files)
        replace_files(store, table, files, [pack_rows(files[0].day, rows)], is_changed=False, now=NOW)

    def put(number):
        row = (A, B, C)[number % 3]
        replace_rows(store, ARTICLES, [change(2, rows=(replace(row, title="put"),))], app_id=f"app{number}", now=NOW)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda one: one[0](one[1]), [(what, n) for n in range(4) for what in (append, pack, put)]))

    found = titles(store)
    assert [one[0] for one in found] == ["a", "b", "c", "new0", "new1", "new2", "new3"]
    assert {one[2] for one in found} == {"put", "appended"}


@pytest.mark.parametrize("uses", [1, 4, 7, 10, 14, 19, 25])
def test_a_change_killed_at_any_use_of_the_lake_is_complete_after_a_retry(tmp_path, uses):
    store = filled(DirectoryStore(tmp_path), A, B)
    capture = make_capture(capture_id="x")
    publish([replace(make_item(2), captures=(capture,), articles=())], store=store, index_id="i")
    wanted = change(3, rows=(replace(A, title="new"), C), gone=(key_of(B),))
    try:
        apply(_Dying(tmp_path, uses), wanted)
    except RuntimeError:
        apply(store, wanted)

    assert titles(store) == [("a", 1, "new"), ("c", 1, "c")]
    assert open_table(store, CAPTURES).to_pyarrow_table().num_rows == 1


class _Dying(DirectoryStore):
    """A store whose n-th and later uses fail, as if the process had been killed there."""

    def __init__(self, path, uses):
        super().__init__(path)
        self._left = uses

    def _use(self):
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("killed")

    def put(self, key, body, **kind):
        self._use()
        super().put(key, body, **kind)

    def get(self, key):
        self._use()
        return super().get(key)

    def list(self, prefix):
        self._use()
        return super().list(prefix)

    def delta_uri(self, table):
        self._use()
        return super().delta_uri(table)
