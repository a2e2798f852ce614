"""Replays that are killed at any step, or run concurrently with a sweep, `maintain`, `verify`, a repair or another replay."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.errors import ConfigError, LakeUnavailable
from tasks.index import runs
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import maintain
from tasks.replay.config import ReplayConfig
from tasks.replay.replaying import replay
from tests.dying import DyingStore, Meanwhile
from tests.e2e.chaos_press import pass_time
from tests.replay.conftest import CLUSTER, FIRST_THREE, SHORTER, SITES

ALL_SHORTER = dict.fromkeys(SITES, SHORTER)


@pytest.mark.parametrize("uses", [6, 14, *(pytest.param(uses, marks=pytest.mark.long) for uses in (10, 20))])
def test_a_replay_killed_at_any_step_is_completed_by_the_next(replays, uses):
    before = replays.articles(), replays.captures(), replays.index()
    context = replays.context(**dict.fromkeys(SITES, FIRST_THREE))
    dying = replace(context, store=DyingStore(replays.world.lake, uses))
    try:
        replay(ReplayConfig(dry_run=False), dying, on_step=lambda *_: None)
        died = False
    except LakeUnavailable:
        died = True

    again = replays.run(**dict.fromkeys(SITES, FIRST_THREE))
    between = replays.world.verify().found
    replays.run()

    assert died or again.changed == 0
    assert between == {}
    assert (replays.articles(), replays.captures(), replays.index()) == before


def registered(index, kind):
    with index.write() as tx:
        runs.begin_run(tx, run_id=f"{kind}1", now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("kind", "line"), [(runs.REPLAY, "another replay is running"), (runs.MEND, "a mend .* is running")]
)
def test_during_another_replay_or_repair_it_is_refused_with_one_line(replays, kind, line):
    registered(replays.world.index, kind)

    with pytest.raises(ConfigError, match=line):
        replays.run()


def test_a_dry_run_needs_no_lock(replays):
    registered(replays.world.index, runs.REPLAY)

    assert replays.run({"dry_run": True}).pages


def test_during_a_replay_a_repair_is_refused_and_a_verification_is_not(replays):
    registered(replays.world.index, runs.REPLAY)

    assert replays.world.verify().found == {}
    with pytest.raises(ConfigError, match="a replay is running"):
        replays.world.verify(mend=True)


def test_a_replay_whose_process_is_dead_blocks_nothing(replays):
    registered(replays.world.index, runs.REPLAY)
    with replays.world.index.write() as tx:
        tx.exec_driver_sql("UPDATE runs SET pid = 4194305 WHERE run_id = 'replay-1'")

    assert replays.run().pages


@pytest.mark.parametrize("where", ["replays", "replays_on_postgresql"])
def test_during_a_sweep_nothing_is_lost_or_duplicated(request, where):
    replays = request.getfixturevalue(where)
    world, errors = replays.world, []

    def sweep():
        try:
            for _ in range(2):
                pass_time(world.press)
                world.sweep()
        except Exception as error:  # noqa: BLE001 - asserted below
            errors.append(error)

    first = {site: dict(stories) for site, stories in world.press.stories.items()}
    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    try:
        while sweeping.is_alive():
            replays.run(**ALL_SHORTER)
            replays.run()
    finally:
        sweeping.join()
        world.press.stories.clear()
        world.press.stories.update(first)
        world.press.tick = 0
    last = replays.run()

    assert errors == []
    assert last.changed == last.gained == last.lost == 0
    assert world.verify().found == {}
    assert len(replays.articles()) == len(replays.stored())


def maintain_once(world):
    maintain(
        index=world.index,
        store=world.store,
        config=MaintainConfig(),
        now=datetime(2030, 1, 1, tzinfo=UTC),
        on_step=lambda *_: None,
    )


@pytest.mark.parametrize(
    ("options", "reads"),
    [
        (FIRST_THREE, 3),
        (SHORTER, 6),
        pytest.param(SHORTER, 3, marks=pytest.mark.long),
        pytest.param(FIRST_THREE, 6, marks=pytest.mark.long),
    ],
)
def test_a_row_that_maintain_updates_between_reading_and_decision_is_marked_again(replays, options, reads):
    world = replays.world
    replays.run(**dict.fromkeys(SITES, options))
    context = replays.context()
    store = Meanwhile(world.lake, reads, lambda: maintain_once(world))

    replay(ReplayConfig(dry_run=False), replace(context, store=store), on_step=lambda *_: None)

    assert store.action is None
    assert world.verify().found == {}


def test_during_maintenance_nothing_is_lost_or_duplicated(replays):
    world, errors = replays.world, []
    before, index = replays.articles(), replays.index()

    def tidy():
        try:
            for _ in range(4):
                maintain_once(world)
        except Exception as error:  # noqa: BLE001 - asserted below
            errors.append(error)

    tidying = threading.Thread(target=tidy)
    tidying.start()
    replays.run(**ALL_SHORTER)
    replays.run()
    tidying.join()

    texts = {
        key: tuple(getattr(row, n) for n in row.__dataclass_fields__ if n not in CLUSTER) for key, row in before.items()
    }
    after = replays.articles()
    assert errors == []
    assert {
        key: tuple(getattr(row, n) for n in row.__dataclass_fields__ if n not in CLUSTER) for key, row in after.items()
    } == texts
    assert (replays.index(), world.verify().found) == (index, {})
