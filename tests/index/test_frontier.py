import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.index import announcing, frontier, runs
from tasks.index.announcing import Announcement
from tasks.index.database import Index
from tasks.index.frontier import Selection, Settlement, State
from tasks.index.hosts import HostLimits
from tasks.index.shards import Shard
from tasks.values.look import DueUrl
from tasks.values.permit import PermitEnd, PermitRequest
from tasks.values.rows import Outcome
from tasks.values.url import url_key

ALL = Selection()


def announcement(
    number: int, *, host: str = "a.example", source_id: str = "a", priority: int = frontier.NEWS
) -> Announcement:
    return Announcement(
        url=f"https://{host}/{number}",
        url_key=f"{host}/{number}",
        host=host,
        source_id=source_id,
        announced_by=f"https://{host}/feed",
        title=f"Story {number}",
        announced_at=datetime(2026, 2, 28, tzinfo=UTC),
        priority=priority,
    )


def announce(index: Index, *announcements: Announcement, now: datetime) -> int:
    with index.write() as tx:
        return announcing.announce(tx, announcements, now=now)


def claim(
    index: Index,
    *,
    now: datetime,
    selection: Selection = ALL,
    limit: int = 10,
    owner: str = "run",
    delay_s: float = 0.0,
) -> tuple[DueUrl, ...]:
    with index.write() as tx:
        return frontier.claim(
            tx,
            selection,
            owner=owner,
            limit=limit,
            lease_s=300,
            host_budget_s=120,
            crawl_delays_s={"a": delay_s, "b": delay_s},
            now=now,
        )


def settled(url_key: str, state: State, *, due_at: datetime | None = None, now: datetime) -> Settlement:
    return Settlement(
        url_key=url_key,
        state=state,
        due_at=due_at,
        attempts=0,
        outcome=Outcome.OK,
        reason=None,
        etag='"1"',
        last_modified=None,
        payload_digest="sha256:00",
        captured_at=now,
        article_id="0" * 32,
    )


def settle(index: Index, *settlements: Settlement) -> None:
    with index.write() as tx:
        frontier.settle(tx, settlements)


def test_a_url_announced_twice_is_stored_once(index, now):
    announce(index, announcement(1), now=now)

    again = announce(index, announcement(1), announcement(2), announcement(2), now=now)

    assert again == 1


def test_thousands_of_urls_are_announced_in_one_call(index, now):
    assert announce(index, *(announcement(number) for number in range(3000)), now=now) == 3000


def test_a_claimed_url_is_not_claimed_again(index, now):
    announce(index, announcement(1), announcement(2), now=now)
    claim(index, now=now)

    assert claim(index, now=now, owner="another") == ()


def test_a_claim_returns_the_announcer(index, now):
    announce(index, announcement(1), now=now)

    (due,) = claim(index, now=now)

    assert (due.announced_title, due.announced_at, due.attempt) == ("Story 1", datetime(2026, 2, 28, tzinfo=UTC), 1)


def test_a_url_with_an_expired_lease_is_claimed_again(index, now):
    announce(index, announcement(1), now=now)
    claim(index, now=now)

    assert len(claim(index, now=now + timedelta(seconds=301), owner="another")) == 1


def test_a_url_with_a_renewed_lease_is_not_claimed_again(index, now):
    announce(index, announcement(1), now=now)
    claim(index, now=now)
    with index.write() as tx:
        frontier.renew(tx, owner="run", lease_s=300, now=now + timedelta(seconds=200))

    assert claim(index, now=now + timedelta(seconds=301), owner="another") == ()


def test_a_batch_is_spread_over_many_hosts(index, now):
    announce(
        index,
        *(announcement(number, host=host) for host in ("a.example", "b.example", "c.example") for number in range(5)),
        now=now,
    )

    hosts = [due.host for due in claim(index, now=now, limit=6)]

    assert sorted(hosts) == ["a.example", "a.example", "b.example", "b.example", "c.example", "c.example"]


def test_a_slow_host_gets_no_more_than_its_time_budget(index, now):
    announce(index, *(announcement(number) for number in range(50)), now=now)

    assert len(claim(index, now=now, limit=50, delay_s=30.0)) == 5  # at 0, 30, 60, 90 and 120 s


