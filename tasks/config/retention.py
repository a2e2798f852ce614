"""Retention: how many days payloads and texts are kept, as plain values. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDays:
    """How many days payloads and texts are kept; None: for ever."""

    payload_days: int | None = None
    text_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """The retention of each source; `usual` applies to sources that are not in the catalogue."""

    usual: KeptDays = field(default_factory=KeptDays)
    by_source: Mapping[str, KeptDays] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def has_payloads(self) -> bool:
        """Whether any payload expires."""
        return any(one.payload_days for one in self._every())

    @property
    def has_texts(self) -> bool:
        """Whether any text expires."""
        return any(one.text_days for one in self._every())

    @property
    def shortest_payload_days(self) -> int | None:
        """The fewest days that any payload is kept; applies to segments of unknown source."""
        return min((one.payload_days for one in self._every() if one.payload_days), default=None)

    @property
    def digest(self) -> str:
        """A digest that identifies these rules."""
        content = {
            "usual": asdict(self.usual),
            **{f"source {name}": asdict(one) for name, one in self.by_source.items()},
        }
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def payload_expired(self, source_id: str, fetched_at: datetime, *, now: datetime) -> bool:
        """Whether a payload fetched at that time has expired."""
        return _is_past(self._of(source_id).payload_days, fetched_at, now)

    def text_expired(self, source_id: str, fetched_at: datetime, *, now: datetime) -> bool:
        """Whether a text fetched at that time has expired."""
        return _is_past(self._of(source_id).text_days, fetched_at, now)

    def payload_days(self, source_id: str) -> int | None:
        """Return how many days the source's payloads are kept."""
        return self._of(source_id).payload_days

    def _of(self, source_id: str) -> KeptDays:
        return self.by_source.get(source_id, self.usual)

    def _every(self) -> tuple[KeptDays, ...]:
        return (self.usual, *self.by_source.values())


NO_RETENTION = RetentionRules()


def _is_past(days: int | None, fetched_at: datetime, now: datetime) -> bool:
    return days is not None and fetched_at + timedelta(days=days) <= now
