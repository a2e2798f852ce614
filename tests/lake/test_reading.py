"""Reading rows of articles by day and id; a missing file hides only its own rows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.lake.keys import ARTICLES, data_prefix, parquet_key
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.lake.reading import read_articles, unneeded_files
from tasks.lake.tables import open_table
from tasks.store.publishing import publish
from tests.rows import FETCHED_AT, make_item

DAY = FETCHED_AT.date()
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def store(tmp_path):
    """A lake with two articles of one day, and a revision of one on the next day."""
    lake = DirectoryStore(tmp_path)
    open_lake(lake)
    later = make_item(2, rows=1, fetched_at=FETCHED_AT + timedelta(days=1))
    revised = replace(later, articles=tuple(replace(row, article_id="b1-0", revision=2) for row in later.articles))
    publish([make_item(1), revised], store=lake, index_id="i")
    return lake


def found(store, **spans):
    return sorted((row["article_id"], row["revision"]) for row in read_articles(store, spans))


def named(article_id, first, last):
    return {article_id: (first, last)}


def test_rows_of_the_requested_days_are_found(store):
    assert found(store, **named("b1-0", DAY, NEXT)) == [("b1-0", 1), ("b1-0", 2)]
    assert found(store, **named("b1-0", NEXT, NEXT)) == [("b1-0", 2)]
    assert found(store, **named("b1-1", DAY, NEXT), **named("b1-0", NEXT, NEXT)) == [("b1-0", 2), ("b1-1", 1)]
    assert found(store, **named("b9", DAY, NEXT)) == []
    assert found(store) == []


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_an_unreadable_file_hides_no_other(store, tmp_path, harm):
    (file,) = (tmp_path / "articles").glob(f"dt={DAY}/*.parquet")
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:100])

    assert found(store, **named("b1-0", DAY, NEXT)) == [("b1-0", 2)]


def test_a_lake_without_tables_has_no_rows(tmp_path):
    lake = DirectoryStore(tmp_path / "new")
    open_lake(lake)

    assert found(lake, **named("b1-0", DAY, NEXT)) == []


class Crowded(DirectoryStore):
    """A store in which a sweep publishes a batch while a table's files are being listed."""

    def list(self, prefix):
        if prefix == data_prefix(ARTICLES):
            publish([make_item(3)], store=DirectoryStore(self._root), index_id="i")
        yield from super().list(prefix)


def test_a_file_committed_during_the_search_for_unneeded_files_is_kept(store, tmp_path):
    never_named = parquet_key(ARTICLES, DAY, "b9", 9)
    store.put(never_named, b"")

    replaced, unlogged = unneeded_files(Crowded(tmp_path), open_table(store, ARTICLES), ARTICLES)

    assert (replaced, [one.key for one in unlogged]) == ([], [never_named])
