"""A unit that was extracted, decided and published: through the code of sweeps, so that a page is judged the same."""

from collections.abc import Mapping
from datetime import datetime

from tasks.backfill.units import PAGES, decode
from tasks.config.catalogue import SourceRules
from tasks.deduplicate.archive import Archive
from tasks.deduplicate.deciding import decide_batch
from tasks.forget.records import bury_taken
from tasks.index.database import Index
from tasks.lake.keys import scratch_key
from tasks.lake.objects.stores import ObjectStore
from tasks.store.publishing import publish_all
from tasks.values.reports import BatchReport
from tasks.values.takedown import TAKEN_DOWN


def decide_unit(
    job_id: str,
    number: int,
    *,
    index: Index,
    store: ObjectStore,
    archive: Archive,
    rules: Mapping[str, SourceRules],
    now: datetime,
) -> BatchReport:
    """Decide a unit and publish it; raises IndexUnavailable, LakeUnavailable."""
    content = decode(store.get(scratch_key(job_id, number, PAGES)))
    batch = content.batch()
    report = decide_batch(batch, index=index, now=now, archive=archive, rules=rules)
    if TAKEN_DOWN in report.skipped:  # since the unit was cut
        bury_taken(index, store, batch.captures)
    publish_all(index, store)
    return report
