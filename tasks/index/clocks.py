"""Repair timestamps that a wrong clock has stored too far in the future.

If a machine's clock is a year fast for an hour, hosts are never asked again and URLs are never due.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from tasks.index.database import Transaction
from tasks.index.schema import WAITING_STATES, feeds, frontier, hosts, places
from tasks.index.turns import PRIORITIES

HOSTS_AHEAD = timedelta(hours=24)
"""Upper bound of a host's wait: a Retry-After counts for at most a day."""

URLS_AHEAD = timedelta(days=30)
"""Upper bound of the due time of URLs and feeds."""


def cap_future_times(tx: Transaction, *, now: datetime) -> int:
    """Lower every stored due time beyond its bound to that bound; returns how many were lowered."""
    capped = 0
    if _has_late_urls(tx, now + URLS_AHEAD):
        late = frontier.c.due_at > now + URLS_AHEAD
        capped += tx.execute(update(frontier).where(late).values(due_at=now + URLS_AHEAD)).rowcount
    late_feeds = feeds.c.due_at > now + URLS_AHEAD
    capped += tx.execute(update(feeds).where(late_feeds).values(due_at=now + URLS_AHEAD)).rowcount
    for paces in (hosts, places):
        late = paces.c.next_slot_at > now + HOSTS_AHEAD
        capped += tx.execute(update(paces).where(late).values(next_slot_at=now + HOSTS_AHEAD)).rowcount
    return capped


def _has_late_urls(tx: Transaction, bound: datetime) -> bool:
    """Whether any URL is due beyond the bound. One index look-up per state and priority, even with a million rows."""
    for state in WAITING_STATES:
        for priority in PRIORITIES:
            of_these = (frontier.c.state == state, frontier.c.priority == priority)
            latest = tx.execute(select(func.max(frontier.c.due_at)).where(*of_these)).scalar()
            if latest is not None and latest > bound:
                return True
    return False
