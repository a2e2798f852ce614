"""Verify: read the index and the lake once, report every fault, and repair what can be repaired.

The index is read before the lake: everything that it knows must then be in the lake. Memory does not grow with either.
"""

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.forget.forgetting import remove_restored
from tasks.index import runs
from tasks.index.database import Index
from tasks.index.scanning import find_live_runs
from tasks.index.upkeep import KEPT
from tasks.lake.delta_log import find_log_damage
from tasks.lake.keys import ARTICLES, LATER_TABLES, TABLES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.takedowns import read_kept_out
from tasks.lake.tombstones import Cause
from tasks.runtime.progress import OnStep
from tasks.runtime.resources import check_known_lake, known_lake_to_read, opened_index, opened_store
from tasks.verify.comparison import compare, compare_index, find_stale_leases, find_taken_rows
from tasks.verify.config import VerifyConfig
from tasks.verify.documents import check_documents
from tasks.verify.fault import Fault, FaultKind, VerifyReport
from tasks.verify.findings import Findings
from tasks.verify.index_rows import copy_index
from tasks.verify.lake_rows import copy_objects, copy_table, copy_waiting
from tasks.verify.orphans import find_orphans
from tasks.verify.repairing import Repairing
from tasks.verify.repairs import GRACE
from tasks.verify.segments import check_segments
from tasks.verify.set_aside import Journal, UndoReport, list_set_asides, new_verify_id, undo
from tasks.verify.snapshot import Snapshot, instant_micros
from tasks.verify.unpublished import check_waiting, parquet_keys, publish_waiting, read_waiting, tables_of

_FOREVER = 2**62


def verify(
    *,
    index: Index,
    store: ObjectStore,
    now: datetime,
    is_repairing: bool,
    sample: int | None,
    revisit_after: Sequence[timedelta],
    on_step: OnStep,
) -> VerifyReport:
    """Check the index against the lake; raises IndexUnavailable, LakeUnavailable, LakeFormatError.

    `sample` limits the segments whose bytes are read, and the texts whose digests are checked. If a table's log is
    damaged, the lake is not compared, and nothing is repaired (ADR 0016). Raises ConfigError for a repair during a
    replay: each would take the other's writes for faults.
    """
    begun, findings = time.monotonic(), Findings()
    with _alone(index, now=now) if is_repairing else nullcontext():
        return _verify(
            index, store, findings, begun=begun, now=now, is_repairing=is_repairing, sample=sample,
            revisit_after=revisit_after, on_step=on_step,
        )  # fmt: skip


def _verify(
    index: Index,
    store: ObjectStore,
    findings: Findings,
    *,
    begun: float,
    now: datetime,
    is_repairing: bool,
    sample: int | None,
    revisit_after: Sequence[timedelta],
    on_step: OnStep,
) -> VerifyReport:
    journal = Journal(store=store, index=index, verify_id=new_verify_id(now, uuid.uuid4().hex))
    findings.take(_log_faults(store))
    if findings.faults:
        checked = _check_index(index, findings, now=now)
    else:
        before = _live_runs(index, now)
        repairing = Repairing(index=index, store=store, journal=journal, now=now, revisit_after=revisit_after)
        look = partial(
            _look, index, store, repairing=repairing if is_repairing else None, now=now, sample=sample, on_step=on_step
        )
        checked = look(findings)
        if is_repairing:
            on_step("mending", 0, len(findings.faults))
            if lost := repairing.repair_lost(findings):  # rows are restored: compare everything again
                findings = Findings()
                findings.take(lost)
                checked = look(findings)
            # a run that has begun since may have changed what was compared
            repairing.mend(findings, is_quiet=_live_runs(index, now) <= before)
    return VerifyReport(
        checked=checked,
        found={kind.value: findings.counts[kind] for kind in FaultKind if findings.counts[kind]},
        faults=tuple(findings.faults),
        mended=sum(fault.is_mended and not fault.is_harmless for fault in findings.faults),
        seconds=round(time.monotonic() - begun, 3),
        set_aside=journal.verify_id if journal.steps else None,
        set_asides=tuple(list_set_asides(store)),
    )


def verify_lake(config: VerifyConfig, settings: Settings, *, on_step: OnStep) -> VerifyReport:
    """Verify the lake and the index that the settings name; raises ConfigError, and as `verify` does."""
    store = checked_store(config, settings)
    if config.mend:
        remove_restored(opened_index(settings), store, now=datetime.now(UTC), on_step=on_step)
    return verify(
        index=opened_index(settings),
        store=store,
        now=datetime.now(UTC),
        is_repairing=config.mend,
        sample=config.sample,
        revisit_after=[timedelta(hours=hours) for hours in settings.revisit_after_h],
        on_step=on_step,
    )


def checked_store(config: VerifyConfig, settings: Settings) -> ObjectStore:
    """Return the lake once it is known to be the index's; only a repair needs to write it. Raises ConfigError."""
    if not config.mend:
        return known_lake_to_read(settings)
    check_known_lake(settings)
    return opened_store(settings)


def undo_repair(verify_id: str, settings: Settings, *, on_step: OnStep) -> UndoReport:
    """Restore what a repair removed or changed; raises ConfigError."""
    check_known_lake(settings)
    return undo(index=opened_index(settings), store=opened_store(settings), verify_id=verify_id, on_step=on_step)


