"""Bound the growth of the index: delete expired rows once a day."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from tasks.index import announcing, feeds, frontier, health, hosts, outbox, runs, site_answers
from tasks.index.database import Index
from tasks.index.facts import note_fact, read_fact

EVERY = timedelta(days=1)

KEPT = timedelta(days=90)
"""How long inactive rows are kept after their last activity: gone URLs, nested sitemaps, runs, batches."""

ANSWERS_KEPT = timedelta(days=2)
"""How long the answer to a daily request to an origin is kept."""

DOCUMENTS_KEPT = timedelta(days=40)
"""How long a site's documents are kept. If a site has several, not all are requested every day."""

ROWS_ANALYSED = 1000
"""Rows of each database index that SQLite samples for its statistics."""

_PRUNED_AT = "pruned_at"


def prune_daily(tx: Connection, *, now: datetime) -> int | None:
    """Delete expired rows, at most once a day; returns the number of rows, or None if it is not yet time."""
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


def update_statistics(index: Index) -> None:
    """Update the database's statistics. An SQLite file does not shrink, but its free space is reused."""
    if not index.is_sqlite:
        with index.write() as tx:
            tx.execute(text("ANALYZE"))
        return
    # not `optimize`: it considers only tables that this connection has queried, and there are none
    _run_script(index, f"PRAGMA analysis_limit={ROWS_ANALYSED}; ANALYZE")


def _run_script(index: Index, script: str) -> None:
    """Run a pragma that works step by step: `execute` would run one step, a script runs all of them."""
    with index.write() as tx:
        driver: Any = tx.connection.driver_connection
        driver.executescript(script)
