"""Every place that may contain a text or a URL is in the table of places."""

import re
from collections import Counter

from sqlalchemy import select

from tasks.forget.forgetting import PROBED
from tasks.forget.places import PLACES
from tasks.index.schema import metadata
from tasks.lake import keys
from tasks.search.folder import FOLDER
from tests.forget.test_forgetting import lonely, take, url_of
from tests.verify.planting import table_files

LAKE = {part for place in PLACES for part in place.lake}
TABLES = {table for place in PLACES for table in place.tables}


def test_every_table_of_the_index_has_a_place():
    assert set(metadata.tables) == TABLES


def test_no_table_of_the_index_has_two_places():
    assert Counter(table for place in PLACES for table in place.tables).most_common(1)[0][1] == 1


def test_every_documented_part_of_the_lake_has_a_place():
    named = {name.partition("/")[0] for name in re.findall(r"`([a-z][a-z./=-]*)", keys.__doc__)}

    assert {"warc", "captures", "quarantine", "presslake.json"} <= named
    assert named - LAKE == set()


def test_every_part_of_a_used_lake_has_a_place(world):
    path = table_files(world, "articles")[0]
    path.with_name("20260101T000000Z-orphan-7.parquet").write_bytes(path.read_bytes())
    world.verify(mend=True)
    take(world, url_of(world, lonely(world, 0, 1)[0]))

    assert {found.key.partition("/")[0] for found in world.store.list("")} - LAKE == set()


def test_the_search_index_has_a_place():
    assert {place.folder for place in PLACES if place.folder} == {FOLDER}


def test_write_access_is_probed_for_everything_that_is_erased():
    erased = {part for place in PLACES if place.erase is not None for part in place.lake}

    assert erased - set(PROBED) - {"scratch"} == set()


def test_a_missing_entry_is_noticed(world):
    """In a used index, tables listed as having no URL have none."""
    without = [name for place in PLACES if place.erase is None for name in place.tables]
    with world.index.read() as tx:
        rows = [row for name in without for row in tx.execute(select(metadata.tables[name])).all()]

    assert rows
    assert not any("http://" in str(value) for row in rows for value in row if "lake_uri" not in row)
