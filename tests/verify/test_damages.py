"""Verify reports any damage of a table's log or files, and no repair, undo, sweep or maintenance loses more."""

import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable
from sqlalchemy import select

from tasks.errors import DamagedTable, LakeUnavailable, StageError
from tasks.index import outbox, runs
from tasks.index.outbox import OutboxItem
from tasks.index.schema import runs as runs_table
from tasks.lake.keys import ARTICLES, CAPTURES, TABLES
from tasks.lake.objects.stores import DirectoryStore
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import maintain
from tasks.store.publishing import publish
from tasks.verify.reindex import reindex
from tasks.verify.set_aside import undo
from tasks.verify.verification import verify
from tests.press import Story
from tests.rows import make_article, make_capture
from tests.verify.conftest import LATER, World
from tests.verify.damages import DAMAGES, Damage, bodies, log, rows_anywhere, rows_read

FAR = timedelta(days=40)


def each_on_a_table(damages: list[Damage]) -> pytest.MarkDecorator:
    """Parametrize each damage over one table in turn, and over the others in long tests."""
    pairs = [
        pytest.param(
            damage,
            table,
            id=f"{damage.name}-{table}",
            marks=() if (one + other) % len(TABLES) == 0 else pytest.mark.long,
        )
        for one, damage in enumerate(damages)
        for other, table in enumerate(TABLES)
    ]
    return pytest.mark.parametrize(("damage", "table"), pairs)


def look(world, store, *, mend=False):
    return verify(
        index=world.index, store=store, now=datetime.now(UTC) + LATER, is_repairing=mend, sample=None, revisit_after=(),
        on_step=lambda *_: None,
    )  # fmt: skip


def take_back(world, store, report):
    if report.set_aside:
        undo(index=world.index, store=store, verify_id=report.set_aside, on_step=lambda *_: None)


def tidy(world, store):
    return maintain(
        index=world.index, store=store, config=MaintainConfig(), now=datetime.now(UTC) + FAR, on_step=lambda *_: None
    )


def a_story(world) -> Story:
    story = Story(0, 70_500)
    world.press.stories[0][story.path] = story
    return story


def sweep(world) -> None:
    """Sweep one more story, successfully or not."""
    story = a_story(world)
    try:
        with suppress(StageError):
            world.sweep()
    finally:
        del world.press.stories[0][story.path]
        with world.index.write() as tx:
            for run_id in tx.execute(select(runs_table.c.run_id).where(runs_table.c.state == runs.RUNNING)).scalars():
                runs.end_run(tx, run_id=run_id, now=datetime.now(UTC), summary=None)


def log_of(store) -> dict[str, bytes]:
    return {one.key: store.get(one.key) for name in TABLES for one in store.list(f"{name}/_delta_log/")}


@each_on_a_table(DAMAGES)
def test_a_damage_is_reported_and_loses_nothing_more(world: World, damage: Damage, table: str):
    store = world.store
    seen = rows_read(store)
    place = damage.harm(store, table)
    rows, objects, index = rows_anywhere(store), bodies(store), world.rows_of_index()

    found = look(world, store)

    assert damage.kind is None or damage.kind in found.found
    assert damage.kind is None or place in {one.place for one in found.faults if one.kind == damage.kind}
    assert found.is_well == (damage.kind is None)

    mended = look(world, store, mend=True)

    assert rows <= rows_anywhere(store)
    assert objects <= bodies(store)
    if damage.kind == "damaged_log":
        assert (mended.mended, mended.set_aside, world.rows_of_index()) == (0, None, index)
    if damage.kind in {None, "unlisted_file"}:
        assert mended.is_well
        assert rows_read(store) == seen

    take_back(world, store, mended)

    assert world.rows_of_index() == index
    assert objects <= bodies(store)

    sweep(world)

    assert rows <= rows_anywhere(store)
    assert objects <= bodies(store)
    assert {row[:2] for row in index} <= {row[:2] for row in world.rows_of_index()}


@each_on_a_table([one for one in DAMAGES if one.kind == "damaged_log"])
def test_once_the_log_is_restored_all_is_well(world: World, damage: Damage, table: str):
    store = world.store
    seen, commits = rows_read(store), log_of(store)
    damage.harm(store, table)
    with pytest.raises(StageError):
        tidy(world, store)
    sweep(world)
    with world.index.read() as tx:
        waiting = outbox.pending(tx, limit=9)

    for key in set(log_of(store)) - set(commits):
        store.delete(key)
    for key, body in commits.items():
        store.put(key, body)

    mended = look(world, store, mend=True)
    assert mended.is_well
    assert seen < rows_read(store)
    assert len(waiting) == 1
    assert look(world, store).found == {}


@each_on_a_table([one for one in DAMAGES if one.kind == "damaged_log"])
@pytest.mark.parametrize("index_url", ["sqlite"], indirect=True)  # the log is read before the index is asked
def test_no_index_is_built_from_a_damaged_log(swept, tmp_path, damage: Damage, table: str, index):
    shutil.copytree(swept / "lake", tmp_path / "lake")
    store = DirectoryStore(tmp_path / "lake")
    damage.harm(store, table)

    with pytest.raises(DamagedTable):
        reindex(index=index, store=store, now=datetime.now(UTC), revisit_after=(), on_step=lambda *_: None)


