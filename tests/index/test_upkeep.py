"""The daily upkeep of the index."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from tasks.index import outbox, runs
from tasks.index.database import open_index
from tasks.index.frontier import State
from tasks.index.schema import robots
from tasks.index.upkeep import KEPT, prune_daily, update_statistics
from tests.index.test_frontier import announce, announcement, over

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def prune(index, now):
    with index.write() as tx:
        return prune_daily(tx, now=now)


def test_old_rows_are_deleted_once_a_day(index, now):
    over(index, State.GONE, now=now)
    later = now + KEPT + timedelta(days=1)

    assert [prune(index, later), prune(index, later + timedelta(hours=23))] == [1, None]
    assert prune(index, later + timedelta(hours=24)) == 0


def test_rows_that_are_not_old_stay(index, now):
    announce(index, announcement(1), now=now)

    assert prune(index, now + KEPT) == 0


def test_runs_and_batches_are_deleted_after_their_dependents(index, now):
    with index.write() as tx:
        for name in ("published", "waiting"):
            runs.begin_run(tx, run_id=name, now=now)
            runs.end_run(tx, run_id=name, now=now, summary="{}")
            sequence = outbox.append(tx, batch_id=name, run_id=name, captures=(), articles=(), counts={}, now=now)
            if name == "published":
                outbox.clear(tx, [sequence])

    gone = [prune(index, now + KEPT), prune(index, now + KEPT + timedelta(days=2))]

    assert gone == [0, 3]
    with index.read() as tx:
        assert [outbox.decided_counts(tx, name) for name in ("published", "waiting")] == [None, {}]
        assert not runs.is_known(tx, "published")


def test_free_space_in_a_file_is_reused(tmp_path):
    path, sizes = tmp_path / "index.db", []
    rows = [{"origin": f"https://{n}.example", "body": b"x" * 9000, "fetched_at": NOW} for n in range(300)]
    for _ in range(3):
        with open_index(f"sqlite:///{path}") as index:
            with index.write() as tx:
                tx.execute(robots.insert(), rows)
            with index.write() as tx:
                tx.execute(robots.delete())
            update_statistics(index)
        sizes.append(path.stat().st_size)

    assert sizes[2] <= 1.05 * sizes[0]


def test_statistics_are_updated(empty_index_url, now):
    with open_index(empty_index_url) as index:
        announce(index, announcement(1), now=now)

        update_statistics(index)

        with index.read() as tx:
            names = "SELECT tbl FROM sqlite_stat1" if index.is_sqlite else "SELECT tablename FROM pg_stats"
            assert "frontier" in tx.execute(text(names)).scalars().all()
