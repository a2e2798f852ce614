"""What keeps the index from growing for ever: once a day, rows that nobody will miss are forgotten."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from tasks.index import feeds, frontier, health, hosts, outbox, runs
from tasks.index.database import Index
from tasks.index.facts import note_fact, read_fact

EVERY = timedelta(days=1)

KEPT = timedelta(days=90)
"""How long what is over is remembered after it was last heard of: URLs that are gone, sitemaps of an index, runs, batches."""

ANSWERS_KEPT = timedelta(days=2)
"""How long what an origin is asked once a day is kept."""

ROWS_ANALYSED = 1000
"""Rows of an index that SQLite looks at for its statistics."""

_PRUNED_AT = "pruned_at"


def prune_daily(tx: Connection, *, now: datetime) -> int | None:
    """Forget what is over and old, unless that was done within a day; returns how many rows, or None."""
    last = read_fact(tx, _PRUNED_AT)
    if last is not None and now - datetime.fromisoformat(last) < EVERY:
        return None
    note_fact(tx, _PRUNED_AT, now.isoformat())
    return (
        frontier.prune(tx, before=now - KEPT)
        + feeds.prune(tx, before=now - KEPT)
        + health.prune(tx, before=now - KEPT)
        + runs.prune(tx, before=now - KEPT)
        + outbox.prune(tx, before=now - KEPT)
        + hosts.prune(tx, before=now - ANSWERS_KEPT)
    )


def put_in_order(index: Index) -> None:
    """Let the database look at its statistics anew. An SQLite file does not shrink: what is free in it is used again."""
    if not index.is_sqlite:
        with index.write() as tx:
            tx.execute(text("ANALYZE"))
        return
    # not `optimize`, which looks at what this connection has asked for: nothing
    _run_script(index, f"PRAGMA analysis_limit={ROWS_ANALYSED}; ANALYZE")


def _run_script(index: Index, script: str) -> None:
    """Run what works by the step: as a statement it would be given one, as a script it is run to its end."""
    with index.write() as tx:
        driver: Any = tx.connection.driver_connection
        driver.executescript(script)
