import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tasks.errors import LakeUnavailable, TooManyUnexpected
from tasks.index.outbox import OutboxItem
from tasks.lake.keys import ARTICLES, CAPTURES, TABLES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.tables import open_table
from tasks.store.documents import quarantine_document
from tasks.store.publishing import PublishReport, publish
from tasks.values.rows import Outcome
from tests.dying import DyingStore
from tests.rows import FETCHED_AT, make_article, make_capture, make_item

IDS = {CAPTURES: "capture_id", ARTICLES: "article_id"}


def held(store):
    """The ids visible to readers of each table."""
    tables = {name: open_table(store, name).to_pyarrow_table() for name in TABLES}
    return {name: sorted(table.column(IDS[name]).to_pylist()) for name, table in tables.items()}


def expected(*items):
    return {
        CAPTURES: sorted(capture.capture_id for item in items for capture in item.captures),
        ARTICLES: sorted(article.article_id for item in items for article in item.articles),
    }


def quarantined_item(sequence=1):
    captures = (
        make_capture(capture_id="fine"),
        make_capture(capture_id="poison", outcome=Outcome.QUARANTINED, reason="extractor_crashed", detail="\ud800 x"),
    )
    return OutboxItem(sequence=sequence, batch_id=f"b{sequence}", captures=captures, articles=())


def test_published_rows_are_in_both_tables(object_store):
    items = [make_item(1), make_item(2, rows=3)]

    report = publish(items, store=object_store, index_id="i")

    assert held(object_store) == expected(*items)
    assert report == PublishReport(batches=2, captures=5, articles=5, quarantined=0)


def test_publishing_again_duplicates_nothing(object_store):
    items = [make_item(1), make_item(2)]
    publish(items, store=object_store, index_id="i")

    report = publish(items, store=object_store, index_id="i")

    assert held(object_store) == expected(*items)
    assert report == PublishReport(batches=0, captures=0, articles=0, quarantined=0)


def test_each_table_gets_one_commit(tmp_path):
    store = DirectoryStore(tmp_path)
    publish([make_item(n) for n in (3, 1, 2)], store=store, index_id="i")

    tables = [open_table(store, name) for name in TABLES]

    assert [(table.version(), table.transaction_version("i")) for table in tables] == [(1, 3), (1, 3)]


def test_only_the_unpublished_backlog_is_added(tmp_path):
    store = DirectoryStore(tmp_path)
    items = [make_item(n) for n in (1, 2, 3)]
    publish(items[:2], store=store, index_id="i")

    report = publish(items, store=store, index_id="i")

    assert (report.batches, held(store)) == (1, expected(*items))


def test_publishing_nothing_creates_empty_tables(tmp_path):
    store = DirectoryStore(tmp_path)
    publish([], store=store, index_id="i")

    assert held(store) == {CAPTURES: [], ARTICLES: []}


def test_a_batch_without_articles_is_published(tmp_path):
    store = DirectoryStore(tmp_path)
    item = OutboxItem(sequence=1, batch_id="b1", captures=(make_capture(),), articles=())
    publish([item], store=store, index_id="i")

    assert held(store) == {CAPTURES: ["c1"], ARTICLES: []}


def test_a_batch_over_midnight_has_one_file_per_day(tmp_path):
    store = DirectoryStore(tmp_path)
    captures = tuple(
        make_capture(capture_id=str(n), fetched_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC) + timedelta(minutes=n))
        for n in range(3)
    )
    publish([OutboxItem(sequence=7, batch_id="b1", captures=captures, articles=())], store=store, index_id="i")

    rows = open_table(store, CAPTURES).to_pyarrow_table(columns=["dt", "capture_id"]).to_pylist()

    assert sorted((row["dt"], row["capture_id"]) for row in rows) == [
        (date(2026, 3, 1), "0"),
        (date(2026, 3, 2), "1"),
        (date(2026, 3, 2), "2"),
    ]
    assert store.exists("captures/dt=2026-03-02/b1-7.parquet")


def test_several_publishers_of_one_outbox_publish_it_once(object_store):
    items = [make_item(n) for n in (1, 2, 3)]
    views = [items, items[:2], items, items[1:]]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda view: publish(view, store=object_store, index_id="i"), views))

    assert held(object_store) == expected(*items)