def test_a_fully_reserved_host_is_skipped(index, now):
    announce(index, announcement(1), announcement(2, host="b.example"), now=now)
    book = HostLimits(index, clock=lambda: now)
    wanted = PermitRequest(host="a.example", delay_s=0, max_per_host=1, lease_s=60)
    [turn] = book.exchange_permits([], [wanted])
    book.exchange_permits([PermitEnd(permit=turn, delay_s=0, elapsed_s=0.1, hold_s=3600)], [])

    assert [due.host for due in claim(index, now=now)] == ["b.example"]


def test_news_has_priority_over_backfill(index, now):
    announce(index, announcement(1, priority=frontier.BACKFILL), now=now - timedelta(days=1))
    announce(index, announcement(2), now=now)

    assert [due.url_key for due in claim(index, now=now, limit=1)] == ["a.example/2"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (ALL, {"a.example/1", "b.example/1"}),
        (Selection(source_ids=frozenset({"b"})), {"b.example/1"}),
        (Selection(source_ids=frozenset()), set()),
        (Selection(url_keys=frozenset({"a.example/1"})), {"a.example/1"}),
    ],
)
def test_a_claim_keeps_to_its_selection(index, now, selection, expected):
    announce(index, announcement(1), announcement(1, host="b.example", source_id="b"), now=now)

    assert {due.url_key for due in claim(index, now=now, selection=selection)} == expected


@pytest.mark.parametrize(
    ("state", "in_s", "is_claimed"),
    [
        (State.DONE, None, False),
        (State.DONE, 60, False),
        (State.DONE, -1, True),
        (State.GONE, None, False),
        (State.QUARANTINED, None, False),
        (State.DROPPED, 60, False),
        (State.DROPPED, -1, True),
        (State.DUE, 60, False),
        (State.DUE, 0, True),
    ],
)
def test_a_settled_url_is_claimed_only_from_its_due_time(index, now, state, in_s, is_claimed):
    announce(index, announcement(1), now=now)
    claim(index, now=now)
    settle(
        index, settled("a.example/1", state, due_at=None if in_s is None else now + timedelta(seconds=in_s), now=now)
    )

    assert bool(claim(index, now=now)) is is_claimed


def test_a_recalled_url_keeps_its_validators(index, now):
    announce(index, announcement(1), now=now)
    claim(index, now=now)
    settle(index, settled("a.example/1", State.DONE, now=now))
    with index.write() as tx:
        frontier.recall(tx, ALL, now=now)

    (due,) = claim(index, now=now)

    assert (due.etag, due.payload_digest) == ('"1"', "sha256:00")


def test_a_gone_url_is_not_recalled(index, now):
    announce(index, announcement(1), now=now)
    claim(index, now=now)
    settle(index, settled("a.example/1", State.GONE, now=now))

    with index.write() as tx:
        recalled = frontier.recall(tx, ALL, now=now)

    assert recalled == 0


def test_a_deferred_url_is_due_at_its_time(index, now):
    announce(index, announcement(1), now=now)
    claim(index, now=now)
    with index.write() as tx:
        frontier.defer(tx, {"a.example/1": now + timedelta(minutes=5)})

    assert (claim(index, now=now), len(claim(index, now=now + timedelta(minutes=5)))) == ((), 1)


def test_pending_counts_urls_due_now_and_later(index, now):
    announce(index, announcement(1), announcement(2), announcement(3), now=now)
    claim(index, now=now, limit=2)
    settle(index, settled("a.example/1", State.DONE, now=now))

    with index.read() as tx:
        pending = frontier.count_pending(tx, ALL)

    assert pending == 2


def test_leases_of_a_dead_process_are_released_at_once(index, now):
    announce(index, announcement(1), now=now)
    with index.write() as tx:
        runs.begin_run(tx, run_id="run", now=now)
        tx.execute(
            runs.runs.update().values(process_born_at=1.0)
        )  # a different start time means that the process is dead
    claim(index, now=now)

    with index.write() as tx:
        released = runs.release_dead_runs(tx, now=now)

    assert (released, len(claim(index, now=now, owner="another"))) == (1, 1)


