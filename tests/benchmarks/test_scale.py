"""A sweep's queries on a large index: none scans a whole table, whatever SQLite's statistics say."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from benchmarks.copies import NOW, announce, batch_of
from benchmarks.dedup import Press
from benchmarks.scale import HOSTS, Rate, grow
from tasks.deduplicate.deciding import decide_batch
from tasks.index import frontier, history
from tasks.index.database import open_index
from tasks.index.frontier import Selection
from tasks.index.hosts import HostLimits
from tasks.index.turns import Turns
from tasks.values.permit import PermitRequest

LARGE = ("frontier", "articles", "shapes", "postings", "edges", "aliases", "hosts")


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    with open_index(f"sqlite:///{tmp_path_factory.mktemp('grown') / 'index.db'}") as index:
        grow(index, 0, 3 * HOSTS, Rate(a_day=HOSTS, shapes_days=1, due=HOSTS // 10))
        yield index


def claim(tx):
    return frontier.claim(
        tx, Selection(), owner="a run", limit=50, lease_s=300, host_budget_s=120, crawl_delays_s={}, now=NOW, turns=Turns()
    )  # fmt: skip


def leases(index):
    with index.write() as tx:
        assert len(claim(tx)) == 50
        assert frontier.renew(tx, owner="a run", lease_s=1, now=NOW) == 50
        assert frontier.release(tx, owner="a run") == 50


def expired_leases(index):
    with index.write() as tx:
        held = claim(tx)
        frontier.renew(tx, owner="a run", lease_s=-1, now=NOW)
        again = frontier.claim(
            tx, Selection(), owner="another", limit=500, lease_s=300, host_budget_s=120, crawl_delays_s={}, now=NOW
        )  # fmt: skip
        assert {one.url_key for one in held} <= {one.url_key for one in again}
        frontier.release(tx, owner="another")


def decisions(index):
    press = Press()
    batch = batch_of([press.story(NOW + timedelta(seconds=place)) for place in range(20)], "a batch")
    announce(index, batch, NOW)
    assert decide_batch(batch, index=index, now=NOW).fetched == 20


def headlines(index):
    with index.read() as tx:
        assert len(history.find_newest(tx, ["old"], since=NOW - timedelta(hours=1), limit=10)) == 10


def permits(index):
    assert (
        len(
            HostLimits(index).exchange_permits(
                [], [PermitRequest(host="host-1.example", delay_s=0, max_per_host=1, lease_s=9)]
            )
        )
        == 1
    )


@pytest.mark.parametrize("asks", [leases, expired_leases, decisions, headlines, permits])
def test_no_query_of_a_sweep_scans_a_whole_table(grown, asks):
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, is_many):
        asked.append((statement, parameters[0] if is_many else parameters))

    event.listen(grown._engine, "before_cursor_execute", note)
    asks(grown)
    event.remove(grown._engine, "before_cursor_execute", note)

    with grown.read() as tx:
        plans = {
            (row.detail, statement)
            for statement, parameters in asked
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH"))
            for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        }
    assert plans
    assert [one for one in plans if one[0].startswith("SCAN") and one[0].split()[1] in LARGE] == []