@pytest.mark.parametrize("name", ["missing_file", "damaged_file"])
def test_maintain_deletes_nothing_while_a_file_is_damaged(world, name):
    for damage in DAMAGES:
        if damage.kind == name:
            damage.harm(world.store, ARTICLES)
    objects = bodies(world.store)

    with pytest.raises(DamagedTable, match="see `presslake verify`"):
        tidy(world, world.store)

    assert objects <= bodies(world.store)


def test_maintain_keeps_the_files_of_a_lost_commit(world):
    by_name = {damage.name: damage for damage in DAMAGES}
    key = by_name["a_missing_last_commit"].harm(world.store, ARTICLES)
    old = (datetime.now(UTC) - timedelta(days=60)).timestamp()
    os.utime(world.lake / key, (old, old))

    tidy(world, world.store)

    assert world.store.exists(key)
    assert look(world, world.store, mend=True).is_well


SOON = (
    "an_empty_last_commit",
    "a_missing_first_commit",
    "a_missing_last_commit",
    "a_log_that_is_gone",
    "a_missing_checkpoint",
    "an_empty_file",
    "a_missing_file",
)
"""Damages on which S3 may behave differently from a directory: a missing and an empty object."""


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(one, id=one.name, marks=() if one.name in SOON else pytest.mark.long)
        for one in DAMAGES
        if one.name.startswith(("an_empty", "a_missing", "a_commit_cut", "a_log", "a_pointer"))
    ],
)
@pytest.mark.parametrize("s3_url", ["moto"], indirect=True)  # tests/lake/ compares the servers
@pytest.mark.s3
def test_a_damage_on_s3_is_reported_and_loses_nothing_more(world: World, s3_address, damage: Damage):
    store = s3_address.open()
    for one in world.store.list(""):
        store.put(one.key, world.store.get(one.key))
    seen = rows_read(store)
    place = damage.harm(store, CAPTURES)
    rows, objects, index = rows_anywhere(store), bodies(store), world.rows_of_index()

    mended = look(world, store, mend=True)

    assert damage.kind is None or place in {one.place for one in mended.faults if one.kind == damage.kind}
    assert mended.is_well == (damage.kind in {None, "unlisted_file"})
    assert rows <= rows_anywhere(store)
    assert objects <= bodies(store)
    if mended.is_well:
        assert rows_read(store) == seen

    take_back(world, store, mended)
    item = OutboxItem(sequence=90, batch_id="b90", captures=(make_capture(),), articles=(make_article(),))
    with suppress(DamagedTable, LakeUnavailable):
        publish([item], store=store, index_id=world.index.index_id)
        assert damage.kind != "damaged_log"

    assert world.rows_of_index() == index
    assert rows <= rows_anywhere(store)
    assert objects <= bodies(store)


@pytest.mark.parametrize("table", TABLES)
def test_rows_that_a_checkpoint_skipped_are_committed_again(world, table):
    seen = rows_read(world.store)
    world.store.put(log(world.store, table)[1], b"")
    DeltaTable(world.store.delta_uri(table)).create_checkpoint()
    assert rows_read(world.store) < seen

    report = look(world, world.store, mend=True)

    assert report.found == {"unlisted_file": 1}
    assert report.is_well
    assert rows_read(world.store) == seen
    assert look(world, world.store).found == {}


@pytest.mark.parametrize("table", TABLES)
def test_without_a_backup_an_empty_commit_can_replace_a_lost_one(world, table):
    seen = rows_read(world.store)
    world.store.put(log(world.store, table)[1], b'{"commitInfo":{}}\n')

    assert look(world, world.store, mend=True).is_well
    assert rows_read(world.store) == seen
    assert look(world, world.store).found == {}


@pytest.mark.parametrize("table", TABLES)
def test_without_a_backup_an_empty_last_commit_is_moved_away(world, table):
    seen = rows_read(world.store)
    world.store.delete(log(world.store, table)[-1])

    assert look(world, world.store, mend=True).is_well
    sweep(world)

    assert seen < rows_read(world.store)
    assert look(world, world.store).found == {}


@pytest.mark.parametrize("table", TABLES)
def test_without_a_backup_a_dangling_checkpoint_pointer_is_deleted(world, table):
    seen = rows_read(world.store)
    world.store.put(f"{table}/_delta_log/_last_checkpoint", b'{"version": 50, "size": 9}')

    world.store.delete(f"{table}/_delta_log/_last_checkpoint")

    assert look(world, world.store).found == {}
    assert rows_read(world.store) == seen


def test_a_file_is_not_committed_again_while_another_is_damaged(world):
    by_name = {damage.name: damage for damage in DAMAGES}
    key = by_name["a_missing_last_commit"].harm(world.store, ARTICLES)
    by_name["a_file_cut_short"].harm(world.store, ARTICLES)
    index = world.rows_of_index()

    report = look(world, world.store, mend=True)

    assert {"unlisted_file", "damaged_file"} <= set(report.found)
    assert not any(fault.is_mended for fault in report.faults if fault.kind == "unlisted_file")
    assert world.store.exists(key)
    assert world.rows_of_index() == index


def test_a_packed_file_is_not_restored_when_its_replacement_lost_its_commit(world):
    seen = rows_read(world.store)
    tidy(world, world.store)
    last = log(world.store, ARTICLES)[-1]
    for one in world.store.list("articles/_delta_log/"):
        if "checkpoint" in one.key:
            world.store.delete(one.key)
    assert b'"remove"' in world.store.get(last)
    world.store.put(last, b'{"commitInfo":{}}\n')

    report = look(world, world.store, mend=True)

    assert "unlisted_file" not in report.found
    assert "orphan_file" in report.found
    assert rows_read(world.store) == seen
