"""Rows of articles are found by day and id; a file that is gone hides its own rows and no others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.lake.reading import read_articles
from tasks.store.publishing import publish
from tests.rows import FETCHED_AT, make_item

DAY = FETCHED_AT.date()
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def store(tmp_path):
    """A lake with two articles of one day, and a revision of one of them the day after."""
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


def test_rows_of_the_days_that_are_asked_for_are_found(store):
    assert found(store, **named("b1-0", DAY, NEXT)) == [("b1-0", 1), ("b1-0", 2)]
    assert found(store, **named("b1-0", NEXT, NEXT)) == [("b1-0", 2)]
    assert found(store, **named("b1-1", DAY, NEXT), **named("b1-0", NEXT, NEXT)) == [("b1-0", 2), ("b1-1", 1)]
    assert found(store, **named("b9", DAY, NEXT)) == []
    assert found(store) == []


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_file_that_cannot_be_read_hides_no_other(store, tmp_path, harm):
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
