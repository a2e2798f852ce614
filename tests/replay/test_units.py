"""A replay of several units: changes that one unit makes to captures of another are kept."""

from tests.replay.archives import archive
from tests.replay.life import backfill, replay_all


def test_captures_of_copies_in_a_later_unit_follow_their_rows_there_and_back(replays, tmp_path):
    world = replays.world
    world.press.catalogue(world.home / "sources.yaml")
    for number in range(2):
        backfill(world.home, world.index_url, str(archive(tmp_path / "in", number)))
    before = replays.captures()

    replay_all(world.home, world.index_url, "//main//p[position() < 4]")
    rows, between = replays.articles(), replays.captures()
    replay_all(world.home, world.index_url, None)

    owned = {(row.warc_key, row.warc_offset): row.novelty for row in rows.values()}
    stored = {place: one.novelty for one in between.values() if (place := (one.warc_key, one.warc_offset)) in owned}
    assert stored == owned
    assert replays.captures() == before
    assert world.verify().found == {}
