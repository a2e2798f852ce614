"""How long what is kept, as plain values. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """For how many days pages as received and texts are kept; None: for ever."""

    payload_days: int | None = None
    text_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """How long what is kept of each source; `usual` is of those that the catalogue does not name."""

    usual: Kept = field(default_factory=Kept)
    by_source: Mapping[str, Kept] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def has_payloads(self) -> bool:
        """Whether any page as received expires."""
        return any(one.payload_days for one in self._every())

    @property
    def has_texts(self) -> bool:
        """Whether any text expires."""
        return any(one.text_days for one in self._every())

    @property
    def shortest_payload_days(self) -> int | None:
        """The fewest days that any page is kept; a segment whose source is not known is kept for these."""
        return min((one.payload_days for one in self._every() if one.payload_days), default=None)

    @property
    def digest(self) -> str:
        """A name of the rules themselves."""
        content = {
            "usual": asdict(self.usual),
            **{f"source {name}": asdict(one) for name, one in self.by_source.items()},
        }
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def payload_expired(self, source_id: str, fetched_at: datetime, *, now: datetime) -> bool:
        """Whether a page as received that was fetched then is no longer kept."""
        return _is_past(self._of(source_id).payload_days, fetched_at, now)

    def text_expired(self, source_id: str, fetched_at: datetime, *, now: datetime) -> bool:
        """Whether a text that was fetched then is no longer kept."""
        return _is_past(self._of(source_id).text_days, fetched_at, now)

    def payload_days(self, source_id: str) -> int | None:
        """Return for how many days the source's pages are kept."""
        return self._of(source_id).payload_days

    def _of(self, source_id: str) -> Kept:
        return self.by_source.get(source_id, self.usual)

    def _every(self) -> tuple[Kept, ...]:
        return (self.usual, *self.by_source.values())


NO_RETENTION = RetentionRules()


def _is_past(days: int | None, fetched_at: datetime, now: datetime) -> bool:
    return days is not None and fetched_at + timedelta(days=days) <= now
