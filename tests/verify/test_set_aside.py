"""What a repair removes or changes is recorded first, kept for 30 days, and restored by `--undo`."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tasks.errors import ConfigError
from tasks.index.schema import articles, frontier
from tasks.lake.keys import SET_ASIDE, plan_key, set_aside_prefix
from tasks.lake.objects.stores import DirectoryStore
from tasks.verify.set_aside import list_set_asides
from tests.engine import Presslake
from tests.maintain.test_maintenance import tidy
from tests.verify.conftest import World
from tests.verify.planting import a_damaged_document, a_file_of_no_table, a_row_deleted_in_the_lake
from tests.verify.planting_index import a_url_of_an_article_that_is_not_there, an_edge_to_nowhere


class Killed(BaseException):
    """Simulates a kill between two steps."""


class DyingStore(DirectoryStore):
    """A store that simulates a kill before or after its n-th change (PUT or DELETE)."""

    def __init__(self, path, *, changes: int, is_after: bool) -> None:
        super().__init__(path)
        self._left, self._is_after = changes, is_after

    def put(self, key, body, **more):
        self._count(lambda: super(DyingStore, self).put(key, body, **more))

    def put_new(self, key, body):
        return self._count(lambda: super(DyingStore, self).put_new(key, body))

    def delete(self, key):
        self._count(lambda: super(DyingStore, self).delete(key))

    def _count(self, call):
        self._left -= 1
        if self._left == 0 and not self._is_after:
            raise Killed
        result = call()
        if self._left == 0:
            raise Killed
        return result


def test_a_plan_records_each_repair_and_where_objects_go(world):
    key = a_file_of_no_table(world)
    edge = an_edge_to_nowhere(world)

    report = world.verify(mend=True)

    plan = json.loads(world.store.get(plan_key(report.set_aside)))
    steps = {step["fault"]: step for step in plan["steps"]}
    moved = set_aside_prefix(report.set_aside) + key
    assert (steps["orphan_file"]["key"], steps["orphan_file"]["moves_to"]) == (key, moved)
    assert world.store.exists(moved)
    assert edge in steps["edge_without_article"]["key"]
    assert [(one.verify_id, one.objects) for one in report.set_asides] == [(report.set_aside, 1)]


def test_verification_without_repairs_sets_nothing_aside(world):
    assert world.verify(mend=True).set_aside is None
    a_file_of_no_table(world)
    assert world.verify().set_asides == ()


@pytest.mark.parametrize("is_after", [False, True])
def test_a_mend_that_is_killed_anywhere_can_be_undone_and_repeated(world, is_after):
    key = a_file_of_no_table(world)
    a_damaged_document(world)
    a_url_of_an_article_that_is_not_there(world)
    an_edge_to_nowhere(world)
    objects, rows = world.stored(), world.rows_of_index()
    for changes in range(1, 20):
        dying = World(world.home, world.index_url, world.index, world.press)
        try:
            _mend_on(dying, DyingStore(world.lake, changes=changes, is_after=is_after))
        except Killed:
            for one in list_set_asides(world.store):
                world.undo(one.verify_id)
                world.undo(one.verify_id)
            assert world.rows_of_index() == rows
            written_again = {one for one in objects if one.startswith("quarantine/")}
            assert {one for one in objects.items() if one[0] not in written_again} <= world.stored().items()
            continue
        break

    assert changes > 5
    assert not world.store.exists(key)
    assert world.verify().found == {}


def _mend_on(world: World, store: DirectoryStore) -> None:
    from tasks.verify.verification import verify

    verify(
        index=world.index, store=store, now=datetime.now(UTC) + timedelta(hours=2), is_repairing=True, sample=None,
        revisit_after=(), on_step=lambda *_: None,
    )  # fmt: skip


@pytest.mark.parametrize("is_after", [False, True])
def test_a_killed_undo_is_completed_by_the_next(world, is_after):
    a_file_of_no_table(world)
    an_edge_to_nowhere(world)
    objects, rows = world.stored(), world.rows_of_index()
    verify_id = world.verify(mend=True).set_aside
    for changes in (1, 2):
        with pytest.raises(Killed):
            world.undo(verify_id, DyingStore(world.lake, changes=changes, is_after=is_after))
        if is_after and changes == 1:
            break

    world.undo(verify_id)

    assert (world.stored(), world.rows_of_index()) == (objects, rows)
    again = world.undo(verify_id)
    assert (again.objects_restored, again.rows_restored, again.objects_kept, again.rows_kept) == (0, 0, (), ())


def test_newer_data_stays_and_is_reported(world):
    key = a_file_of_no_table(world)
    url_key = a_url_of_an_article_that_is_not_there(world)
    verify_id = world.verify(mend=True).set_aside
    world.store.put(key, b"of another")
    with world.index.write() as tx:
        tx.execute(update(frontier).where(frontier.c.url_key == url_key).values(attempts=7))

    done = world.undo(verify_id)

    assert (done.objects_kept, done.rows_kept) == ((key,), (f"frontier: {url_key}",))
    assert (done.objects_restored, done.rows_restored) == (0, 0)
    assert world.store.get(key) == b"of another"
    with world.index.read() as tx:
        assert tx.execute(select(frontier.c.attempts).where(frontier.c.url_key == url_key)).scalar_one() == 7


def test_an_article_whose_url_belongs_to_another_by_now_is_not_restored(world):
    gone = a_row_deleted_in_the_lake(world)
    with world.index.read() as tx:
        before = tx.execute(select(articles).where(articles.c.article_id == gone)).mappings().one()
    verify_id = world.verify(mend=True).set_aside
    with world.index.write() as tx:
        tx.execute(articles.insert().values({**before, "article_id": f"{7:032}"}))

    done = world.undo(verify_id)

    assert f"articles: {gone}" in done.rows_kept


def test_maintain_deletes_what_was_set_aside_30_days_ago(world):
    a_file_of_no_table(world)
    world.verify(mend=True)
    assert tidy(world, later=timedelta(days=29)).set_aside_deleted == 0
    assert tidy(world, later=timedelta(days=31), dry_run=True).set_aside_deleted == 2
    assert list(world.store.list(SET_ASIDE))

    assert tidy(world, later=timedelta(days=31)).set_aside_deleted == 2
    assert list(world.store.list(SET_ASIDE)) == []


@pytest.mark.parametrize("verify_id", ["20260101T000000Z-none", "../..", ""])
def test_an_undo_of_an_unknown_repair_is_one_clear_line(world, verify_id):
    with pytest.raises(ConfigError, match="nothing is set aside as"):
        world.undo(verify_id)


def test_a_mend_is_undone_on_the_command_line(world):
    command = Presslake(world.home, {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PRESSLAKE_INDEX": world.index_url})
    an_edge_to_nowhere(world)
    rows = world.rows_of_index()

    verify_id = command.run("verify", "--mend", "--json").json()["set_aside"]
    assert verify_id in command.run("verify").out
    told = command.run("verify", "--undo", verify_id, "--json").json()

    assert (told["verify_id"], told["rows_restored"], told["rows_kept"]) == (verify_id, 1, [])
    assert world.rows_of_index() == rows
    assert "0 rows of the index restored" in command.run("verify", "--undo", verify_id).out
    assert command.run("verify", "--undo", verify_id, "--mend", check=False).code == 2
    assert command.run("verify", "--undo", "nothing", check=False).code == 2
