"""What keeps the index from growing for ever: once a day, rows that nobody will miss are forgotten."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from tasks.index import feeds, frontier, health, hosts
from tasks.index.schema import facts
from tasks.index.upsert import insert_into

EVERY = timedelta(days=1)

KEPT = timedelta(days=90)
"""How long a URL that is over for good, and a sitemap that an index named, are remembered after they were last heard of."""

ANSWERS_KEPT = timedelta(days=2)
"""How long what an origin is asked once a day is kept."""

_PRUNED_AT = "pruned_at"


def prune_daily(tx: Connection, *, now: datetime) -> int | None:
    """Forget what is over and old, unless that was done within a day; returns how many rows, or None."""
    last = tx.execute(select(facts.c.value).where(facts.c.name == _PRUNED_AT)).scalar()
    if last is not None and now - datetime.fromisoformat(last) < EVERY:
        return None
    insert = insert_into(tx, facts)
    noted = insert.values(name=_PRUNED_AT, value=now.isoformat())
    tx.execute(noted.on_conflict_do_update(index_elements=["name"], set_={"value": noted.excluded.value}))
    return (
        frontier.prune(tx, before=now - KEPT)
        + feeds.prune(tx, before=now - KEPT)
        + health.prune(tx, before=now - KEPT)
        + hosts.prune(tx, before=now - ANSWERS_KEPT)
    )
