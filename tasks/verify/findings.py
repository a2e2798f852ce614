"""Faults as they are found and mended: all counted, so many kept. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tasks.verify.fault import Fault, FaultKind

KEPT_FAULTS = 10_000
"""Faults of one kind that are told one by one and mended in one go; all of them are counted."""


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

    def left(self, kinds: Collection[FaultKind]) -> list[Fault]:
        """Return what of these kinds is not mended."""
        return [fault for fault in self.faults if fault.kind in kinds and not fault.is_mended]

    def note(self, mended: Mapping[FaultKind, Collection[str]]) -> list[Fault]:
        """Note by kind the keys of what is mended; returns all that is mended by now."""
        self.faults = [
            replace(fault, is_mended=fault.is_mended or fault.key in mended.get(fault.kind, ()))
            for fault in self.faults
        ]
        return [fault for fault in self.faults if fault.is_mended]
