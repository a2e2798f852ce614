"""Stream whole tables of the index, and find the runs that may be working on them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from tasks.index.frontier import State
from tasks.index.runs import RUNNING, is_alive, this_machine
from tasks.index.schema import articles, edges, frontier, policies, runs, shapes, stale_clusters

ROWS_AT_ONCE = 2000

_SCANNED = {
    "articles": select(articles),
    "edges": select(edges.c.a, edges.c.b, edges.c.kind),
    "frontier": select(frontier),
    "shapes": select(shapes.c.article_id),
    "stale_clusters": select(stale_clusters.c.cluster_id),
    "policies": select(policies.c.policy_id, policies.c.observed_at),
}


def stream(
    tx: Connection, name: Literal["articles", "edges", "frontier", "policies", "shapes", "stale_clusters"]
) -> Iterator[Any]:
    """Yield the rows of a table, for large tables only the identifying columns."""
    yield from tx.execute(_SCANNED[name].execution_options(yield_per=ROWS_AT_ONCE))


def find_live_runs(tx: Connection, *, now: datetime) -> frozenset[str]:
    """Return runs that may still be working. Checks the process here, unexpired leases on other machines."""
    running = select(runs.c.run_id, runs.c.machine, runs.c.pid, runs.c.process_born_at).where(runs.c.state == RUNNING)
    holding = select(frontier.c.lease_owner, func.max(frontier.c.lease_until)).where(frontier.c.state == State.LEASED)
    until = dict(tx.execute(holding.group_by(frontier.c.lease_owner)).tuples().all())
    here = this_machine()
    return frozenset(
        row.run_id
        for row in tx.execute(running)
        if (is_alive(row.pid, row.process_born_at) if row.machine == here else _is_later(until.get(row.run_id), now))
    )


def _is_later(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and instant > now