@pytest.mark.parametrize("uses", range(14))
def test_a_publisher_killed_at_any_step_is_completed_by_the_next(tmp_path, uses):
    items = [make_item(1), quarantined_item(2)]
    with suppress(LakeUnavailable):
        publish(items, store=DyingStore(tmp_path, uses), index_id="i")

    publish(items, store=DirectoryStore(tmp_path), index_id="i")

    assert held(DirectoryStore(tmp_path)) == expected(*items)


def test_published_files_are_not_written_again(tmp_path):
    store = DirectoryStore(tmp_path)
    items = [make_item(1)]
    publish(items, store=store, index_id="i")
    key = "articles/dt=2026-03-01/b1-1.parquet"
    store.delete(key)

    publish(items, store=store, index_id="i")

    assert not store.exists(key)


def test_a_quarantined_capture_has_a_document(object_store):
    report = publish([quarantined_item()], store=object_store, index_id="i")

    told = json.loads(object_store.get("quarantine/dt=2026-03-01/b1-1.json"))

    assert report.quarantined == 1
    assert (told["batch_id"], told["capture_id"], told["reason"], told["detail"], told["warc_offset"]) == (
        "b1",
        "poison",
        "extractor_crashed",
        "\ufffd x",
        300,
    )


def test_the_quarantine_has_only_what_could_not_be_processed(tmp_path):
    store = DirectoryStore(tmp_path)
    publish([quarantined_item()], store=store, index_id="i")

    assert [found.key for found in store.list("quarantine/")] == ["quarantine/dt=2026-03-01/b1-1.json"]


def test_a_quarantine_document_has_utc_times():
    told = json.loads(quarantine_document(make_capture(), batch_id="b1"))

    assert datetime.fromisoformat(told["fetched_at"]) == FETCHED_AT


def test_a_row_that_parquet_refuses_is_left_out_and_gets_a_document(tmp_path):
    store = DirectoryStore(tmp_path)
    captures = tuple(make_capture(capture_id=f"c{n}", url_key=f"daily.example/{n}", warc_offset=n) for n in range(8))
    articles = tuple(
        make_article(article_id=f"a{n}", url_key=f"daily.example/{n}", warc_offset=n, word_count=2**40 if n == 2 else 8)
        for n in range(8)
    )
    captures = (*captures[:5], replace(captures[5], status=2**40), *captures[6:])
    item = OutboxItem(sequence=1, batch_id="b1", captures=captures, articles=articles)

    report = publish([item, make_item(2)], store=store, index_id="i")

    assert held(store)[ARTICLES] == sorted([*(f"a{n}" for n in range(8) if n != 2), *expected(make_item(2))[ARTICLES]])
    rows = {row["capture_id"]: row for row in open_table(store, CAPTURES).to_pyarrow_table().to_pylist()}
    assert "c5" not in rows
    assert (rows["c2"]["outcome"], rows["c2"]["reason"], rows["c2"]["novelty"]) == (
        "quarantined",
        "unexpected_error",
        None,
    )
    told = [json.loads(path.read_text()) for path in sorted((tmp_path / "quarantine").rglob("*.json"))]
    assert [(one["capture_id"], one["reason"]) for one in told] == [
        ("c2", "unexpected_error"),
        ("c5", "unexpected_error"),
    ]
    assert all("tasks/lake/tables.py" in one["detail"] for one in told)
    assert report.batches == 2


def test_a_batch_of_which_parquet_refuses_most_rows_is_not_published(tmp_path):
    store = DirectoryStore(tmp_path)
    articles = tuple(make_article(article_id=f"a{n}", url_key=f"daily.example/{n}", word_count=2**40) for n in range(8))

    with pytest.raises(TooManyUnexpected, match="rows of batch b1 raised an exception"):
        publish([OutboxItem(sequence=1, batch_id="b1", captures=(), articles=articles)], store=store, index_id="i")


def test_no_row_is_blamed_for_an_exception_of_the_store(tmp_path):
    class Broken(DirectoryStore):
        def put(self, key, body, **more):
            raise ArithmeticError(key)

    with pytest.raises(TooManyUnexpected, match="not caused by a single row: ArithmeticError"):
        publish([make_item(1)], store=Broken(tmp_path), index_id="i")
