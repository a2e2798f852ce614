"""Maintenance after sweeps: clusters, files and the index; nothing else changes, and verify finds nothing."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable
from sqlalchemy import func, select, update

from tasks.index import clusters
from tasks.index.clusters import CLUSTER_COLUMNS
from tasks.index.schema import articles, facts, outbox, postings, shapes
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.reading import list_files, read_columns
from tasks.lake.rewriting import pack_rows, replace_files
from tasks.lake.tables import open_table
from tasks.maintain import algorithms
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import MaintainReport, maintain, summary_line
from tasks.values.text import sketch
from tests.e2e.chaos_press import Copy
from tests.press import Story
from tests.verify.conftest import World
from tests.verify.planting import a_batch_that_is_decided_and_not_published
from tests.verify.test_reindex import _reindex, _rows

DAY = timedelta(days=1)


def tidy(world: World, *, later: timedelta = timedelta(), store=None, **config) -> MaintainReport:
    return maintain(
        index=world.index,
        store=store or world.store,
        config=MaintainConfig(**config),
        now=datetime.now(UTC) + later,
        on_step=lambda *_: None,
    )


def rows_of(world: World, name: str, *columns: str) -> list[tuple]:
    """Return a table's rows as tuples, by default without `dt` and the columns that maintenance may change."""
    read = DeltaTable(str(world.lake / name)).to_pyarrow_table()
    names = columns or [one for one in read.schema.names if one not in {"dt", *CLUSTER_COLUMNS}]
    return sorted(zip(*(read[one].to_pylist() for one in names), strict=True), key=repr)


def told_of_clusters(world: World) -> dict[str, set[tuple]]:
    found: dict[str, set[tuple]] = {}
    for article_id, *shown in rows_of(world, ARTICLES, "article_id", *CLUSTER_COLUMNS):
        found.setdefault(article_id, set()).add(tuple(shown))
    return found


def right_of_clusters(world: World) -> dict[str, set[tuple]]:
    with world.index.read() as tx:
        ids = tx.execute(select(articles.c.cluster_id)).scalars().all()
        members = clusters.find_members(tx, ids)
    return {one.article_id: {tuple(getattr(one, name) for name in CLUSTER_COLUMNS)} for one in members.values()}


def stale_rows(world: World) -> int:
    right = right_of_clusters(world)
    return sum(told != right[article_id] for article_id, told in told_of_clusters(world).items())


class Killed(BaseException):
    """Simulates a kill between two steps."""


class DyingStore(DirectoryStore):
    """A store that raises Killed before or after its n-th PUT."""

    def __init__(self, path, *, puts: int, is_after: bool) -> None:
        super().__init__(path)
        self._left, self._is_after = puts, is_after

    def put(self, key, body, **more):
        self._left -= 1
        if self._left == 0 and not self._is_after:
            raise Killed
        super().put(key, body, **more)
        if self._left == 0:
            raise Killed


def test_cluster_columns_are_updated_from_the_index(world):
    assert stale_rows(world) > 0
    before = rows_of(world, ARTICLES), rows_of(world, CAPTURES)

    report = tidy(world)

    assert told_of_clusters(world) == right_of_clusters(world)
    assert (rows_of(world, ARTICLES), rows_of(world, CAPTURES)) == before
    assert report.clusters_told > 1
    assert report.cluster_rows > 1
    assert world.verify().found == {}
    assert tidy(world).clusters_told == tidy(world, later=DAY).cluster_rows == 0


def test_cluster_columns_are_updated_from_postgresql(world_on_postgresql):
    tidy(world_on_postgresql)

    assert told_of_clusters(world_on_postgresql) == right_of_clusters(world_on_postgresql)
    assert world_on_postgresql.verify().found == {}


def test_a_dry_run_reports_the_same_and_changes_nothing(world):
    before = {table: _rows(world.index, table, without=set()) for table in (facts, articles, shapes, outbox)}
    versions = {name: DeltaTable(str(world.lake / name)).version() for name in (ARTICLES, CAPTURES)}

    planned = tidy(world, later=DAY, dry_run=True)

    assert {table: _rows(world.index, table, without=set()) for table in before} == before
    assert {name: DeltaTable(str(world.lake / name)).version() for name in versions} == versions
    done = tidy(world, later=DAY)
    assert (planned.clusters_told, planned.cluster_rows) == (done.clusters_told, done.cluster_rows)
    assert planned.files_packed >= done.files_packed > 0  # rewriting rows packs some files as well


