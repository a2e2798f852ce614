"""Verify: read the index and the lake once, name every fault, and mend what can be mended.

The index is read before the lake, so that what it knows is there to be found. Memory does not grow with either.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from tasks.index.database import Index
from tasks.index.upkeep import KEPT
from tasks.objects import ObjectStore
from tasks.verify.comparison import compare, find_stale_leases
from tasks.verify.documents import check_documents
from tasks.verify.fault import Fault, FaultKind, VerifyReport
from tasks.verify.index_rows import copy_index, find_live_runs
from tasks.verify.lake_rows import copy_objects, copy_table, copy_waiting
from tasks.verify.mends import GRACE, Ground, mend_all
from tasks.verify.orphans import find_orphans
from tasks.verify.segments import check_segments
from tasks.verify.snapshot import Snapshot, instant_micros
from tasks.verify.unpublished import check_waiting, parquet_keys, publish_waiting, read_waiting, tables_of

KEPT_FAULTS = 10_000
"""Faults of one kind that are told one by one and mended in one go; all of them are counted."""

_FOREVER = 2**62
_LAKE_DAMAGE = (FaultKind.MISSING_FILE, FaultKind.DAMAGED_FILE)

Told = Callable[[str, int, int], None]


@dataclass(slots=True, kw_only=True)
class Findings:
    """Faults as they are found: all counted, so many kept."""

    counts: Counter[FaultKind] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def take(self, found: Iterable[Fault]) -> list[Fault]:
        """Count and keep faults; returns those kept."""
        kept = []
        for fault in found:
            self.counts[fault.kind] += 1
            if self.counts[fault.kind] <= KEPT_FAULTS:
                kept.append(fault)
        self.faults += kept
        return kept

    def keys(self) -> dict[FaultKind, list[str]]:
        """Return by kind what is to be mended."""
        keys: dict[FaultKind, list[str]] = {}
        for fault in self.faults:
            keys.setdefault(fault.kind, []).append(fault.key)
        return {kind: sorted(set(several)) for kind, several in keys.items()}


def verify(
    *,
    index: Index,
    store: ObjectStore,
    now: datetime,
    is_mending: bool,
    sample: int | None,
    revisit_after: Sequence[timedelta],
    told: Told,
) -> VerifyReport:
    """Check the index against the lake; raises IndexUnavailable, LakeUnavailable, LakeFormatError.

    `sample` limits the segments whose bytes are read, and with them the texts whose digests are made again.
    """
    begun, findings, before = time.monotonic(), Findings(), _live_runs(index, now)
    with Snapshot() as snapshot:
        checked = _look(index, store, snapshot, findings, now=now, is_mending=is_mending, sample=sample, told=told)
    if is_mending:
        told("mending", 0, len(findings.faults))
        ground = Ground(
            index=index,
            store=store,
            now=now,
            revisit_after=revisit_after,
            is_lake_whole=not any(findings.counts[kind] for kind in _LAKE_DAMAGE),
            is_quiet=_live_runs(index, now) <= before,
        )
        mended = mend_all(ground, findings.keys())
        findings.faults = [
            replace(fault, is_mended=fault.key in mended.get(fault.kind, ())) for fault in findings.faults
        ]
    return VerifyReport(
        checked=checked,
        found={kind.value: findings.counts[kind] for kind in FaultKind if findings.counts[kind]},
        faults=tuple(findings.faults),
        mended=sum(fault.is_mended for fault in findings.faults),
        seconds=round(time.monotonic() - begun, 3),
    )


def _look(
    index: Index,
    store: ObjectStore,
    snapshot: Snapshot,
    findings: Findings,
    *,
    now: datetime,
    is_mending: bool,
    sample: int | None,
    told: Told,
) -> dict[str, int]:
    live_runs = _live_runs(index, now)
    awaited = _check_outbox(index, store, snapshot, findings, live_runs=live_runs, now=now, is_mending=is_mending)
    told("index", 0, 0)
    with index.read() as tx:
        checked = copy_index(tx, snapshot)
    live_runs |= _live_runs(index, now)
    # while a sweep runs, what it fetched lately is on its way from the one to the other
    settled_before = instant_micros(now - GRACE) if live_runs else _FOREVER
    checked["objects"] = copy_objects(store, snapshot)
    is_sampled = _sampler(snapshot, sample)
    tables = tables_of(store)
    for name, table in tables.items():
        findings.take(copy_table(store, name, table, snapshot, is_sampled=is_sampled, told=partial(told, name)))
    snapshot.finish()
    checked["captures"] = snapshot.count("SELECT count(*) FROM capture")
    checked["revisions"] = snapshot.count("SELECT count(*) FROM revision")
    findings.take(check_segments(store, snapshot, is_sampled=is_sampled, told=partial(told, "segments")))
    findings.take(check_documents(store, snapshot))
    findings.take(find_orphans(store, snapshot, tables, awaited=awaited, settled_before=settled_before))
    forgotten_before = instant_micros(now - KEPT)
    findings.take(compare(snapshot, settled_before=settled_before, forgotten_before=forgotten_before))
    findings.take(find_stale_leases(snapshot, live_runs))
    checked["segments"] = sum(1 for key in _segment_keys(snapshot) if is_sampled(key))
    return checked


def _live_runs(index: Index, now: datetime) -> frozenset[str]:
    with index.read() as tx:
        return find_live_runs(tx, now=now)


def _check_outbox(
    index: Index,
    store: ObjectStore,
    snapshot: Snapshot,
    findings: Findings,
    *,
    live_runs: frozenset[str],
    now: datetime,
    is_mending: bool,
) -> set[str]:
    """Check the batches that wait, publish them where that is wanted, else copy their rows; returns files to come."""
    awaited: set[str] = set()
    for one in read_waiting(index, store):
        faults = findings.take(check_waiting(one, store=store, live_runs=live_runs, now=now))
        if one.item is None:
            continue
        if faults and is_mending:  # at once: what follows then finds their rows in the lake
            publish_waiting(index, store, [one.sequence])
        else:
            awaited |= parquet_keys(one.item)
            copy_waiting(one.item, one.in_lake, snapshot)
    return awaited


def _sampler(snapshot: Snapshot, sample: int | None) -> Callable[[str], bool]:
    if sample is None:
        return lambda _: True
    keys = list(_segment_keys(snapshot))
    chosen = set(random.sample(keys, min(sample, len(keys))))
    return chosen.__contains__


def _segment_keys(snapshot: Snapshot) -> Iterator[str]:
    return (key for (key,) in snapshot.ask("SELECT key FROM object WHERE key LIKE 'warc/%' ORDER BY key"))
