from datetime import timedelta

from tasks.index import feeds, frontier, health
from tasks.index.feeds import FeedAddress, PollRecord
from tasks.index.frontier import State
from tasks.index.health import Alarm, AlarmKind, ArrivalDay, Quarantined, Tally, TallyKind
from tasks.values.feed import FeedKind
from tests.index.test_frontier import announce, announcement, over

HOUR = timedelta(hours=1)


def tally(now, **changes) -> Tally:
    values = {
        "source_id": "daily", "day": now.date(), "kind": TallyKind.LOOK, "what": "new", "number": 2, "last_at": now,
        "run_id": "r1", "run_number": 2,
    }  # fmt: skip
    return Tally(**(values | changes))


def test_batches_of_a_run_add_up_and_each_run_has_its_own_count(index, now):
    with index.write() as tx:
        health.add_tallies(tx, [tally(now), tally(now, what="http_403")])
        health.add_tallies(tx, [tally(now)])
        health.add_tallies(tx, [tally(now, what="http_403", run_id="r2", last_at=now - HOUR)])
        found = {one.what: one for one in health.find_tallies(tx, ["daily"], since=now.date())}

    assert found["new"] == tally(now, number=4, run_number=4)
    assert found["http_403"] == tally(now, what="http_403", number=4, run_id="r2", run_number=2)


def test_tallies_are_added_up_over_all_days_recent_days_and_a_run(index, now):
    days = [now.date() - timedelta(days=ago) for ago in range(3)]
    with index.write() as tx:
        health.add_tallies(tx, [tally(now - ago * HOUR, day=day, run_id=f"r{ago}") for ago, day in enumerate(days)])
        (total,) = health.find_totals(tx, ["daily", "weekly"], since=days[2], recent=days[1], run_ids={"r0"})

    assert (total.number, total.recent, total.in_run, total.last_at) == (6, 4, 2, now)


def test_only_the_requested_sources_and_days_are_found(index, now):
    yesterday = now.date() - timedelta(days=1)
    with index.write() as tx:
        health.add_tallies(tx, [tally(now), tally(now, source_id="weekly"), tally(now, day=yesterday)])

        assert [one.day for one in health.find_tallies(tx, ["daily"], since=now.date())] == [now.date()]
        assert len(health.find_tallies(tx, ["daily", "weekly"], since=yesterday)) == 3


def test_arrivals_add_up_by_hour_and_keep_the_newest(index, now):
    hours = tuple(int(hour == 9) for hour in range(24))
    day = ArrivalDay(source_id="daily", day=now.date(), hours=hours, newest_at=now)
    with index.write() as tx:
        health.add_arrivals(tx, [day])
        health.add_arrivals(tx, [ArrivalDay(source_id="daily", day=now.date(), hours=hours, newest_at=now - HOUR)])
        (found,) = health.find_arrivals(tx, ["daily"], since=now.date())["daily"]
        newest = health.find_newest(tx, ["daily", "weekly"])

    assert (found.hours[9], sum(found.hours), found.newest_at) == (2, 2, now)
    assert newest == {"daily": now}


def test_a_feed_is_failing_after_consecutive_failures_or_if_it_has_ended(index, now):
    addresses = [
        FeedAddress(feed_url=f"https://a.example/{number}", source_id="a", kind=FeedKind.FEED) for number in range(4)
    ]
    records = [
        PollRecord(
            feed_url=one.feed_url, polled_at=now + number * HOUR, due_at=None if number == 1 else now, interval_s=900, failures=(0, 1, 2, 3)[number],
            reason="feed_http_403" if number else None, entries=1, etag=None, last_modified=None, body_digest=None,
        )
        for number, one in enumerate(addresses)
    ]  # fmt: skip
    with index.write() as tx:
        feeds.add_feeds(tx, addresses, now=now)
        feeds.record_polls(tx, records)
        found = health.find_feeds(tx, ["a", "b"], failures=3)

    assert found.keys() == {"a"}
    assert (found["a"].feeds, found["a"].failing, found["a"].reason) == (4, 2, "feed_http_403")
    assert found["a"].heard_at == now


def test_a_source_is_pending_while_a_url_is_due(index, now):
    announce(index, announcement(1), now=now)

    with index.read() as tx:
        assert health.find_waiting(tx, now=now) == {announcement(1).source_id}
        assert health.find_waiting(tx, now=now - HOUR) == set()


def test_an_alarm_is_kept_until_it_ends(index, now):
    alarm = Alarm(source_id="daily", kind=AlarmKind.SILENT, reason="nothing", began_at=now)
    told = Alarm(source_id="daily", kind=AlarmKind.SILENT, reason="nothing", sweeps=2, began_at=now, told_at=now)
    with index.write() as tx:
        health.write_alarms(tx, [alarm], over=[])
        health.write_alarms(tx, [told], over=[])
        kept = health.find_alarms(tx, ["daily", "weekly"])
        health.write_alarms(tx, [], over=[told])

        assert (kept, health.find_alarms(tx, ["daily"])) == ([told], [])


def test_the_quarantine_lists_its_current_entries_newest_first(index, now):
    over(index, State.QUARANTINED, now=now)
    with index.read() as tx:
        (url_key,) = tx.execute(frontier.select(frontier.frontier.c.url_key)).scalars()
    pages = [
        Quarantined(
            document_key=f"quarantine/dt=2026-03-01/b{number}-0.json", url_key=key, source_id="daily", url="https://x",
            reason="extractor_crashed", captured_at=now + number * HOUR,
        )
        for number, key in enumerate([url_key, url_key, "a.example/mended"])
    ]  # fmt: skip
    with index.write() as tx:
        health.note_quarantined(tx, pages)
        health.note_quarantined(tx, pages)

        assert health.find_quarantined(tx, limit=5) == [pages[1], pages[0]]


def test_old_days_are_forgotten(index, now):
    with index.write() as tx:
        health.add_tallies(tx, [tally(now), tally(now, day=now.date() - timedelta(days=9))])

        assert health.prune(tx, before=now - timedelta(days=8)) == 1
        assert len(health.find_tallies(tx, ["daily"], since=now.date() - timedelta(days=30))) == 1
