"""How long a sweep has taken, and how much of that its sources: when it ends, and whose URLs wait for the next one."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class SweepClock:
    """A sweep's time, in seconds. `shares` is the part of `longest_s` that each source's URLs may take; `now_s` is the clock."""

    longest_s: float
    shares: Mapping[str, float]
    now_s: Callable[[], float] = time.monotonic
    spent_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    began_s: float = field(init=False)
    _noted_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_s = self._noted_s = self.now_s()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be begun."""
        return self.now_s() - self.began_s >= self.longest_s

    def note(self, source_ids: Collection[str]) -> None:
        """Charge the time since the last batch to the sources of this one's URLs, one id per URL, in equal parts."""
        now_s = self.now_s()
        elapsed_s, self._noted_s = now_s - self._noted_s, now_s
        for source_id in source_ids:
            self.spent_s[source_id] += elapsed_s / len(source_ids)

    def over_share(self) -> frozenset[str]:
        """Return the sources that have had their share; if there is but one source, it may have all."""
        if len(self.shares) < 2:
            return frozenset()
        return frozenset(one for one, share in self.shares.items() if self.spent_s[one] >= share * self.longest_s)

    def limits(self, pending: int) -> Iterable[str]:
        """Yield in words what the sweep stopped at, with so many URLs pending."""
        if pending and self.is_over:
            yield f"PRESSLAKE_SWEEP_S reached ({self.longest_s:g} s), {pending} URLs stay pending"
        for source_id in sorted(self.over_share()):
            yield f"{source_id}: sweep_share reached ({self.shares[source_id]:g} of {self.longest_s:g} s)"
