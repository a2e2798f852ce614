"""A takedown with the index in PostgreSQL: no row of any table contains the article, and what remains elsewhere is reported."""

from tests.forget.searching import find_bytes, find_rows
from tests.forget.test_forgetting import lonely, take, url_of


def test_no_row_of_the_database_contains_the_article(world_on_postgresql):
    world = world_on_postgresql
    story = lonely(world, 0, 1)[0]

    report = take(world, url_of(world, story))

    needles = [story.path, *story.paragraphs]
    with world.index.read() as tx:
        assert find_rows(tx, needles) == {}
    assert {files[0] for files in find_bytes(world.home, needles).values()} <= {"urls.txt"}
    assert [note.partition("'")[0] for note in report.notes] == ["PostgreSQL"]
    assert world.verify().found == {}
