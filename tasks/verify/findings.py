"""Faults as they are found and repaired: all are counted, and a limited number is kept. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tasks.verify.fault import Fault, FaultKind

KEPT_FAULTS = 10_000
"""The most faults of one kind that are reported singly and repaired in one run; all of them are counted."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """Faults as they are found: all are counted, and a limited number is kept."""

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

    def left(self, kinds: Collection[FaultKind]) -> list[Fault]:
        """Return the faults of these kinds that are not repaired."""
        return [fault for fault in self.faults if fault.kind in kinds and not fault.is_mended]

    def note(self, mended: Mapping[FaultKind, Collection[str]]) -> list[Fault]:
        """Record by kind the keys of repaired faults; returns all that are repaired by now."""
        self.faults = [
            replace(fault, is_mended=fault.is_mended or fault.key in mended.get(fault.kind, ()))
            for fault in self.faults
        ]
        return [fault for fault in self.faults if fault.is_mended]
