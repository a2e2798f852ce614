"""Which documents of an origin were looked up when, and which one's turn it is: few look-ups a day, each in turn. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self

import orjson

DAY = timedelta(days=1)
NAMED_FOR = timedelta(days=30)
"""How long the document stays on the list that nothing names any more."""

MAX_DOCUMENTS = 50

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A document: when it was looked up last, None if it never was, and when something named it last."""

    looked_at: datetime | None = None
    named_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The documents of one origin, by their addresses."""

    lookups: Mapping[str, Lookup] = field(default_factory=dict)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return what was packed."""
        held: dict[str, tuple[str | None, str]] = orjson.loads(packed) if packed else {}
        return cls(lookups={url: _lookup(*instants) for url, instants in held.items()})

    def pack(self) -> bytes:
        """Return it as bytes for the index."""
        return orjson.dumps({str(url): (one.looked_at, one.named_at) for url, one in self.lookups.items()})

    def was_looked_up(self, url: str) -> bool:
        """Whether a document was ever asked for."""
        return _looked_at(self.lookups.get(url)) is not None

    def is_news(self, urls: Iterable[str], *, now: datetime) -> bool:
        """Whether something names a document that is not on the list, or was named on another day."""
        return any((known := self.lookups.get(one)) is None or now - known.named_at > DAY for one in urls)

    def naming(self, urls: Iterable[str], *, now: datetime) -> Self:
        """Return it with documents that something names now, without those that nothing names any more."""
        named = {one: replace(self.lookups.get(one, Lookup(named_at=now)), named_at=now) for one in urls}
        held = {url: one for url, one in {**self.lookups, **named}.items() if now - one.named_at < NAMED_FOR}
        newest = sorted(held.items(), key=lambda one: one[1].named_at, reverse=True)[:MAX_DOCUMENTS]
        return replace(self, lookups=dict(newest))

    def looking(self, url: str, *, now: datetime) -> Self:
        """Return it with a document that is asked for now."""
        return replace(self, lookups={**self.lookups, url: Lookup(looked_at=now, named_at=now)})

    def is_spent(self, *, now: datetime, a_day: int) -> bool:
        """Whether there were as many look-ups within a day as there may be."""
        return sum(one.looked_at is not None and now - one.looked_at < DAY for one in self.lookups.values()) >= a_day

    def free_at(self, *, a_day: int, now: datetime) -> datetime:
        """Return when the next look-up may be."""
        recent = sorted((one.looked_at for one in self.lookups.values() if one.looked_at), reverse=True)[:a_day]
        return max(recent[-1] + DAY, now) if len(recent) == a_day else now

    def next_of(self, urls: Iterable[str], *, now: datetime) -> str | None:
        """Return the document whose turn it is: one never seen, else the one looked up longest ago; None within a day."""
        held = {url: _looked_at(self.lookups.get(url)) for url in urls}
        due = [url for url, at in held.items() if at is None or now - at >= DAY]
        return min(due, key=lambda url: held[url] or _NEVER, default=None)


def _looked_at(known: Lookup | None) -> datetime | None:
    return known.looked_at if known else None


def _lookup(looked_at: str | None, named_at: str) -> Lookup:
    looked = datetime.fromisoformat(looked_at) if looked_at else None
    return Lookup(looked_at=looked, named_at=datetime.fromisoformat(named_at))
