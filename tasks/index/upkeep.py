"""Keep the index from growing for ever: once a day, expired rows are deleted."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from tasks.index import announcing, feeds, frontier, health, hosts, outbox, runs, site_answers
from tasks.index.database import Index
from tasks.index.facts import note_fact, read_fact

EVERY = timedelta(days=1)

KEPT = timedelta(days=90)
"""How long ended things stay after their last sign of life: gone URLs, sitemaps of an index, runs, batches."""

ANSWERS_KEPT = timedelta(days=2)
"""How long the answer to a daily request to an origin is kept."""

DOCUMENTS_KEPT = timedelta(days=40)
"""How long a document of a site is kept: if there are several, not each is asked for every day."""

ROWS_ANALYSED = 1000
"""Rows of an index that SQLite reads for its statistics."""

_PRUNED_AT = "pruned_at"


def prune_daily(tx: Connection, *, now: datetime) -> int | None:
    """Delete expired rows, unless that was done within a day; returns how many rows, or None."""
    last = read_fact(tx, _PRUNED_AT)
    if last is not None and timedelta() <= now - datetime.fromisoformat(last) < EVERY:
        return None
    note_fact(tx, _PRUNED_AT, now.isoformat())
    return (
        frontier.prune(tx, before=now - KEPT)
        + feeds.prune(tx, before=now - KEPT)
        + health.prune(tx, before=now - KEPT)
        + runs.prune(tx, before=now - KEPT)
        + outbox.prune(tx, before=now - KEPT)
        + hosts.prune(tx, before=now - ANSWERS_KEPT)
        + site_answers.prune(tx, before=now - ANSWERS_KEPT, documents_before=now - DOCUMENTS_KEPT)
        + announcing.prune(tx, before=(now - ANSWERS_KEPT).date())
    )


def put_in_order(index: Index) -> None:
    """Update the database's statistics. An SQLite file does not shrink: its free space is used again."""
    if not index.is_sqlite:
        with index.write() as tx:
            tx.execute(text("ANALYZE"))
        return
    # not `optimize`, which considers only the queries of this connection: there are none
    _run_script(index, f"PRAGMA analysis_limit={ROWS_ANALYSED}; ANALYZE")


def _run_script(index: Index, script: str) -> None:
    """Run a pragma that works step by step: a statement would do one step, a script runs it to its end."""
    with index.write() as tx:
        driver: Any = tx.connection.driver_connection
        driver.executescript(script)
