"""Changes of rows that wait in the outbox: `verify` compares with the future rows, and a repair publishes them."""

from dataclasses import replace
from datetime import UTC, datetime

from tasks.index import outbox
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.reading import list_files
from tasks.lake.tables import open_table
from tasks.values.changes import RowChanges, key_of_article, key_of_capture
from tasks.verify.fault import FaultKind
from tasks.verify.stored import as_article, as_capture, read_file


def rows(world, table, make):
    return [
        make(row) for file in list_files(open_table(world.store, table), table) for row in read_file(world.store, file)
    ]


def wait(world, changes):
    with world.index.write() as tx:
        outbox.append_changes(tx, changes, batch_id="r1", run_id="r1", counts={}, now=datetime.now(UTC))


def test_rows_that_wait_to_be_replaced_are_compared_as_they_will_be(world):
    row = rows(world, ARTICLES, as_article)[0]
    wait(world, RowChanges(articles=(replace(row, lede="another"),)))

    assert set(world.verify().found) == {FaultKind.UNPUBLISHED_BATCH.value}
    assert world.verify(mend=True).is_well
    assert world.verify().found == {}
    assert [one.lede for one in rows(world, ARTICLES, as_article) if one.lede == "another"] == ["another"]


def test_rows_that_wait_to_be_removed_count_as_removed(world):
    stored = rows(world, ARTICLES, as_article)
    revised = {one.article_id for one in stored if one.revision > 1}
    row = next(one for one in stored if one.article_id not in revised)
    captures = [one for one in rows(world, CAPTURES, as_capture) if one.article_id == row.article_id]
    wait(
        world,
        RowChanges(gone_articles=(key_of_article(row),), gone_captures=tuple(key_of_capture(one) for one in captures)),
    )

    assert FaultKind.ARTICLE_WITHOUT_ROW.value in world.verify().found
    assert FaultKind.CAPTURE_WITHOUT_REVISION.value not in world.verify().found
