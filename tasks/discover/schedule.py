"""Schedule the next poll of a feed.

Pure; clock and randomness are arguments. The interval is the longest of ttl, max-age and updatePeriod (`ttl_s` covers
ttl and updatePeriod) and half the mean time between entries, within bounds (ten minutes to a day unless its source says
otherwise), with a jitter of a tenth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.values.feed import FeedState

WEEK = timedelta(days=7)
DAY_S = 86_400.0
FIRST_DOUBT = 3
"""After this many polls in a row without news, a feed is polled without validators."""

SIGHTINGS_BELIEVED = 3
"""After this many permanent redirects in a row to the same URL, the feed is polled there directly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollConfig:
    """Bounds of the interval between two polls, in seconds, and the share of jitter."""

    shortest_s: float = 600.0
    longest_s: float = 86_400.0
    spread: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOutcome:
    """The outcome of a poll, as far as the next one depends on it.

    `entries` counts those of a week (see `fresh_count`), None if the body was not read. `pace_s` replaces them if other
    feeds decide: an index is as fast as its fastest sitemap. `retry_after_at` without a failure means that the feed was
    not polled.
    """

    is_failure: bool
    is_gone: bool = False
    ttl_s: float | None = None
    max_age_s: float | None = None
    entries: int | None = None
    pace_s: float | None = None
    retry_after_s: float | None = None
    retry_after_at: datetime | None = None


def next_poll(
    feed: FeedState, outcome: PollOutcome, *, now: datetime, jitter: float, config: PollConfig
) -> tuple[datetime | None, float | None, int]:
    """Return when the feed is due (None: never), its normal interval (seconds), and its consecutive failures.

    `jitter` is from 0 to 1. A feed that is gone is only polled again when it is named by --feed.
    """
    if outcome.is_gone:
        return None, feed.interval_s, feed.failures + 1
    if outcome.retry_after_at is not None and not outcome.is_failure:
        return outcome.retry_after_at, feed.interval_s, feed.failures
    if outcome.is_failure:
        interval_s, failures = feed.interval_s, feed.failures + 1
        # 2 ** 20 exceeds every bound without overflow
        wait_s = min(max(interval_s or 0.0, config.shortest_s) * 2 ** min(failures, 20), config.longest_s)
    else:
        interval_s, failures = _interval_s(feed, outcome, config), 0
        wait_s = interval_s
    due_at = now + timedelta(seconds=wait_s * (1 - config.spread + 2 * config.spread * jitter))
    floor_at = now + timedelta(seconds=outcome.retry_after_s or 0.0)
    return max(due_at, floor_at, outcome.retry_after_at or floor_at), interval_s, failures


def fresh_count(instants: Iterable[datetime | None], *, now: datetime) -> int:
    """Return the number of entries of the last week; undated entries count."""
    since = now - WEEK
    return sum(1 for instant in instants if (instant or now) >= since)


def trusts_validators(feed: FeedState) -> bool:
    """Whether to poll a feed with its validators, and to trust a 304.

    Some servers always answer 304. So a feed that has brought nothing new for some polls is polled without validators
    once, and then once a day.
    """
    if feed.unchanged < FIRST_DOUBT:
        return True
    a_day = max(1, round(DAY_S / max(feed.interval_s or DAY_S, 1.0)))
    return bool((feed.unchanged - FIRST_DOUBT) % a_day)


def poll_url(feed: FeedState) -> str:
    """Return the URL to poll: the feed's own, or the one that it has moved to permanently."""
    return feed.moved_to if feed.moved_to and feed.sightings >= SIGHTINGS_BELIEVED else feed.feed_url


def seen_moved(feed: FeedState, moved_to: str | None) -> tuple[str | None, int]:
    """Return where a feed has moved and how often in a row that was seen, after a response.

    `moved_to` is the target of permanent redirects from `poll_url`, or None.
    """
    if moved_to is None:
        return (feed.moved_to, feed.sightings) if poll_url(feed) != feed.feed_url else (None, 0)
    return moved_to, feed.sightings + 1 if moved_to == feed.moved_to else 1


def _interval_s(feed: FeedState, outcome: PollOutcome, config: PollConfig) -> float:
    """Return the interval in seconds, from the entries that were read, else from the feed's previous interval."""
    if outcome.pace_s is not None:
        pace_s = outcome.pace_s
    elif outcome.entries is None:
        pace_s = feed.interval_s or config.shortest_s
    else:
        pace_s = WEEK.total_seconds() / (2 * outcome.entries) if outcome.entries else config.longest_s
    wished_s = max(pace_s, outcome.ttl_s or 0.0, outcome.max_age_s or 0.0)
    return min(max(wished_s, config.shortest_s), config.longest_s)
