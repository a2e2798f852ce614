"""The context of erasing, shared by all places, and its counts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tasks.forget.targets import TakedownTargets
from tasks.index.database import Index
from tasks.lake.objects.stores import ObjectStore
from tasks.runtime.progress import OnStep


@dataclass(slots=True, kw_only=True)
class Work:
    """One takedown in progress: the stores, what to remove, and counts of removed things by name.

    `notes` are for the report.
    """

    index: Index
    store: ObjectStore
    taken: TakedownTargets
    run_id: str
    now: datetime
    on_step: OnStep
    search: Callable[[], None]
    counts: Counter[str] = field(default_factory=Counter)
    versions: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