@pytest.mark.parametrize("is_after", [True, False])
@pytest.mark.parametrize("puts", [1, 2])
def test_a_maintenance_killed_between_two_steps_is_completed_by_the_next(world, puts, is_after):
    dying = DyingStore(world.lake, puts=puts, is_after=is_after)
    with pytest.raises(Killed):
        tidy(world, later=DAY, store=dying)
    assert stale_rows(world) >= 0

    tidy(world, later=DAY)

    assert stale_rows(world) == 0
    assert world.verify().found == {}
    world.verify(mend=True)
    assert world.verify().found == {}


def test_a_batch_waiting_in_the_outbox_gets_cluster_columns_too(world):
    tidy(world)
    with world.index.write() as tx:
        cluster_id = tx.execute(select(articles.c.cluster_id).group_by(articles.c.cluster_id).having(func.count() > 1)).scalars().first()  # fmt: skip
        clusters.mark(tx, [cluster_id])
    a_batch_that_is_decided_and_not_published(world)

    tidy(world)

    with world.index.read() as tx:
        assert tx.execute(select(func.count()).select_from(outbox)).scalar_one() == 0
    assert stale_rows(world) == 0
    assert world.verify().found == {}


def test_a_concurrent_sweep_loses_nothing(world):
    """Revisions and copies arrive while files are repeatedly packed and updated."""
    errors: list[BaseException] = []
    ended = threading.Event()

    def keep_tidying() -> None:
        try:
            while not ended.is_set():
                tidy(world, later=DAY)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            errors.append(error)

    thread = threading.Thread(target=keep_tidying)
    thread.start()
    try:
        with grown(world, 12):
            world.sweep()
    finally:
        ended.set()
        thread.join(timeout=60)

    tidy(world, later=DAY)
    assert errors == []
    assert stale_rows(world) == 0
    assert world.verify().found == {}


@contextmanager
def grown(world: World, number: int) -> Iterator[None]:
    """Add stories to the press during the block."""
    several = {story.path: story for story in (Story(0, 60_000 + n) for n in range(number))}
    before = dict(world.press.stories[0])
    world.press.stories[0] |= several
    try:
        yield
    finally:
        world.press.stories[0] = before


