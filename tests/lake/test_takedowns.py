import json
from dataclasses import replace
from datetime import UTC, datetime

from tasks.lake.keys import MARKER_KEY
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.lake.takedowns import add_takedown, read_kept_out, read_takedowns, replace_takedown
from tasks.values.takedown import Scope, Takedown, url_digest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAKEDOWN = Takedown(
    takedown_id="t1",
    scope=Scope.URL,
    key_digests=(url_digest("daily.example/a"),),
    reason="court order",
    taken_at=NOW,
    articles=1,
    revisions=2,
    segments=2,
)


def lake(path):
    store = DirectoryStore(path)
    open_lake(store)
    return store


def test_takedowns_round_trip_and_are_stored_once(object_store):
    open_lake(object_store)
    second = replace(TAKEDOWN, takedown_id="t2", reason=None)

    for takedown in (TAKEDOWN, TAKEDOWN, second):
        add_takedown(object_store, takedown, now=NOW)

    assert read_takedowns(object_store) == [TAKEDOWN, second]


def test_an_undone_takedown_blocks_nothing(tmp_path):
    store = lake(tmp_path)
    add_takedown(store, TAKEDOWN, now=NOW)
    before = read_kept_out(store)

    replace_takedown(store, replace(TAKEDOWN, undone_at=NOW), now=NOW)

    assert before.has_key("daily.example/a")
    assert not read_kept_out(store)
    assert read_takedowns(store)[0].undone_at == NOW


def test_a_lake_without_takedowns_has_no_such_table(tmp_path):
    store = lake(tmp_path)

    assert read_takedowns(store) == []
    assert [one.key for one in store.list("")] == [MARKER_KEY]


def test_the_first_takedown_raises_the_lakes_format_number(tmp_path):
    store = lake(tmp_path)
    before = json.loads(store.get(MARKER_KEY))

    add_takedown(store, TAKEDOWN, now=NOW)

    assert before["format"] == 1
    assert json.loads(store.get(MARKER_KEY)) == {**before, "format": 2}
    assert open_lake(store) == before["lake_id"]
