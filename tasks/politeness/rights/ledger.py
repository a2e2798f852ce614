"""When each document of an origin was last looked up, and which is next: few look-ups a day, round-robin. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self

import orjson

DAY = timedelta(days=1)
NAMED_FOR = timedelta(days=30)
"""How long a document that nothing names any more stays on the list."""

MAX_DOCUMENTS = 50

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A document: when it was last looked up (None: never), and when something last named it."""

    looked_at: datetime | None = None
    named_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The documents of one origin, by URL."""

    lookups: Mapping[str, Lookup] = field(default_factory=dict)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the ledger from its packed form."""
        lookups: dict[str, tuple[str | None, str]] = orjson.loads(packed) if packed else {}
        return cls(lookups={url: _lookup(*instants) for url, instants in lookups.items()})

    def pack(self) -> bytes:
        """Return the packed form for the index."""
        return orjson.dumps({str(url): (lookup.looked_at, lookup.named_at) for url, lookup in self.lookups.items()})

    def was_looked_up(self, url: str) -> bool:
        """Whether a document was ever requested."""
        return _looked_at(self.lookups.get(url)) is not None

    def is_news(self, urls: Iterable[str], *, now: datetime) -> bool:
        """Whether any of these documents is not listed, or was last named over a day ago."""
        return any((known := self.lookups.get(url)) is None or now - known.named_at > DAY for url in urls)

    def naming(self, urls: Iterable[str], *, now: datetime) -> Self:
        """Return the ledger with these documents named now, without those that nothing named for long."""
        named = {one: replace(self.lookups.get(one, Lookup(named_at=now)), named_at=now) for one in urls}
        held = {url: one for url, one in {**self.lookups, **named}.items() if now - one.named_at < NAMED_FOR}
        newest = sorted(held.items(), key=lambda one: one[1].named_at, reverse=True)[:MAX_DOCUMENTS]
        return replace(self, lookups=dict(newest))

    def looking(self, url: str, *, now: datetime) -> Self:
        """Return the ledger with a look-up of this document now."""
        return replace(self, lookups={**self.lookups, url: Lookup(looked_at=now, named_at=now)})

    def is_spent(self, *, now: datetime, a_day: int) -> bool:
        """Whether the day's look-ups are used up."""
        return (
            sum(lookup.looked_at is not None and now - lookup.looked_at < DAY for lookup in self.lookups.values())
            >= a_day
        )

    def free_at(self, *, a_day: int, now: datetime) -> datetime:
        """Return when the next look-up is allowed."""
        recent = sorted((lookup.looked_at for lookup in self.lookups.values() if lookup.looked_at), reverse=True)[
            :a_day
        ]
        return max(recent[-1] + DAY, now) if len(recent) == a_day else now

    def next_of(self, urls: Iterable[str], *, now: datetime) -> str | None:
        """Return the next document: never looked up first, then the oldest look-up. None if all were within a day."""
        looked_at = {url: _looked_at(self.lookups.get(url)) for url in urls}
        due = [url for url, at in looked_at.items() if at is None or now - at >= DAY]
        return min(due, key=lambda url: looked_at[url] or _NEVER, default=None)


def _looked_at(known: Lookup | None) -> datetime | None:
    return known.looked_at if known else None


def _lookup(looked_at: str | None, named_at: str) -> Lookup:
    looked = datetime.fromisoformat(looked_at) if looked_at else None
    return Lookup(looked_at=looked, named_at=datetime.fromisoformat(named_at))
