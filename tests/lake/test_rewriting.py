"""Replacing files: each row exists exactly once despite concurrent commits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from tasks.lake.keys import CAPTURES, data_prefix
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.reading import list_files, read_columns
from tasks.lake.rewriting import FileChange, commit_rewritten, find_dead_files, pack_rows, put_rows, replace_files
from tasks.lake.tables import commit_files, open_table
from tests.lake.test_tables import put_file

DAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 9, tzinfo=UTC)


def held(store):
    return sorted(open_table(store, CAPTURES).to_pyarrow_table(columns=["capture_id"])["capture_id"].to_pylist())


def three_files(store):
    for number in (1, 2, 3):
        commit_files(open_table(store, CAPTURES), [put_file(store, sequence=number)], app_id="i")
    return open_table(store, CAPTURES)


def as_one(store, table, files, *, is_changed=False):
    rows = pa.concat_tables(read_columns(store, file) for file in files)
    return replace_files(store, table, files, [pack_rows(DAY, rows)], is_changed=is_changed, now=NOW)


def test_files_are_merged_without_losing_rows(object_store):
    table = three_files(object_store)

    assert as_one(object_store, table, list_files(table, CAPTURES))

    (file,) = list_files(open_table(object_store, CAPTURES), CAPTURES)
    assert (file.rows, held(object_store)) == (3, ["b1-1", "b1-2", "b1-3"])


def test_files_already_replaced_by_another_are_skipped(object_store):
    tables = [three_files(object_store), open_table(object_store, CAPTURES)]
    files = list_files(tables[0], CAPTURES)

    assert as_one(object_store, tables[0], files[:2])
    assert not as_one(object_store, tables[1], files[1:])

    assert held(object_store) == ["b1-1", "b1-2", "b1-3"]


def test_of_concurrent_replacements_of_the_same_files_one_succeeds(tmp_path):
    store = DirectoryStore(tmp_path)
    files = list_files(three_files(store), CAPTURES)
    tables = [open_table(store, CAPTURES) for _ in range(6)]

    with ThreadPoolExecutor(6) as pool:
        landed = list(pool.map(lambda table: as_one(store, table, files), tables))

    assert (sum(landed), held(store)) == (1, ["b1-1", "b1-2", "b1-3"])


def test_a_concurrent_append_loses_nothing(tmp_path):
    store = DirectoryStore(tmp_path)
    stale = three_files(store)
    files = list_files(stale, CAPTURES)
    commit_files(open_table(store, CAPTURES), [put_file(store, sequence=4)], app_id="i")

    assert as_one(store, stale, files)
    commit_files(stale, [put_file(store, sequence=5)], app_id="i")

    assert held(store) == ["b1-1", "b1-2", "b1-3", "b1-4", "b1-5"]


@pytest.mark.parametrize("is_changed", [True, False])
def test_the_log_records_whether_rows_changed(tmp_path, is_changed):
    store = DirectoryStore(tmp_path)
    table = three_files(store)
    as_one(store, table, list_files(table, CAPTURES), is_changed=is_changed)

    last = max((tmp_path / CAPTURES / "_delta_log").glob("*.json")).read_text()

    assert last.count(f'"dataChange":{str(is_changed).lower()}') == 4


def test_equal_rows_for_the_same_version_give_the_same_file(tmp_path):
    store = DirectoryStore(tmp_path)
    table = three_files(store)
    rows = pack_rows(DAY, read_columns(store, list_files(table, CAPTURES)[0]))

    assert put_rows(store, table, CAPTURES, rows) == put_rows(store, table, CAPTURES, rows)


def stored(store):
    return {found.key for found in store.list(data_prefix(CAPTURES))}


def put_again(store, table):
    rows = pa.concat_tables(read_columns(store, file) for file in list_files(table, CAPTURES))
    return put_rows(store, table, CAPTURES, pack_rows(DAY, rows))


def commit(store, table, old, new):
    return commit_rewritten(store, table, CAPTURES, FileChange(old=old, new=[new], is_changed=False, now=NOW))


def test_a_file_whose_version_was_taken_by_another_commit_is_deleted(object_store):
    stale = three_files(object_store)
    new = put_again(object_store, stale)
    commit_files(open_table(object_store, CAPTURES), [put_file(object_store, sequence=4)], app_id="i")
    assert find_dead_files(object_store, open_table(object_store, CAPTURES), CAPTURES) == {f"{CAPTURES}/{new.path}"}

    assert not commit(object_store, stale, list_files(stale, CAPTURES), new)

    assert stored(object_store) == {file.key for file in list_files(open_table(object_store, CAPTURES), CAPTURES)}


def test_a_file_also_committed_by_another_process_stays(tmp_path):
    store = DirectoryStore(tmp_path)
    stale = three_files(store)
    files = list_files(stale, CAPTURES)
    new = put_again(store, stale)
    assert commit(store, open_table(store, CAPTURES), files, new)

    assert not commit(store, stale, files, new)

    assert held(store) == ["b1-1", "b1-2", "b1-3"]
    assert find_dead_files(store, stale, CAPTURES) == set()


def test_a_file_for_a_future_version_is_not_deleted(tmp_path):
    store = DirectoryStore(tmp_path)
    table = three_files(store)
    put_again(store, table)

    assert find_dead_files(store, open_table(store, CAPTURES), CAPTURES) == set()