def _log_faults(store: ObjectStore) -> Iterator[Fault]:
    for name in (*TABLES, *LATER_TABLES):
        for damage in find_log_damage(store, name):
            yield Fault(kind=FaultKind.DAMAGED_LOG, place=damage.key, detail=damage.detail, key=damage.key)


def _check_index(index: Index, findings: Findings, *, now: datetime) -> dict[str, int]:
    """Check the index alone: tables with a damaged log must not be compared with anything."""
    with Snapshot() as snapshot:
        live_runs = _live_runs(index, now)
        with index.read() as tx:
            checked = copy_index(tx, snapshot)
        snapshot.finish()
        findings.take(compare_index(snapshot))
        findings.take(find_stale_leases(snapshot, live_runs | _live_runs(index, now)))
    return checked


def _look(
    index: Index,
    store: ObjectStore,
    findings: Findings,
    *,
    repairing: Repairing | None,
    now: datetime,
    sample: int | None,
    on_step: OnStep,
) -> dict[str, int]:
    """Check everything; returns the counts."""
    with Snapshot() as snapshot:
        return _compare_all(
            index, store, snapshot, findings, repairing=repairing, now=now, sample=sample, on_step=on_step
        )


def _compare_all(
    index: Index,
    store: ObjectStore,
    snapshot: Snapshot,
    findings: Findings,
    *,
    repairing: Repairing | None,
    now: datetime,
    sample: int | None,
    on_step: OnStep,
) -> dict[str, int]:
    live_runs = _live_runs(index, now)
    awaited = _check_outbox(index, store, snapshot, findings, live_runs=live_runs, now=now, repairing=repairing)
    on_step("index", 0, 0)
    with index.read() as tx:
        checked = copy_index(tx, snapshot)
    live_runs |= _live_runs(index, now)  # include runs begun while the index was copied
    # while a sweep runs, its latest captures are in the index but not yet in the lake
    settled_before = instant_micros(now - GRACE) if live_runs else _FOREVER
    with index.read() as tx:
        if any(runs.find_working(tx, kind=kind, now=datetime.now(UTC)) for kind in (runs.REPLAY, runs.BACKFILL)):
            settled_before = 0  # a replay or a backfill changes or adds rows of any age
    checked["objects"] = copy_objects(store, snapshot)
    is_sampled = _sampler(snapshot, sample)
    tables, texts = tables_of(store), Counter[str]()
    for name, table in tables.items():
        findings.take(
            copy_table(
                store, name, table, snapshot, is_sampled=is_sampled, expired=texts, on_step=partial(on_step, name)
            )
        )
    snapshot.finish()
    checked["captures"] = snapshot.count("SELECT count(*) FROM capture")
    checked["revisions"] = snapshot.count("SELECT count(*) FROM revision")
    checked["policies"] = snapshot.count("SELECT count(*) FROM policy")
    gone, kept_out = Counter[str](), read_kept_out(store)
    on_segment = partial(on_step, "segments")
    findings.take(
        check_segments(store, snapshot, is_sampled=is_sampled, gone=gone, kept_out=kept_out, on_step=on_segment)
    )
    checked["expired"], checked["expired_texts"] = gone[Cause.EXPIRED], texts[ARTICLES]
    findings.take(check_documents(store, snapshot))
    findings.take(find_taken_rows(snapshot, kept_out))
    findings.take(find_orphans(store, snapshot, tables, awaited=awaited, settled_before=settled_before))
    forgotten_before = instant_micros(now - KEPT)
    findings.take(compare(snapshot, settled_before=settled_before, forgotten_before=forgotten_before))
    findings.take(find_stale_leases(snapshot, live_runs))
    checked["segments"] = sum(1 for key in _segment_keys(snapshot) if is_sampled(key))
    return checked


def _live_runs(index: Index, now: datetime) -> frozenset[str]:
    """Return the runs that may be active, except this repair."""
    with index.read() as tx:
        return frozenset(one for one in find_live_runs(tx, now=now) if not one.startswith(runs.MEND))


@contextmanager
def _alone(index: Index, *, now: datetime) -> Iterator[None]:
    """Keep replays and backfills from starting during a repair; raises ConfigError if one runs."""
    run_id = f"{runs.MEND}{uuid.uuid4().hex}"
    with index.write() as tx:
        for kind, what in ((runs.REPLAY, "replay"), (runs.BACKFILL, "backfill")):
            if other := runs.find_working(tx, kind=kind, now=datetime.now(UTC)):
                raise ConfigError(f"a {what} is running on this index (run {other}): repair after it ends")
        runs.begin_run(tx, run_id=run_id, now=now)
    try:
        yield
    finally:
        with index.write() as tx:
            runs.end_run(tx, run_id=run_id, now=now, summary=None)


def _check_outbox(
    index: Index,
    store: ObjectStore,
    snapshot: Snapshot,
    findings: Findings,
    *,
    live_runs: frozenset[str],
    now: datetime,
    repairing: Repairing | None,
) -> set[str]:
    """Check the waiting batches, and publish them or copy their rows; returns the files that they will add."""
    awaited: set[str] = set()
    for one in read_waiting(index, store):
        faults = findings.take(check_waiting(one, store=store, live_runs=live_runs, now=now))
        if one.item is None:
            continue
        if faults and repairing:  # publish now, so that the next checks find their rows in the lake
            repairing.plan(faults)
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
