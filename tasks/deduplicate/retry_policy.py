"""The state of a URL in the frontier after a look, and when it is fetched again. Pure.

A failure's reason decides when (tasks/reasons.py). After a page or no change, the URL is done: it is fetched again at
the ages of 1 h, 6 h, 24 h and 7 d, or on request (`--refetch`). A URL that is gone becomes due if it is announced with
a later date, or named with --url. tasks/politeness/client.py handles hosts that require a wait (Retry-After).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.deduplicate.resemblance import article_time
from tasks.index.frontier import State
from tasks.reasons import Disposition, Retry, retry_of

STATES = {
    Disposition.STAYS_DUE: State.DUE,
    Disposition.DROPPED: State.DROPPED,
    Disposition.GONE: State.GONE,
    Disposition.SKIPPED: State.DONE,
    Disposition.QUARANTINED: State.QUARANTINED,
}

REVISIT_AFTER = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(days=7))
"""Ages at which an article is fetched again if it was young when first seen; most corrections come early."""

LEAST_PART = 10
"""An age is skipped if less than a tenth of it (1 / LEAST_PART) is left to wait: the article was just fetched."""


def state_after(
    disposition: Disposition | None, reason: str | None, *, attempt: int, spread: float, now: datetime
) -> tuple[State, datetime | None]:
    """Return the state of a URL after a look, and when it is due again (None: no look planned).

    `disposition` and `reason` are those of a failure, None for a page. `spread` (0 to 1) adds jitter to URLs that fail
    together.
    """
    if disposition is None:
        return State.DONE, None
    retry = retry_of(reason, disposition)
    due_at = _due_at(retry, attempt=attempt, spread=spread, now=now)
    # skipped, but to be retried: nothing was read, so it is not done
    is_unread = disposition is Disposition.SKIPPED and retry is not None
    return State.DROPPED if is_unread else STATES[disposition], due_at


def next_look(
    first_seen_at: datetime, published_at: datetime | None, *, now: datetime, revisit_after: Sequence[timedelta]
) -> datetime | None:
    """Return when an article is fetched again, or None if it was old when first seen or is old now."""
    oldest = max(revisit_after, default=timedelta())
    if first_seen_at - article_time(published_at, first_seen_at) > oldest:
        return None
    ages = (age for age in sorted(revisit_after) if first_seen_at + age - now >= age / LEAST_PART)
    return next((first_seen_at + age for age in ages), None)


def _due_at(retry: Retry | None, *, attempt: int, spread: float, now: datetime) -> datetime | None:
    if retry is None or (retry.looks is not None and attempt >= retry.looks):
        return None
    return now + (retry.wait if retry.longest is None else _backoff(attempt, spread, retry.wait, retry.longest))


def _backoff(attempt: int, spread: float, first: timedelta, longest: timedelta) -> timedelta:
    """Return an exponential backoff with jitter, so that URLs that fail together are not retried together."""
    wait = min(first * 2 ** min(attempt - 1, 10), longest)
    return timedelta(seconds=wait.total_seconds() * (0.75 + 0.5 * spread))
