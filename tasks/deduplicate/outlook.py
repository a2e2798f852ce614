"""What a URL's row in the frontier becomes after a look, and when it is looked at again. Pure; one table.

| after | state | looked at again |
|---|---|---|
| a page, or no change | done | at 1 h, 6 h, 24 h and 7 d of age; else when it is recalled (`--refetch`) |
| skipped: robots.txt disallows | dropped | after 24 h, since rules change |
| skipped: not HTML, not an article | done | when it is recalled |
| 404, 451, 401, 403, other refusals | dropped | after 3 days, three times |
| 410 | gone | when it is announced with a later date, or asked for by --url |
| transient trouble | due | 2 min, doubled with each attempt, at most 24 h, with jitter; its host waits for Retry-After |
| quarantined | quarantined | never; its payload is kept |
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.deduplicate.resemblance import told_at
from tasks.errors import Disposition, RobotsDisallowed
from tasks.index.articles import KnownArticle
from tasks.index.frontier import Settlement, State
from tasks.rows import Capture, Outcome

FIRST_RETRY = timedelta(minutes=2)
LONGEST_RETRY = timedelta(hours=24)
REFUSED_RETRY = timedelta(days=3)
ROBOTS_RETRY = timedelta(hours=24)
REFUSED_ATTEMPTS = 4

REVISIT_AFTER = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(days=7))
"""Ages at which an article that was young when it was first seen is looked at again: most corrections come early."""

LEAST_PART = 10
"""An age that is nearer than this part of itself is left out: the article was looked at just now."""


def settle(
    capture: Capture,
    disposition: Disposition | None,
    *,
    now: datetime,
    previous_digest: str | None,
    look_again_at: datetime | None = None,
) -> Settlement:
    """Return the row's new state; `previous_digest` is the payload's that the article stands on.

    `look_again_at` is when an article that is there is looked at again (next_look).
    """
    state, due_at = _outlook(capture, disposition, now)
    if disposition is None:
        due_at = look_again_at
    has_page = capture.outcome in {Outcome.OK, Outcome.NOT_MODIFIED}
    return Settlement(
        url_key=capture.url_key,
        state=state,
        due_at=due_at,
        attempts=0 if has_page else capture.attempt,
        outcome=capture.outcome,
        reason=capture.reason,
        # validators are kept only with the payload they stand for: else a 304 would hide a page that was never read
        etag=capture.etag if has_page else None,
        last_modified=capture.last_modified if has_page else None,
        payload_digest=capture.payload_digest if has_page else previous_digest,
        captured_at=capture.fetched_at,
        article_id=capture.article_id,
    )


def next_look(known: KnownArticle, *, now: datetime, revisit_after: Sequence[timedelta]) -> datetime | None:
    """Return when an article is looked at again, or None: it was old when it was first seen, or is so now."""
    oldest = max(revisit_after, default=timedelta())
    if known.first_seen_at - told_at(known.published_at, known.first_seen_at) > oldest:
        return None
    ages = (age for age in sorted(revisit_after) if known.first_seen_at + age - now >= age / LEAST_PART)
    return next((known.first_seen_at + age for age in ages), None)


def _outlook(capture: Capture, disposition: Disposition | None, now: datetime) -> tuple[State, datetime | None]:
    if disposition is None:
        return State.DONE, None
    if disposition is Disposition.SKIPPED:
        return (State.DROPPED, now + ROBOTS_RETRY) if capture.reason == RobotsDisallowed.reason else (State.DONE, None)
    if disposition is Disposition.DROPPED:
        return State.DROPPED, now + REFUSED_RETRY if capture.attempt < REFUSED_ATTEMPTS else None
    if disposition is Disposition.STAYS_DUE:
        return State.DUE, now + _backoff(capture)
    return (State.GONE if disposition is Disposition.GONE else State.QUARANTINED), None


def _backoff(capture: Capture) -> timedelta:
    """Double with each attempt; the jitter comes from the URL, so that equal failures do not come back together."""
    wait = min(FIRST_RETRY * 2 ** min(capture.attempt - 1, 10), LONGEST_RETRY)
    spread = int.from_bytes(hashlib.sha256(f"{capture.url_key}{capture.attempt}".encode()).digest()[:2], "big") / 0xFFFF
    return timedelta(seconds=wait.total_seconds() * (0.75 + 0.5 * spread))
