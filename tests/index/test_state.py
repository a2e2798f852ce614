from datetime import timedelta

import pytest
from sqlalchemy import event

from tasks.index.frontier import BACKFILL
from tasks.index.schema import articles
from tasks.index.schema import frontier as frontier_table
from tasks.index.state import Due, SourceFeeds, read_state
from tests.index.test_frontier import announce, announcement, claim
from tests.metrics.filling import NOW, fill


@pytest.fixture
def state(index):
    fill(index)
    with index.read() as tx:
        return read_state(tx, now=NOW)


def test_urls_are_counted_by_source_and_state(state):
    assert state.urls == {"daily": {"done": 2, "dropped": 1, "quarantined": 1}, "b": {"due": 1}}


def test_feeds_are_counted_by_source(state):
    assert state.feeds == {"daily": SourceFeeds(polled=2, due=1, failing=1, ended=1, last_polled_at=NOW)}
    assert state.failing_feeds == {"http_404": 1}


def test_held_hosts_are_counted(state):
    assert (state.hosts, state.held_hosts, state.slowed_hosts) == (2, 1, 1)


def test_the_last_run_is_the_last_with_a_report(state):
    assert (state.last_run.ended_at, state.last_run.seconds) == (NOW, 12.5)
    assert state.last_run.counts == {"discovered": 5, "fetched": 2, "not_modified": 1, "failed": 3}
    assert state.runs == {"ended": 1, "running": 1}


def test_the_oldest_unpublished_decision_is_reported(state):
    assert (state.unpublished, state.unpublished_since) == (1, NOW)


def test_every_source_is_listed(state):
    assert state.source_ids == {"daily", "b"}


def test_due_counts_what_a_claim_would_take(index):
    announce(index, *(announcement(number, priority=number % 2 * BACKFILL) for number in range(9)), now=NOW)
    announce(index, announcement(20), now=NOW + timedelta(hours=1))
    claim(index, now=NOW - timedelta(minutes=10), limit=0)
    claim(index, now=NOW, limit=4)
    later = NOW + timedelta(seconds=301)

    with index.read() as tx:
        due = read_state(tx, now=later).due

    assert due == Due(urls=9, oldest_at=NOW, expired_leases=4)
    assert len(claim(index, now=later, owner="another", limit=99)) == 9


def test_an_empty_index_has_nothing_due(index):
    with index.read() as tx:
        assert read_state(tx, now=NOW).due == Due(urls=0, oldest_at=None, expired_leases=0)


@pytest.mark.parametrize("index_url", ["sqlite"], indirect=True)  # it tells its plan whatever is in the tables
def test_no_query_scans_urls_or_articles(index):
    statements: list[tuple[str, tuple]] = []
    engine = index._engine

    def note(_connection, _cursor, statement, parameters, *_):
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    with index.read() as tx:
        read_state(tx, now=NOW)
    event.remove(engine, "before_cursor_execute", note)

    with index.read() as tx:
        plans = [
            row.detail
            for statement, parameters in statements
            if statement.startswith("SELECT")
            for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    large = [one for one in plans if frontier_table.name in one or articles.name in one]
    assert len(large) >= 5
    assert [one for one in large if "COVERING INDEX" not in one and "ix_frontier_state" not in one] == []
