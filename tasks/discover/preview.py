"""A dry run: what a sweep would find and fetch.

Feeds are polled, politely; nothing else happens and nothing is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.discover.intake import DryPollLog
from tasks.discover.plan import SweepPlan
from tasks.discover.polling import poll_feeds
from tasks.discover.schedule import PollConfig
from tasks.index import announcing, frontier
from tasks.index.announcing import Announcement
from tasks.index.database import Index
from tasks.politeness.client import PoliteClient
from tasks.runtime.reading import Reader
from tasks.values.feed import FeedState
from tasks.values.look import DueUrl
from tasks.values.reports import DiscoverReport

SHOWN = 200
"""The most URLs that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a sweep would find: how many URLs are new, how many it would fetch, and the first of these, in order."""

    run_id: str
    polled: int
    discovered: int
    would_fetch: int
    skipped: dict[str, int]
    failed: dict[str, int]
    urls: tuple[DueUrl, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--dry-run --json` prints."""
        urls = [
            {"url": one.url, "source_id": one.source_id, "is_known": one.captured_at is not None} for one in self.urls
        ]
        return {"dry_run": True, **asdict(self), "urls": urls, "seconds": round(self.seconds, 3)}


async def preview_sweep(
    feeds: Sequence[FeedState],
    *,
    plan: SweepPlan,
    limit: int,
    client: PoliteClient,
    index: Index,
    config: PollConfig,
    polled_one: Callable[[], None],
    reader: Reader | None = None,
) -> tuple[DiscoverReport, int, tuple[DueUrl, ...]]:
    """Poll the feeds; return the report, how many URLs would be fetched, and the first of them.

    Raises IndexUnavailable. Memory grows with the URLs that are new.
    """
    poll_log = DryPollLog(index)
    report = await poll_feeds(
        feeds,
        client=client,
        rules=plan.rules,
        index=index,
        config=config,
        polled_one=polled_one,
        since=plan.selection.since,
        poll_log=poll_log,
        owners=plan.owners,
        reader=reader,
    )
    return report, *_rehearse(index, plan, tuple(poll_log.new.values()), limit=limit)


def _rehearse(
    index: Index, plan: SweepPlan, new: Sequence[Announcement], *, limit: int
) -> tuple[int, tuple[DueUrl, ...]]:
    """Do in the index what the sweep would do, read what is due then, and roll back."""
    now = datetime.now(UTC)
    with index.rehearse() as tx:
        announcing.announce(tx, [*plan.urls, *new], now=now)
        for recalled in plan.recalls:
            frontier.recall(tx, recalled.selection, now=now, states=recalled.states)
        number, urls = frontier.peek(tx, plan.selection, limit=min(limit or SHOWN, SHOWN), now=now)
    return min(number, limit) if limit else number, urls
