"""Instants that were stored by a clock that was wrong: what is further ahead than it may is brought back.

A machine whose clock was a year fast for an hour leaves hosts that are never asked and URLs that are never due.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from tasks.index.database import Transaction
from tasks.index.schema import WAITING_STATES, feeds, frontier, hosts, places
from tasks.index.turns import PRIORITIES

HOSTS_AHEAD = timedelta(hours=24)
"""No host is left alone for longer: a Retry-After counts up to a day."""

URLS_AHEAD = timedelta(days=30)
"""No URL, and no feed, is due later."""


def bring_back(tx: Transaction, *, now: datetime) -> int:
    """Read every stored instant that is too far ahead as its bound, and keep that; returns how many there were."""
    brought = 0
    if _has_late_urls(tx, now + URLS_AHEAD):
        late = frontier.c.due_at > now + URLS_AHEAD
        brought += tx.execute(update(frontier).where(late).values(due_at=now + URLS_AHEAD)).rowcount
    late_feeds = feeds.c.due_at > now + URLS_AHEAD
    brought += tx.execute(update(feeds).where(late_feeds).values(due_at=now + URLS_AHEAD)).rowcount
    for paces in (hosts, places):
        late = paces.c.next_slot_at > now + HOSTS_AHEAD
        brought += tx.execute(update(paces).where(late).values(next_slot_at=now + HOSTS_AHEAD)).rowcount
    return brought


def _has_late_urls(tx: Transaction, bound: datetime) -> bool:
    """Whether any URL is due too late; one look into an index each, if a million rows may wait."""
    for state in WAITING_STATES:
        for priority in PRIORITIES:
            of_these = (frontier.c.state == state, frontier.c.priority == priority)
            latest = tx.execute(select(func.max(frontier.c.due_at)).where(*of_these)).scalar()
            if latest is not None and latest > bound:
                return True
    return False
