"""A replay of a lake in S3."""

from dataclasses import replace

import pytest

from tasks.lake.keys import ARTICLES
from tasks.lake.removals import read_removals
from tasks.lake.tables import open_table
from tasks.replay.config import ReplayConfig
from tasks.replay.replaying import replay
from tests.replay.conftest import FIRST_THREE, SITES
from tests.servers import fresh_address


@pytest.mark.s3
def test_rows_in_s3_are_superseded_and_restored_by_the_first_rules(replays, moto_url):
    store = fresh_address(moto_url).open()
    for one in replays.world.store.list(""):
        store.put(one.key, replays.world.store.get(one.key))

    def texts():
        rows = open_table(store, ARTICLES).to_pyarrow_table(columns=["article_id", "revision", "text"]).to_pylist()
        return {(row["article_id"], row["revision"]): row["text"] for row in rows}

    before = texts()
    for options in (dict.fromkeys(SITES, FIRST_THREE), {}):
        report = replay(
            ReplayConfig(dry_run=False), replace(replays.context(**options), store=store), on_step=lambda *_: None
        )
        assert report.changed

    assert len(list(read_removals(store))) == 3
    assert texts() == before
