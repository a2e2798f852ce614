"""Times stored by a wrong clock are corrected; plausible future times stay."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from tasks.index.clocks import HOSTS_AHEAD, URLS_AHEAD, cap_future_times
from tasks.index.feeds import FeedAddress, add_feeds
from tasks.index.schema import feeds, frontier, hosts, places
from tasks.index.upkeep import prune_daily
from tasks.values.feed import FeedKind
from tests.index.test_frontier import announce, announcement, claim


@pytest.mark.parametrize(("table", "key", "more"), [(hosts, "host", {"slowdown": 1.0}), (places, "place", {})])
def test_a_wait_of_a_year_is_cut_to_a_day(index, now, table, key, more):
    rows = [("far", timedelta(days=365)), ("near", timedelta(hours=23))]
    with index.write() as tx:
        tx.execute(insert(table), [{key: name, "next_slot_at": now + ahead, **more} for name, ahead in rows])
        brought = cap_future_times(tx, now=now)
        slots = dict(tx.execute(select(table.c[key], table.c.next_slot_at)).tuples().all())

    assert brought == 1
    assert slots == {"far": now + HOSTS_AHEAD, "near": now + timedelta(hours=23)}


@pytest.mark.parametrize("state", ["due", "done", "dropped"])
def test_a_url_due_in_years_becomes_due_in_a_month(index, now, state):
    announce(index, announcement(1), announcement(2), now=now)
    far, near = now + timedelta(days=900), now + timedelta(days=29)
    with index.write() as tx:
        tx.execute(update(frontier).where(frontier.c.url_key == "a.example/1").values(state=state, due_at=far))
        tx.execute(update(frontier).where(frontier.c.url_key == "a.example/2").values(state=state, due_at=near))
        brought = cap_future_times(tx, now=now)

    assert brought == 1
    assert [one.url_key for one in claim(index, now=now + timedelta(days=29))] == ["a.example/2"]
    assert "a.example/1" in {one.url_key for one in claim(index, now=now + URLS_AHEAD)}


def test_a_feed_due_in_years_becomes_due_in_a_month(index, now):
    with index.write() as tx:
        add_feeds(tx, [FeedAddress(feed_url="https://a.example/", source_id="a", kind=FeedKind.FEED)], now=now)
        tx.execute(update(feeds).values(due_at=now + timedelta(days=900)))
        cap_future_times(tx, now=now)

        assert tx.execute(select(feeds.c.due_at)).scalar_one() == now + URLS_AHEAD


def test_correct_times_cause_no_write(index, now):
    announce(index, announcement(1), now=now)
    with index.write() as tx:
        assert cap_future_times(tx, now=now) == 0


def test_upkeep_dated_in_the_future_is_repeated(index, now):
    with index.write() as tx:
        assert prune_daily(tx, now=now + timedelta(days=900)) is not None
        assert prune_daily(tx, now=now) is not None
