"""Sources take turns, then their hosts; the cost of a claim does not grow with the number of due URLs."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, text

from tasks.index import frontier
from tasks.index.frontier import Selection, State
from tasks.index.schema import frontier as rows_table
from tasks.index.schema import hosts
from tasks.index.shards import Shard, shard_key
from tasks.index.turns import MOST_JUMPS, Turns

ALL = Selection()


def fill(index, now, *groups, first=0):
    """Insert frontier rows: (source, number, number of hosts, host name, in_s, priority)."""
    for source_id, number, of_hosts, name, in_s, priority in groups:
        rows = [
            {
                "url_key": f"{name}{one % of_hosts}.example/{source_id}/{one}",
                "url": f"https://{name}{one % of_hosts}.example/{source_id}/{one}",
                "host": f"{name}{one % of_hosts}.example",
                "source_id": source_id,
                "state": State.DUE,
                "priority": priority,
                "due_at": now + timedelta(seconds=in_s, microseconds=one),
                "attempts": 0,
                "discovered_at": now,
                "shard": shard_key(f"{name}{one % of_hosts}.example"),
            }
            for one in range(first, first + number)
        ]
        with index.write() as tx:
            tx.execute(insert(rows_table), rows)


def claim(index, now, *, turns=None, limit=20, selection=ALL, delay_s=0.0, without=()):
    with index.write() as tx:
        return frontier.claim(
            tx,
            selection,
            owner="run",
            limit=limit,
            lease_s=300,
            host_budget_s=120,
            crawl_delays_s=dict.fromkeys("abc", delay_s),
            now=now,
            turns=turns,
            without=without,
        )


def sources(claimed):
    return [one.source_id for one in claimed]


def test_a_source_with_few_urls_does_not_wait_for_one_with_many(index, now):
    fill(index, now, ("a", 3000, 3000, "many", -100, 0), ("b", 25, 1, "few", -1, 0))
    turns = Turns()

    first, second = (claim(index, now, turns=turns, limit=40) for _ in range(2))

    assert sources(first).count("b") == 20
    assert sources(first + second).count("b") == 25


def test_a_host_with_few_urls_does_not_wait_for_one_with_many(index, now):
    fill(index, now, ("a", 500, 1, "many", -100, 0), ("a", 3, 1, "few", -1, 0))

    claimed = claim(index, now)

    assert [one.host for one in claimed][:4] == ["few0.example", "many0.example"] * 2
    assert len(claimed) == 20


def test_the_next_claim_continues_the_turns(index, now):
    fill(index, now, *((name, 9, 9, name, -1, 0) for name in "abc"))
    turns = Turns()

    claimed = [sources(claim(index, now, turns=turns, limit=2)) for _ in range(3)]

    assert claimed == [["a", "b"], ["c", "a"], ["b", "c"]]


def test_hosts_take_turns_over_several_claims(index, now):
    fill(index, now, ("a", 60, 6, "h", -1, 0))
    turns = Turns()

    claimed = [[one.host[:2] for one in claim(index, now, turns=turns, limit=4)] for _ in range(3)]

    assert claimed == [["h0", "h1", "h2", "h3"], ["h4", "h5", "h0", "h1"], ["h2", "h3", "h4", "h5"]]


def test_news_of_all_sources_has_priority(index, now):
    fill(index, now, ("a", 5, 5, "old", -100, frontier.BACKFILL), ("b", 5, 1, "new", -1, frontier.NEWS))

    assert sources(claim(index, now, limit=8)) == ["b"] * 5 + ["a"] * 3


def test_a_host_of_two_sources_has_one_budget(index, now):
    fill(index, now, ("a", 50, 1, "same", -1, 0), ("b", 50, 1, "same", -1, 0))

    assert len(claim(index, now, limit=100, delay_s=40.0)) == 4


def test_urls_not_due_yet_do_not_hide_due_ones(index, now):
    waiting = MOST_JUMPS + 50
    fill(index, now, ("a", waiting, waiting, "a", 3600, 0), ("a", 3, 3, "z", -1, 0))

    assert sorted(one.host for one in claim(index, now)) == ["z0.example", "z1.example", "z2.example"]


def test_an_excluded_source_is_not_claimed(index, now):
    fill(index, now, ("a", 5, 5, "h", -1, 0), ("b", 5, 5, "h", -1, 0))

    assert sources(claim(index, now, without={"a"})) == ["b"] * 5


def test_each_shard_claims_its_own_hosts(index, now):
    fill(index, now, ("a", 40, 40, "h", -1, 0))

    parts = [claim(index, now, limit=40, selection=Selection(shard=Shard(number=one, of=2))) for one in range(2)]

    assert min(len(part) for part in parts) > 0
    assert len({one.url_key for part in parts for one in part}) == 40


def test_a_fully_reserved_host_does_not_block_its_sources_other_hosts(index, now):
    fill(index, now, ("a", 4, 2, "h", -1, 0))
    with index.write() as tx:
        booked = {"host": "h0.example", "next_slot_at": now + timedelta(hours=1), "slowdown": 1.0}
        tx.execute(insert(hosts), [booked])

    assert {one.host for one in claim(index, now)} == {"h1.example"}


@pytest.mark.parametrize("of_hosts", [1, 7, 10**9])
def test_a_claims_cost_does_not_grow_with_the_due_urls(index, now, of_hosts):
    fill(index, now, ("a", 2000, of_hosts, "h", -1, 0))
    few = steps_of(index, now)
    fill(index, now, ("a", 18_000, of_hosts, "h", -1, 0), first=2000)

    assert steps_of(index, now) < 1.5 * few


def steps_of(index, now):
    """Measure a claim of 40 URLs: SQLite's virtual machine steps in hundreds, or the pages that PostgreSQL reads."""
    with index.rehearse() as tx:
        if index.is_sqlite:
            number = 0

            def count():
                nonlocal number
                number += 1

            driver = tx.connection.driver_connection
            driver.set_progress_handler(count, 100)
        else:
            tx.execute(text("ANALYZE frontier"))
            before = pages_of(tx)
        frontier.claim(
            tx, Selection(), owner="run", limit=40, lease_s=300, host_budget_s=120, crawl_delays_s={}, now=now
        )
        if index.is_sqlite:
            driver.set_progress_handler(None, 0)
            return number
        return pages_of(tx) - before


def pages_of(tx):
    tx.execute(text("SELECT pg_stat_force_next_flush()"))
    asked = "pg_stat_get_xact_blocks_fetched('frontier'::regclass)"
    indexes = (
        "(SELECT sum(pg_stat_get_xact_blocks_fetched(indexrelid)) FROM pg_index WHERE indrelid = 'frontier'::regclass)"
    )
    return float(tx.execute(text(f"SELECT {asked} + {indexes}")).scalar_one())
