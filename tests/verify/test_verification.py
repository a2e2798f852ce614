"""Real sweeps leave no faults; every planted fault is found, reported, and repaired if possible."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable
from sqlalchemy import delete, select

from tasks.index import runs
from tasks.index.articles import find_by_id
from tasks.index.database import open_index
from tasks.index.schema import articles, batches, frontier
from tasks.index.upkeep import KEPT
from tasks.verify.fault import ADVICE, MENDS, FaultKind
from tasks.verify.repairs import RepairContext, repair_all
from tasks.verify.set_aside import Journal
from tests.press import Story
from tests.verify.conftest import World
from tests.verify.planting import (
    FAULTS,
    Planted,
    a_batch_that_is_decided_and_not_published,
    a_file_of_no_table,
    a_flipped_byte_in_a_response,
    a_row_deleted_in_the_lake,
    a_segment_that_no_row_names,
    update_rows,
)
from tests.verify.planting_index import INDEX_FAULTS, an_article_deleted_in_the_index


def _kinds(report) -> set[str]:
    return set(report.found)


def test_sweeps_leave_no_faults(world):
    report = world.verify()

    assert report.found == {}
    assert report.checked["articles"] == 39
    assert report.checked["revisions"] == 42


def test_sweeps_on_postgresql_leave_no_faults(world_on_postgresql):
    assert world_on_postgresql.verify().found == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_reported_repaired_and_restored(world: World, fault: Planted):
    place = fault.plant(world)
    payloads, objects, rows = _payloads(world), world.stored(), world.rows_of_index()

    report = world.verify()

    assert _kinds(report) == fault.kinds
    named = [one for one in report.faults if one.kind.value == fault.kind]
    assert any(place in one.place for one in named), [one.place for one in named]
    assert all(one.detail and one.mend for one in report.faults)
    assert report.is_well == fault.is_harmless

    mended = world.verify(mend=True)

    assert mended.is_well == (fault.is_harmless or not fault.left)
    assert _kinds(world.verify()) == fault.left
    assert payloads - _payloads(world) == ({place} if fault.kind == "orphan_segment" else set())

    done = world.undo(mended.set_aside) if mended.set_aside else None

    assert world.rows_of_index() == rows
    kept = set(done.objects_kept) if done else set()
    assert objects.items() - {one for one in objects.items() if one[0] in kept} <= world.stored().items()
    assert kept == ({next(iter(world.store.list("quarantine/"))).key} if fault.name == "a_damaged_document" else set())
    assert done is None or done.rows_kept == ()


@pytest.mark.parametrize("fault", INDEX_FAULTS, ids=lambda fault: fault.name)
def test_an_index_in_postgresql_is_repaired_and_restored_likewise(world_on_postgresql: World, fault: Planted):
    fault.plant(world_on_postgresql)
    rows = world_on_postgresql.rows_of_index()

    report = world_on_postgresql.verify(mend=True)

    assert (_kinds(report), report.is_well) == (fault.kinds, True)
    assert world_on_postgresql.verify().found == {}

    done = world_on_postgresql.undo(report.set_aside)

    assert (world_on_postgresql.rows_of_index(), done.rows_kept) == (rows, ())


def test_at_least_twenty_faults_are_planted():
    assert len({fault.kind for fault in FAULTS}) >= 20
    elsewhere = {"capture_without_revision", "revision_without_capture", "taken_down"}  # the last: tests/forget
    assert {fault.kind for fault in FAULTS} | elsewhere == set(FaultKind)


def test_a_young_file_is_reported_and_left_alone(world):
    key = a_file_of_no_table(world)

    report = world.verify(mend=True, later=timedelta())

    assert (_kinds(report), report.mended, report.is_well) == ({"orphan_file"}, 0, False)
    assert world.store.exists(key)


def test_rows_in_transit_during_a_sweep_are_no_fault(world):
    an_article_deleted_in_the_index(world)
    a_segment_that_no_row_names(world)
    with world.index.write() as tx:
        runs.begin_run(tx, run_id="now", now=datetime.now(UTC))

    report = world.verify(later=timedelta())

    # faults of the index alone are reported even during a run
    assert _kinds(report) == {"url_without_article", "shape_without_article"}
    assert "row_without_article" in world.verify(later=timedelta(hours=2)).found


def test_a_batch_that_its_run_is_about_to_publish_is_no_fault(world):
    a_batch_that_is_decided_and_not_published(world)
    with world.index.write() as tx:
        (run_id,) = tx.execute(select(batches.c.run_id).order_by(batches.c.decided_at.desc()).limit(1)).scalars()
        runs.begin_run(tx, run_id=run_id, now=datetime.now(UTC))

    assert world.verify(later=timedelta()).found == {}
    assert _kinds(world.verify(later=timedelta(minutes=11))) == {"unpublished_batch"}


def test_a_sample_of_segments_causes_no_other_faults(world):
    a_flipped_byte_in_a_response(world)

    reports = [world.verify(sample=1) for _ in range(30)]

    assert {report.checked["segments"] for report in reports} == {1}
    assert {tuple(report.found) for report in reports} == {(), ("damaged_record",)}


def test_a_reset_article_is_stored_again_by_the_next_sweep(world):
    gone = a_row_deleted_in_the_lake(world)
    world.verify(mend=True, later=timedelta())

    world.sweep()

    with world.index.read() as tx:
        assert find_by_id(tx, gone).revision == 1
    assert "article_without_row" not in world.verify().found


def _payloads(world: World) -> set[str]:
    return {found.key for found in world.store.list("warc/")}


def test_every_kind_of_fault_is_documented_with_its_repair():
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", page, re.MULTILINE))

    assert {kind.value: rows.get(kind.value) for kind in FaultKind} == {
        kind.value: MENDS.get(kind) or ADVICE[kind] for kind in FaultKind
    }


def test_an_article_with_a_newer_revision_is_not_restored(world):
    with world.index.read() as tx:
        known = find_by_id(
            tx, tx.execute(select(articles.c.article_id).where(articles.c.revision == 2)).scalars().first()
        )
    context = RepairContext(
        index=world.index, store=world.store, now=datetime.now(UTC), revisit_after=(), is_lake_whole=True, is_quiet=True,
        journal=Journal(store=world.store, index=world.index, verify_id="v1"),
    )  # fmt: skip
    update_rows(world, articles, articles.c.article_id == known.article_id, revision=3)

    repair_all(context, {FaultKind.ARTICLE_BEHIND: [known.article_id]})

    with world.index.read() as tx:
        assert find_by_id(tx, known.article_id).revision == 3


def test_a_url_that_was_gone_long_ago_may_be_forgotten(world):
    with world.index.write() as tx:
        assert tx.execute(delete(frontier).where(frontier.c.reason == "http_404")).rowcount == 1

    assert world.verify().found == {"capture_without_url": 1}
    assert world.verify(later=KEPT + timedelta(days=1)).found == {}


def test_compacted_files_are_no_orphans(world):
    table = DeltaTable(str(world.lake / "articles"))
    assert table.optimize.compact()["numFilesRemoved"] > 1
    table.create_checkpoint()

    assert world.verify().found == {}

    for commit in sorted((world.lake / "articles/_delta_log").glob("*.json"))[:-1]:
        commit.unlink()  # as the log's retention does: then only the checkpoint names them

    assert world.verify().found == {}


def test_an_older_index_is_updated_from_the_lake(world):
    story = Story(0, 80_000)
    shutil.copy(world.home / "index.db", world.home / "backup.db")
    world.press.stories[0][story.path] = story
    try:
        world.sweep()
        with open_index(f"sqlite:///{world.home / 'backup.db'}") as older:
            restored = replace(world, index=older, index_url=f"sqlite:///{world.home / 'backup.db'}")
            report = restored.verify(mend=True)

            assert report.found == {"row_without_article": 1, "capture_without_url": 1}
            assert restored.verify().found == {}
            rows = DeltaTable(str(world.lake / "articles")).count()
            restored.sweep()
            assert DeltaTable(str(world.lake / "articles")).count() == rows
    finally:
        del world.press.stories[0][story.path]
