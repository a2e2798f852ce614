"""Fill an index with data for every metric, as sweeps do."""

from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import update

from tasks.index import announcing, feeds, runs
from tasks.index.database import Index
from tasks.index.feeds import FeedAddress, PollRecord
from tasks.index.hosts import HostLimits
from tasks.index.schema import frontier as frontier_table
from tasks.index.schema import hosts
from tasks.reasons import Disposition
from tasks.values.feed import FeedKind
from tasks.values.permit import LearnedRobots, RobotsAnswer
from tasks.values.rows import Outcome
from tests.deduplicate.deciding import decide
from tests.index.test_frontier import announcement

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
TEXT = "The harbour of the old town reopened on Monday after eleven months of work on its northern quay. " * 12


def fill(index: Index, *, now: datetime = NOW) -> None:
    """Add two articles of `daily` (one a copy), a failure, a quarantined page, a due URL, feeds, hosts and runs."""
    decide(
        index,
        "b1",
        {
            "a.example/1": TEXT,
            "a.example/2": TEXT,
            "a.example/3": (Outcome.FAILED, Disposition.DROPPED),
            "a.example/4": (Outcome.QUARANTINED, Disposition.QUARANTINED),
        },
        now=now,
    )
    with index.write() as tx:
        tx.execute(update(frontier_table).values(source_id="daily"))  # as in the captures
        announcing.announce(tx, [announcement(9, source_id="b")], now=now - timedelta(hours=2))
        addresses = [
            FeedAddress(feed_url=f"https://a.example/{name}", source_id="daily", kind=FeedKind.FEED)
            for name in ("good", "bad", "ended")
        ]
        feeds.add_feeds(tx, addresses, now=now)
        feeds.record_polls(
            tx,
            [
                _poll("good", now=now, due_at=now + timedelta(hours=1)),
                _poll("bad", now=now, due_at=now, reason="http_404"),
                _poll("ended", now=now, due_at=None),
            ],
        )
        runs.begin_run(tx, run_id="r1", now=now)
        summary = {"discovered": 5, "fetched": 2, "not_modified": 1, "failed": {"http_404": 3}, "seconds": 12.5}
        runs.end_run(tx, run_id="r1", now=now, summary=orjson.dumps(summary).decode())
        runs.begin_run(tx, run_id="r2", now=now)
    HostLimits(index, clock=lambda: now).exchange_permits(
        [], [], [_learned("a.example", now), _learned("b.example", now)]
    )
    with index.write() as tx:
        held = {"next_slot_at": datetime(2100, 1, 1, tzinfo=UTC), "slowdown": 4.0}
        tx.execute(update(hosts).where(hosts.c.host == "b.example").values(held))


def _poll(name: str, *, now: datetime, due_at: datetime | None, reason: str | None = None) -> PollRecord:
    return PollRecord(
        feed_url=f"https://a.example/{name}", polled_at=now, due_at=due_at, interval_s=3600.0, failures=int(bool(reason)),
        reason=reason, entries=1, etag=None, last_modified=None, body_digest=None,
    )  # fmt: skip


def _learned(host: str, now: datetime) -> LearnedRobots:
    answer = RobotsAnswer(origin=f"https://{host}", status=200, body=b"", fetched_at=now)
    return LearnedRobots(answer=answer, host=host, crawl_delay_s=None)
