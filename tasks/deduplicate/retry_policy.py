"""What a URL's row in the frontier becomes after a look, and when it is looked at again. Pure.

A failure's reason says when (tasks/reasons.py). A page, or no change, is done: it is looked at again at 1 h, 6 h, 24 h and 7 d
of age, else when it is recalled (`--refetch`). What is gone comes back when it is announced with a later date, or asked
for by --url. A host that wants a wait (Retry-After) is another matter: see tasks/politeness/client.py.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.deduplicate.resemblance import told_at
from tasks.index.articles import KnownArticle
from tasks.index.frontier import Settlement, State
from tasks.reasons import Disposition, Retry, retry_of
from tasks.values.rows import Capture, Outcome

STATES = {
    Disposition.STAYS_DUE: State.DUE,
    Disposition.DROPPED: State.DROPPED,
    Disposition.GONE: State.GONE,
    Disposition.SKIPPED: State.DONE,
    Disposition.QUARANTINED: State.QUARANTINED,
}

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
    partial: str | None = None,
    look_again_at: datetime | None = None,
) -> Settlement:
    """Return the row's new state; `previous_digest` is the payload's that the article stands on.

    `look_again_at` is when an article that is there is looked at again (next_look).
    """
    state, due_at = _next_look(capture, disposition, now)
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
        partial=None if has_page else partial,
    )


def next_look(known: KnownArticle, *, now: datetime, revisit_after: Sequence[timedelta]) -> datetime | None:
    """Return when an article is looked at again, or None: it was old when it was first seen, or is so now."""
    oldest = max(revisit_after, default=timedelta())
    if known.first_seen_at - told_at(known.published_at, known.first_seen_at) > oldest:
        return None
    ages = (age for age in sorted(revisit_after) if known.first_seen_at + age - now >= age / LEAST_PART)
    return next((known.first_seen_at + age for age in ages), None)


def _next_look(capture: Capture, disposition: Disposition | None, now: datetime) -> tuple[State, datetime | None]:
    if disposition is None:
        return State.DONE, None
    retry = retry_of(capture.reason, disposition)
    if disposition is Disposition.SKIPPED and retry is not None:
        return State.DROPPED, _due_at(capture, retry, now)  # nothing was read that could be done
    return STATES[disposition], _due_at(capture, retry, now)


def _due_at(capture: Capture, retry: Retry | None, now: datetime) -> datetime | None:
    if retry is None or (retry.looks is not None and capture.attempt >= retry.looks):
        return None
    return now + (retry.wait if retry.longest is None else _backoff(capture, retry.wait, retry.longest))


def _backoff(capture: Capture, first: timedelta, longest: timedelta) -> timedelta:
    """Double with each attempt; the jitter comes from the URL, so that equal failures do not come back together."""
    wait = min(first * 2 ** min(capture.attempt - 1, 10), longest)
    spread = int.from_bytes(hashlib.sha256(f"{capture.url_key}{capture.attempt}".encode()).digest()[:2], "big") / 0xFFFF
    return timedelta(seconds=wait.total_seconds() * (0.75 + 0.5 * spread))
