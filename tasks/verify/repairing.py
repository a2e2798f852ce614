"""Repair the faults that were found: write the plan first, and restore what the log has lost before all else."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.index.database import Index
from tasks.lake.keys import set_aside_prefix
from tasks.lake.objects.stores import ObjectStore
from tasks.verify.fault import MENDS, Fault, FaultKind
from tasks.verify.findings import Findings
from tasks.verify.repairs import REPAIRERS, SET_ASIDE_KINDS, RepairContext, repair_all
from tasks.verify.set_aside import Journal, Step

FIRST = (FaultKind.UNPUBLISHED_BATCH, FaultKind.HALF_PUBLISHED_BATCH, FaultKind.UNLISTED_FILE)
"""The repairs that restore lost rows, which everything else is compared with."""

_DAMAGED_FILES = (FaultKind.MISSING_FILE, FaultKind.DAMAGED_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairing:
    """The repair run of one verification."""

    index: Index
    store: ObjectStore
    journal: Journal
    now: datetime
    revisit_after: Sequence[timedelta]

    def plan(self, faults: Iterable[Fault]) -> None:
        """Write the plan for these faults."""
        self.journal.plan(_steps(faults, self.journal.verify_id))

    def repair_lost(self, findings: Findings) -> list[Fault]:
        """Restore rows that the tables have lost; returns the repaired faults, after which the lake must be read again."""
        is_whole = not findings.left(_DAMAGED_FILES)
        mended = self._repair(findings, FIRST, is_lake_whole=is_whole, is_quiet=True)
        return mended if any(fault.kind is FaultKind.UNLISTED_FILE for fault in mended) else []

    def mend(self, findings: Findings, *, is_quiet: bool) -> None:
        """Repair all that can be; `is_quiet` is False if a run has begun since the verification did."""
        is_whole = not findings.left((*_DAMAGED_FILES, FaultKind.UNLISTED_FILE))
        self._repair(findings, set(REPAIRERS) - set(FIRST), is_lake_whole=is_whole, is_quiet=is_quiet)

    def _repair(
        self, findings: Findings, kinds: Collection[FaultKind], *, is_lake_whole: bool, is_quiet: bool
    ) -> list[Fault]:
        todo = findings.left(kinds)
        context = RepairContext(
            index=self.index,
            store=self.store,
            journal=self.journal,
            now=self.now,
            revisit_after=self.revisit_after,
            is_lake_whole=is_lake_whole,
            is_quiet=is_quiet,
        )
        self.plan(todo)
        return findings.note(repair_all(context, _keys(todo)))


def _steps(faults: Iterable[Fault], verify_id: str) -> Iterator[Step]:
    for fault in faults:
        if fault.kind in REPAIRERS:
            moves_to = set_aside_prefix(verify_id) + fault.key if fault.kind in SET_ASIDE_KINDS else None
            yield Step(
                fault=fault.kind.value, key=fault.key, place=fault.place, action=MENDS[fault.kind], moves_to=moves_to
            )


def _keys(faults: Iterable[Fault]) -> dict[FaultKind, list[str]]:
    keys: dict[FaultKind, set[str]] = {}
    for fault in faults:
        keys.setdefault(fault.kind, set()).add(fault.key)
    return {kind: sorted(several) for kind, several in keys.items()}