def test_concurrent_maintenances_do_each_thing_once(world):
    before = rows_of(world, ARTICLES)
    threads = [threading.Thread(target=tidy, args=(world,), kwargs={"later": DAY}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    tidy(world, later=DAY)
    assert rows_of(world, ARTICLES) == before
    assert stale_rows(world) == 0


def test_small_files_of_past_days_are_packed(world):
    before = rows_of(world, CAPTURES)
    assert tidy(world).files_packed == 0  # today's files are not packed

    report = tidy(world, later=DAY)

    assert len(list_files(open_table(world.store, CAPTURES), CAPTURES)) == 1
    assert report.files_packed > 1
    assert rows_of(world, CAPTURES) == before
    assert tidy(world, later=DAY).files_packed == 0
    assert world.verify().found == {}


@pytest.mark.parametrize(("days", "is_over"), [(-6, False), (-8, True)])
def test_replaced_files_are_deleted_after_a_week(world, days, is_over):
    planned = tidy(world, later=timedelta(days=days)).files_deleted

    assert (planned + tidy(world).files_deleted > 0) == is_over
    assert world.verify().found == {}


def test_an_old_uncommitted_file_is_deleted(world):
    table = open_table(world.store, CAPTURES)
    stray = list_files(table, CAPTURES)[0].key.replace(".parquet", "x.parquet")
    world.store.put(stray, b"")
    assert tidy(world).files_deleted == 0
    old = (datetime.now(UTC) - 8 * DAY).timestamp()
    os.utime(world.lake / stray, (old, old))

    assert tidy(world).files_deleted == 1
    assert not world.store.exists(stray)


def test_reindex_gives_the_same_index_after_maintenance(world, index):
    tidy(world, later=DAY)

    _reindex(index, world.store)

    for table, varying in ((articles, {"cluster_id"}), (shapes, {"number"})):
        assert _rows(index, table, without=varying) == _rows(world.index, table, without=varying)
    new = replace(world, index=index)
    assert new.verify().found == {}
    tidy(new, later=DAY)
    assert stale_rows(new) == 0
    assert new.verify().found == {}


def age(world: World) -> None:
    """Set the algorithm numbers in index and lake to an older one."""
    with world.index.write() as tx:
        old = "t0:" + func.substr(articles.c.text_digest, 4)
        tx.execute(update(articles).values(text_digest=old))
        tx.execute(update(shapes).values(algorithm=0, shingles=b"", words=1))
    table = open_table(world.store, ARTICLES)
    for file in list_files(table, ARTICLES):
        rows = read_columns(world.store, file)
        place = rows.schema.get_field_index("text_digest")
        older = [f"t0:{one[3:]}" for one in rows["text_digest"].to_pylist()]
        rows = rows.set_column(place, rows.schema.field(place), [older])
        new = pack_rows(file.day, rows)
        assert replace_files(world.store, table, [file], [new], is_changed=True, now=datetime.now(UTC))


def test_values_of_an_older_algorithm_are_recomputed_from_the_lakes_text(world):
    tidy(world)
    right = {table: _rows(world.index, table, without={"number"}) for table in (articles, shapes)}
    lake, count = rows_of(world, ARTICLES), len(_rows(world.index, postings, without={"number"}))
    age(world)
    assert rows_of(world, ARTICLES) != lake

    report = tidy(world)

    assert (report.articles_moved, report.rows_moved) == (39, 42)
    assert {table: _rows(world.index, table, without={"number"}) for table in right} == right
    assert len(_rows(world.index, postings, without={"number"})) == count
    assert rows_of(world, ARTICLES) == lake
    assert world.verify().found == {}
    assert (tidy(world).articles_moved, tidy(world).rows_moved) == (0, 0)


def test_an_interrupted_migration_continues(world):
    tidy(world)
    right, lake = _rows(world.index, shapes, without={"number"}), rows_of(world, ARTICLES)
    age(world)
    with pytest.raises(Killed):
        tidy(world, store=DyingStore(world.lake, puts=1, is_after=True))
    assert set(world.verify().found) <= {"orphan_file"}

    assert tidy(world).rows_moved > 0

    assert (_rows(world.index, shapes, without={"number"}), rows_of(world, ARTICLES)) == (right, lake)


def test_texts_of_different_algorithms_are_not_compared(world):
    age(world)
    story = next(iter(world.press.stories[0].values()))
    near = Copy(2, 66_000 + (story.number + 1) % 28, origin=story, tail="Our reporters were there too.")
    world.press.stories[2][near.path] = near
    try:
        world.sweep()
    finally:
        del world.press.stories[2][near.path]
    assert cluster_sizes(world, near) == 1

    tidy(world)

    assert cluster_sizes(world, near) > 1
    assert stale_rows(world) == 0


def cluster_sizes(world: World, story: Story) -> int:
    with world.index.read() as tx:
        mine = select(articles.c.cluster_id).where(articles.c.url.like(f"%{story.path}")).scalar_subquery()
        return tx.execute(select(func.count()).where(articles.c.cluster_id == mine)).scalar_one()


def test_texts_without_a_shape_are_included_in_the_migration(world):
    with world.index.write() as tx:
        tx.execute(postings.delete())
        tx.execute(shapes.delete())
    assert tidy(world).articles_moved == 0
    with world.index.write() as tx:
        tx.execute(update(facts).where(facts.c.name == algorithms.FACT).values(value=f"1.{sketch.ALGORITHM - 1}"))

    assert tidy(world).articles_moved == 39
    assert tidy(world).articles_moved == 0


def test_old_shapes_are_deleted(world):
    with world.index.read() as tx:
        known = tx.execute(select(func.count()).select_from(shapes)).scalar_one()

    assert tidy(world).shapes_forgotten == 0  # published last winter, but fetched today
    assert tidy(world, later=timedelta(days=91)).shapes_forgotten == known

    assert _rows(world.index, postings, without=set()) == []
    assert world.verify().found == {}


def test_the_headline_lists_what_was_done(world):
    report = tidy(world, later=DAY)

    assert summary_line(report).startswith(f"{report.cluster_rows} rows updated with their cluster, ")
    assert summary_line(tidy(world, later=DAY)) == "Nothing to do."
    assert summary_line(replace(report, is_dry_run=True)).startswith("Would be: ")
