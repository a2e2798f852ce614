"""Claim the next batch from the frontier."""

import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from tasks.config.catalogue import SourceRules
from tasks.index import frontier
from tasks.index.database import Index
from tasks.index.frontier import Selection
from tasks.index.turns import Turns
from tasks.values.batch import Batch
from tasks.values.look import Look


def claim_batch(
    index: Index,
    selection: Selection,
    *,
    run_id: str,
    limit: int,
    lease_s: float,
    host_budget_s: float,
    rules: Mapping[str, SourceRules],
    turns: Turns | None = None,
    without: Collection[str] = (),
) -> Batch | None:
    """Lease up to `limit` due URLs and return them as a batch, or None if nothing is due.

    `turns` is where the run's last claim ended; sources in `without` are skipped.
    """
    now = datetime.now(UTC)
    delays = {source_id: one.crawl_delay_s for source_id, one in rules.items()}
    with index.write() as tx:
        urls = frontier.claim(
            tx,
            selection,
            owner=run_id,
            limit=limit,
            lease_s=lease_s,
            host_budget_s=host_budget_s,
            crawl_delays_s=delays,
            now=now,
            turns=turns,
            without=without,
        )
    if not urls:
        return None
    batch_id = f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}"
    return Batch(batch_id=batch_id, run_id=run_id, looks=tuple(Look(due=due) for due in urls))
