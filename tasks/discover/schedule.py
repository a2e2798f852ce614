"""When a feed is asked again, and where. Pure; the clock and the chance are given.

The feed's own wishes and its pace decide, within bounds: the longest of ttl, max-age and updatePeriod (the feed's
`ttl_s` covers both) and half the mean time between its entries, from ten minutes to a day if its source does not say
otherwise, a tenth more or less.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.values.feed import FeedState

WEEK = timedelta(days=7)
DAY_S = 86_400.0
FIRST_DOUBT = 3
"""How often in a row a feed may bring nothing new before it is asked without validators."""

SIGHTINGS_BELIEVED = 3
"""How often in a row a permanent redirect has to lead to one place before the feed is asked there at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollConfig:
    """Bounds of the time between two polls, in seconds, and the share of it that chance adds or takes."""

    shortest_s: float = 600.0
    longest_s: float = 86_400.0
    spread: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOutcome:
    """What a poll taught about the next one.

    `entries` are those of a week (see `fresh_count`), None if the body was not read. `pace_s` stands for them if
    others are the measure: an index is as quick as its quickest sitemap. `retry_after_at` without a failure means that
    the feed was not asked.
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
    """Return when the feed is due, its interval while all is well (seconds), and its failures in a row.

    `jitter` is a number from 0 to 1. A feed that is gone is never due, until somebody asks for it by name.
    """
    if outcome.is_gone:
        return None, feed.interval_s, feed.failures + 1
    if outcome.retry_after_at is not None and not outcome.is_failure:
        return outcome.retry_after_at, feed.interval_s, feed.failures
    if outcome.is_failure:
        interval_s, failures = feed.interval_s, feed.failures + 1
        # 2 ** 20 is past every bound, and no float overflows
        wait_s = min(max(interval_s or 0.0, config.shortest_s) * 2 ** min(failures, 20), config.longest_s)
    else:
        interval_s, failures = _interval_s(feed, outcome, config), 0
        wait_s = interval_s
    due_at = now + timedelta(seconds=wait_s * (1 - config.spread + 2 * config.spread * jitter))
    floor_at = now + timedelta(seconds=outcome.retry_after_s or 0.0)
    return max(due_at, floor_at, outcome.retry_after_at or floor_at), interval_s, failures


def fresh_count(instants: Iterable[datetime | None], *, now: datetime) -> int:
    """Count the entries of the last week by their dates; one without a date may be of today."""
    since = now - WEEK
    return sum(1 for instant in instants if (instant or now) >= since)


def trusts_validators(feed: FeedState) -> bool:
    """Whether a feed is asked with its validators, and believed if it says that nothing has changed.

    Some servers answer 304 whatever has changed. So a feed that has brought nothing new for some polls is asked without
    them once, and then once a day.
    """
    if feed.unchanged < FIRST_DOUBT:
        return True
    a_day = max(1, round(DAY_S / max(feed.interval_s or DAY_S, 1.0)))
    return bool((feed.unchanged - FIRST_DOUBT) % a_day)


def poll_url(feed: FeedState) -> str:
    """Return where to ask for a feed: at its own address, or where it has moved for good."""
    return feed.moved_to if feed.moved_to and feed.sightings >= SIGHTINGS_BELIEVED else feed.feed_url


def seen_moved(feed: FeedState, moved_to: str | None) -> tuple[str | None, int]:
    """Return where a feed has moved and how often that was seen, after an answer.

    `moved_to` is where permanent redirects, and no others, led from `poll_url`; None if they did not.
    """
    if moved_to is None:
        return (feed.moved_to, feed.sightings) if poll_url(feed) != feed.feed_url else (None, 0)
    return moved_to, feed.sightings + 1 if moved_to == feed.moved_to else 1


def _interval_s(feed: FeedState, outcome: PollOutcome, config: PollConfig) -> float:
    """Return the interval by what was read; if nothing was read, the feed's pace is what it was."""
    if outcome.pace_s is not None:
        pace_s = outcome.pace_s
    elif outcome.entries is None:
        pace_s = feed.interval_s or config.shortest_s
    else:
        pace_s = WEEK.total_seconds() / (2 * outcome.entries) if outcome.entries else config.longest_s
    wished_s = max(pace_s, outcome.ttl_s or 0.0, outcome.max_age_s or 0.0)
    return min(max(wished_s, config.shortest_s), config.longest_s)
