"""Lookup of single rows in small and large files of a table, and in files added later."""

from datetime import timedelta

import pytest

from tasks.lake import lookup
from tasks.lake.keys import ARTICLES
from tasks.lake.lookup import TableReader
from tasks.lake.objects.stores import DirectoryStore
from tasks.store.publishing import publish
from tests.rows import FETCHED_AT, make_item

DAY = FETCHED_AT.date()


class CountingStore(DirectoryStore):
    """A store that counts its reads."""

    def __init__(self, path) -> None:
        super().__init__(path)
        self.pieces: list[int] = []

    def get(self, key):
        body = super().get(key)
        self.pieces.append(len(body))
        return body

    def get_range(self, key, offset, length):
        self.pieces.append(length)
        return super().get_range(key, offset, length)


@pytest.fixture
def store(tmp_path):
    return CountingStore(tmp_path)


@pytest.fixture(params=[lookup.WHOLE_SIZE, 0], ids=["whole", "by ranges"])
def reader(store, request, monkeypatch):
    monkeypatch.setattr(lookup, "WHOLE_SIZE", request.param)
    monkeypatch.setattr(lookup, "FRESH_S", -1.0)
    return TableReader(store, ARTICLES, column="article_id")


def find(reader, *ids, first=DAY, last=DAY):
    return sorted(row["article_id"] for row in reader.find(ids, first=first, last=last))


def test_a_row_is_found_with_all_columns(store, reader):
    publish([make_item(1, rows=3), make_item(2, rows=2)], store=store, index_id="i")

    (row,) = reader.find(["b1-2"], first=DAY, last=DAY)

    assert (row["title"], row["fetched_at"], row["tags"]) == ("Harbour reopens", FETCHED_AT, ["harbour", "ships"])
    assert find(reader, "b1-0", "b2-1", "unknown") == ["b1-0", "b2-1"]


def test_only_files_of_the_requested_days_are_read(store, reader):
    publish([make_item(1), make_item(2, fetched_at=FETCHED_AT + timedelta(days=2))], store=store, index_id="i")

    assert find(reader, "b1-0", "b2-0") == ["b1-0"]
    assert find(reader, "b1-0", "b2-0", last=DAY + timedelta(days=2)) == ["b1-0", "b2-0"]


def test_rows_published_later_are_found(store, reader):
    publish([make_item(1)], store=store, index_id="i")
    assert find(reader, "b2-0") == []

    publish([make_item(2)], store=store, index_id="i")

    assert find(reader, "b2-0") == ["b2-0"]


def test_a_lake_without_the_table_has_no_rows(reader):
    assert find(reader, "b1-0") == []


def test_a_missing_file_is_skipped(store, reader, tmp_path):
    publish([make_item(1), make_item(2)], store=store, index_id="i")
    next(tmp_path.glob("articles/dt=*/b1-*")).unlink()

    assert find(reader, "b1-0", "b2-0") == ["b2-0"]


def test_a_files_ids_are_read_once(store, reader):
    publish([make_item(1, rows=50), make_item(2)], store=store, index_id="i")
    find(reader, "b1-7")
    store.pieces.clear()

    find(reader, "unknown")

    assert store.pieces == []


def test_a_row_of_a_large_file_is_read_without_the_others(store, reader, monkeypatch):
    monkeypatch.setattr("tasks.lake.tables.GROUP_ROWS", 10)
    publish([make_item(1, rows=400)], store=store, index_id="i")
    find(reader, "b1-7")
    size = max(file.size for file in reader.files())
    store.pieces.clear()

    assert find(reader, "b1-399") == ["b1-399"]
    if lookup.WHOLE_SIZE == 0:
        assert sum(store.pieces) < size


def test_ids_of_least_recently_used_files_are_evicted(store, reader, monkeypatch):
    monkeypatch.setattr(lookup, "REMEMBERED_SIZE", 100)
    publish([make_item(number, rows=9) for number in range(1, 6)], store=store, index_id="i")

    found = find(reader, *(f"b{number}-0" for number in range(1, 6)))

    assert len(found) == 5
    assert len(reader._ids) == 1
