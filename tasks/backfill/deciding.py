"""A unit that was extracted, decided and published: through the code of sweeps, so that a page is judged the same."""

from collections.abc import Mapping
from datetime import datetime

from tasks.backfill.units import PAGES, decode
from tasks.config.catalogue import SourceRules
from tasks.deduplicate.archive import Archive
from tasks.deduplicate.deciding import decide_batch
from tasks.index.database import Index
from tasks.lake.keys import scratch_key
from tasks.lake.objects.stores import ObjectStore
from tasks.store.publishing import publish_all
from tasks.values.reports import BatchReport


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
    report = decide_batch(content.batch(), index=index, now=now, archive=archive, rules=rules)
    publish_all(index, store)
    return report