def test_leases_of_a_live_process_stay(index, now):
    announce(index, announcement(1), now=now)
    with index.write() as tx:
        runs.begin_run(tx, run_id="run", now=now)
    claim(index, now=now)

    with index.write() as tx:
        released = runs.release_dead_runs(tx, now=now)

    assert released == 0


def test_an_ending_run_releases_its_leases(index, now):
    announce(index, announcement(1), now=now)
    with index.write() as tx:
        runs.begin_run(tx, run_id="run", now=now)
    claim(index, now=now)
    with index.write() as tx:
        runs.end_run(tx, run_id="run", now=now, summary=None)

    assert len(claim(index, now=now, owner="another")) == 1


def test_unstorable_characters_are_replaced(index, now):
    announce(index, replace(announcement(1), title="a\x00b\ud800"), now=now)

    assert [due.announced_title for due in claim(index, now=now)] == ["a\ufffdb\ufffd"]


def test_concurrent_claims_share_the_due_urls(index, now):
    announce(index, *(announcement(number, host=f"{number}.example") for number in range(40)), now=now)
    claimed: list[DueUrl] = []

    def claim_some(owner: str) -> None:
        for _ in range(2):
            claimed.extend(claim(index, now=now, owner=owner))

    threads = [threading.Thread(target=claim_some, args=(owner,)) for owner in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(due.url_key for due in claimed) == sorted(f"{number}.example/{number}" for number in range(40))


def test_concurrent_renewing_and_settling_do_not_deadlock(index, now):
    keys = [f"a.example/{number}" for number in range(60)]
    announce(index, *(announcement(number) for number in range(60)), now=now)
    claim(index, now=now, limit=60)

    def renew() -> None:
        for _ in range(20):
            with index.write() as tx:
                frontier.renew(tx, owner="run", lease_s=300, now=now)

    thread = threading.Thread(target=renew)
    thread.start()
    for _ in range(20):
        settle(index, *(settled(key, State.LEASED, now=now) for key in reversed(keys)))
    thread.join()

    with index.read() as tx:
        assert frontier.count_by_state(tx) == {"a": {"leased": 60}}


def test_the_longest_url_is_announced_like_any_other(index, now):
    url = "https://a.example/" + "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=4000))
    announce(index, replace(announcement(1), url=url, url_key=url_key(url)), now=now)

    assert [due.url for due in claim(index, now=now)] == [url]


LONG = timedelta(days=90)


def over(index: Index, state: State, *, now: datetime, due_at: datetime | None = None) -> None:
    """Settle the URL in a final state."""
    announce(index, announcement(1), now=now)
    claim(index, now=now)
    settle(index, settled("a.example/1", state, due_at=due_at, now=now))


def prune(index: Index, *, before: datetime) -> int:
    with index.write() as tx:
        return frontier.prune(tx, before=before)


@pytest.mark.parametrize(
    ("state", "in_days", "forgotten"),
    [
        (State.GONE, None, 1),
        (State.DROPPED, None, 1),
        (State.DROPPED, 3, 0),
        (State.DONE, None, 0),
        (State.QUARANTINED, None, 0),
        (State.DUE, 0, 0),
    ],
)
def test_only_urls_final_for_long_are_forgotten(index, now, state, in_days, forgotten):
    over(index, state, now=now, due_at=None if in_days is None else now + timedelta(days=in_days))

    assert prune(index, before=now + LONG) == forgotten


def test_final_urls_are_kept_while_they_are_announced(index, now):
    over(index, State.DROPPED, now=now)

    assert announce(index, announcement(1), now=now + timedelta(days=80)) == 0
    assert prune(index, before=now + timedelta(days=10)) == 0
    assert prune(index, before=now + timedelta(days=81)) == 1


def test_an_announcement_does_not_reopen_a_final_url(index, now):
    over(index, State.GONE, now=now)

    announce(index, announcement(1), now=now + timedelta(days=2))

    with index.read() as tx:
        assert frontier.count_by_state(tx) == {"a": {"gone": 1}}


def test_a_forgotten_url_is_new_when_announced_again(index, now):
    over(index, State.GONE, now=now)
    prune(index, before=now + LONG)

    assert announce(index, announcement(1), now=now + LONG) == 1


def test_fewer_urls_of_a_slow_host_are_claimed(index, now):
    announce(index, *(announcement(number) for number in range(50)), now=now)
    book = HostLimits(index, clock=lambda: now - timedelta(minutes=10))
    [turn] = book.exchange_permits([], [PermitRequest(host="a.example", delay_s=0, max_per_host=1, lease_s=60)])
    book.exchange_permits([PermitEnd(permit=turn, delay_s=0, elapsed_s=30.0)], [])

    assert len(claim(index, now=now, limit=50)) == 5  # pauses as long as a response takes: 0, 30, 60, 90 and 120 s


def test_fewer_urls_of_a_busy_host_are_claimed(index, now):
    announce(index, *(announcement(number) for number in range(50)), now=now)
    book = HostLimits(index, clock=lambda: now - timedelta(minutes=10))
    wanted = PermitRequest(host="a.example", delay_s=15.0, max_per_host=1, lease_s=60)
    [turn] = book.exchange_permits([], [wanted])
    book.exchange_permits([PermitEnd(permit=turn, delay_s=15.0, elapsed_s=0.1, is_busy=True)], [])

    assert len(claim(index, now=now, limit=50, delay_s=15.0)) == 5


def test_forced_urls_are_due_in_any_state(index, now):
    announce(index, *(announcement(number) for number in range(5)), now=now)
    claim(index, now=now)
    for number, state in enumerate((State.DUE, State.DROPPED, State.GONE, State.QUARANTINED, State.DONE)):
        later = now + timedelta(days=1) if state is State.DUE else None
        settle(index, settled(f"a.example/{number}", state, due_at=later, now=now))
    with index.write() as tx:
        frontier.recall(tx, ALL, now=now, states=frontier.WAITING)

    # all are due since the same time, so the order is undefined
    assert {due.url_key for due in claim(index, now=now)} == {f"a.example/{number}" for number in range(4)}


def test_a_forced_url_waits_for_its_host(index, now):
    announce(index, announcement(1), now=now)
    book = HostLimits(index, clock=lambda: now)
    [turn] = book.exchange_permits([], [PermitRequest(host="a.example", delay_s=0, max_per_host=1, lease_s=60)])
    book.exchange_permits([PermitEnd(permit=turn, delay_s=0, elapsed_s=0.1, hold_s=3600)], [])
    with index.write() as tx:
        frontier.recall(tx, ALL, now=now, states=frontier.WAITING)

    assert claim(index, now=now) == ()


@pytest.mark.parametrize(
    ("announced_at", "is_claimed"),
    [
        (timedelta(hours=-5), True),
        (timedelta(hours=-7), False),
        (timedelta(hours=-12), True),  # midnight: a date without a time, on the day of `since`
        (timedelta(hours=-36), False),
        (None, True),
    ],
)
def test_since_claims_urls_published_since(index, now, announced_at, is_claimed):
    at = None if announced_at is None else now + announced_at
    announce(index, replace(announcement(1), announced_at=at), now=now)

    claimed = claim(index, now=now, selection=Selection(since=now - timedelta(hours=6)))

    assert bool(claimed) is is_claimed


def test_undated_urls_count_from_their_discovery(index, now):
    announce(index, replace(announcement(1), announced_at=None), now=now - timedelta(hours=7))

    assert claim(index, now=now, selection=Selection(since=now - timedelta(hours=6))) == ()


def test_shards_partition_all_urls_and_keep_a_domain_together(index, now):
    hosts = [f"{name}.site-{number}.co.uk" for number in range(20) for name in ("www", "m")]
    announce(index, *(announcement(1, host=host) for host in hosts), now=now)

    taken = [
        {due.host for due in claim(index, now=now, limit=100, selection=Selection(shard=Shard(number=number, of=3)))}
        for number in range(3)
    ]

    assert sorted(host for part in taken for host in part) == sorted(hosts)
    assert all(
        host.replace("www.", "m.") in part and host.replace("m.", "www.") in part for part in taken for host in part
    )
    assert all(taken)


def test_a_peek_counts_due_urls_without_leasing(index, now):
    announce(index, *(announcement(number) for number in range(5)), now=now)

    with index.read() as tx:
        number, first = frontier.peek(tx, ALL, limit=2, now=now)

    assert (number, [due.url_key for due in first]) == (5, ["a.example/0", "a.example/1"])
    assert len(claim(index, now=now)) == 5
