"""What polls have taught, on its way into the index: written in portions, so that memory does not grow with a sweep."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from tasks.errors import ItemError
from tasks.index import feeds, frontier
from tasks.index.database import Index
from tasks.index.feeds import FeedAddress, PollRecord
from tasks.index.frontier import Announcement
from tasks.models import DiscoverReport, Failure, FeedState
from tasks.reasons import Disposition

FLUSH_ENTRIES = 2000
FLUSH_RECORDS = 500
DETAIL_LENGTH = 500


@dataclass(slots=True)
class Ledger:
    """Announcements and poll records that are not written yet, and the tally of the whole sweep."""

    index: Index
    polled: int = 0
    unchanged: int = 0
    discovered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    _announcements: list[Announcement] = field(default_factory=list)
    _records: list[PollRecord] = field(default_factory=list)

    def announce(self, announcements: Iterable[Announcement]) -> None:
        """Take what a feed announces; call it before `record`, since what is not announced yet must not count as read."""
        for announcement in announcements:
            self._announcements.append(announcement)
            if len(self._announcements) >= FLUSH_ENTRIES:
                self.flush()

    def record(self, record: PollRecord) -> None:
        """Take what a poll taught."""
        self._records.append(record)
        if len(self._records) >= FLUSH_RECORDS:
            self.flush()

    def fail(self, feed: FeedState, url: str, error: ItemError) -> str:
        """Count what went wrong with a feed, and return the reason under which it is counted."""
        reason = f"feed_{error.counted_as}"
        self.polled += 1
        if error.disposition is Disposition.SKIPPED:
            self.skipped[reason] += 1
            return reason
        self.failed[reason] += 1
        self.failures.append(
            Failure(
                url=url,
                source_id=feed.source_id,
                reason=reason,
                disposition=error.disposition,
                detail=str(error)[:DETAIL_LENGTH],
                happened_at=datetime.now(UTC),
            )
        )
        return reason

    def states(self, addresses: Iterable[FeedAddress]) -> tuple[FeedState, ...]:
        """Return the state of feeds that others name; one that is known stays what it was."""
        return self._states(addresses, self.index.write)

    def _states(
        self, addresses: Iterable[FeedAddress], opened: Callable[[], AbstractContextManager[Connection]]
    ) -> tuple[FeedState, ...]:
        by_url = {one.feed_url: one for one in addresses}
        with opened() as tx:
            known = {feed.feed_url for feed in feeds.select_feeds(tx, by_url, due_by=None)}
            new = [one for feed_url, one in by_url.items() if feed_url not in known]
            feeds.know_feeds(tx, new, now=datetime.now(UTC))
            return feeds.select_feeds(tx, by_url, due_by=None)

    def flush(self) -> None:
        """Write what was learned; raises IndexUnavailable."""
        if not (self._announcements or self._records):
            return
        with self.index.write() as tx:
            discovered = frontier.announce(tx, self._announcements, now=datetime.now(UTC))
            feeds.record_polls(tx, self._records)
        self.discovered += discovered
        self._announcements, self._records = [], []

    def report(self) -> DiscoverReport:
        """Return the tally."""
        return DiscoverReport(
            polled=self.polled,
            unchanged=self.unchanged,
            discovered=self.discovered,
            skipped=dict(self.skipped),
            failed=dict(self.failed),
            failures=tuple(self.failures),
        )


@dataclass(slots=True)
class DryLedger(Ledger):
    """A ledger that writes nothing: it keeps the announcements of URLs that are not known, each once."""

    new: dict[str, Announcement] = field(default_factory=dict)

    def states(self, addresses: Iterable[FeedAddress]) -> tuple[FeedState, ...]:
        """Return the state of feeds that others name, as it would be."""
        return self._states(addresses, self.index.rehearse)

    def flush(self) -> None:
        """Keep what would be new; raises IndexUnavailable."""
        keys = [one.url_key for one in self._announcements]
        with self.index.read() as tx:
            known = frontier.find_known(tx, keys)
        for one in self._announcements:
            if one.url_key not in known:
                self.new.setdefault(one.url_key, one)
        self.discovered = len(self.new)
        self._announcements, self._records = [], []
