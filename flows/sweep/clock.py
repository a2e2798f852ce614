"""The time budget of a sweep and of each of its sources."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class SweepClock:
    """A sweep's time budget.

    `longest_s` is the longest time in seconds, `shares` the fraction of it that each source's URLs may take, and `now_s`
    returns the current time in seconds.
    """

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
        """Whether the time is up, so that no further batch is claimed."""
        return self.now_s() - self.began_s >= self.longest_s

    def note(self, source_ids: Collection[str]) -> None:
        """Charge the time since the last batch to this batch's sources, in equal parts per URL.

        `source_ids` has one id per URL of the batch.
        """
        now_s = self.now_s()
        elapsed_s, self._noted_s = now_s - self._noted_s, now_s
        for source_id in source_ids:
            self.spent_s[source_id] += elapsed_s / len(source_ids)

    def over_share(self) -> frozenset[str]:
        """Return the sources that have used up their share; a single source may use all of the time."""
        if len(self.shares) < 2:
            return frozenset()
        limits_s = {source_id: share * self.longest_s for source_id, share in self.shares.items()}
        return frozenset(source_id for source_id, limit_s in limits_s.items() if self.spent_s[source_id] >= limit_s)

    def limits(self, pending: int) -> Iterable[str]:
        """Yield a line for each limit that was reached; `pending` is the number of URLs left."""
        if pending and self.is_over:
            yield f"PRESSLAKE_SWEEP_S reached ({self.longest_s:g} s), {pending} URLs stay pending"
        for source_id in sorted(self.over_share()):
            yield f"{source_id}: sweep_share reached ({self.shares[source_id]:g} of {self.longest_s:g} s)"
