"""The index into the snapshot, and who is running."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from tasks.deduplicate.resemblance import told_at
from tasks.index.frontier import State
from tasks.index.runs import RUNNING, is_alive, this_machine
from tasks.index.schema import articles, edges, frontier, runs, shapes, stale_clusters
from tasks.verify.snapshot import Snapshot, micros

ROWS_AT_ONCE = 2000


def copy_index(tx: Connection, snapshot: Snapshot) -> dict[str, int]:
    """Copy what is compared, and count it; articles last, so that those that the others name are there."""
    snapshot.add("edge", (tuple(row) for row in _stream(tx, select(edges.c.a, edges.c.b, edges.c.kind))))
    snapshot.add("shape", (tuple(row) for row in _stream(tx, select(shapes.c.article_id))))
    snapshot.add("stale_cluster", (tuple(row) for row in _stream(tx, select(stale_clusters.c.cluster_id))))
    urls = snapshot.add("url", (_url(row) for row in _stream(tx, select(frontier))))
    known = snapshot.add("article", (_article(row) for row in _stream(tx, select(articles))))
    return {"urls": urls, "articles": known}


def find_live_runs(tx: Connection, *, now: datetime) -> frozenset[str]:
    """Return the runs that may still be working: here by their process, elsewhere by a lease that has not expired."""
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


def _stream(tx: Connection, query: Select[Any]) -> Iterator[Any]:
    yield from tx.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def _url(row: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a row of the frontier
    return (
        row.url_key,
        row.state,
        micros(row.due_at),
        row.lease_owner,
        micros(row.lease_until),
        micros(row.captured_at),
        row.article_id,
    )


def _article(row: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a row of the articles
    return (
        row.article_id,
        row.url_key,
        row.source_id,
        row.revision,
        row.text_digest,
        micros(row.published_at),
        micros(row.first_seen_at),
        micros(row.fetched_at),
        micros(told_at(row.published_at, row.first_seen_at)),
        row.cluster_id,
        row.is_representative,
    )
