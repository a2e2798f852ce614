"""Check whether a source is alive: look at each of its feeds once, and report what a person could act on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.config.catalogue import Source, SourceRules
from tasks.discover.probe import ProbeResult, RobotsVerdict, Target, look_at
from tasks.errors import GoneError
from tasks.politeness.client import PoliteClient
from tasks.values.feed import FeedContent, FeedKind, FeedState

STALE = timedelta(days=14)
"""A feed whose newest entry is older is inactive, or has moved."""

FAILURES_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCheck:
    """One feed, or a front page if `kind` is HOME. `due_at` is when a sweep will poll it, as far as the index knows."""

    feed_url: str
    kind: FeedKind
    is_reachable: bool
    robots: RobotsVerdict
    entries: int
    newest_at: datetime | None
    due_at: datetime | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCheck:
    """One source with the results of its feeds."""

    source_id: str
    name: str
    feeds: tuple[FeedCheck, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether at least one feed gave entries."""
        return any(feed.entries for feed in self.feeds)

    @property
    def entries(self) -> int:
        """The number of entries in its feeds; an entry in two feeds counts twice."""
        return sum(feed.entries for feed in self.feeds)

    @property
    def newest_at(self) -> datetime | None:
        """The newest date of an entry."""
        return max((feed.newest_at for feed in self.feeds if feed.newest_at), default=None)

    @property
    def due_at(self) -> datetime | None:
        """When its next feed is due."""
        return min((feed.due_at for feed in self.feeds if feed.due_at), default=None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, with the feed's URL if there are several feeds."""
        if len(self.feeds) == 1:
            return self.feeds[0].warnings
        return tuple(f"{feed.feed_url}: {warning}" for feed in self.feeds for warning in feed.warnings)


async def check_sources(
    sources: Iterable[Source],
    *,
    rules: Mapping[str, SourceRules],
    states: Mapping[str, FeedState],
    client: PoliteClient,
    now: datetime,
) -> tuple[SourceCheck, ...]:
    """Look at every feed of the sources, and at the front page of sources without feeds.

    `rules` are by source id, `states` by feed URL. Nothing is announced and no poll state is changed.
    """
    chosen = tuple(sources)
    targets = [target for source in chosen for target in _targets(source, rules[source.id])]
    looks = await look_at(targets, client=client)
    return tuple(
        SourceCheck(
            source_id=source.id,
            name=source.name,
            feeds=tuple(
                _checked(look, states.get(look.target.url), now=now)
                for look in looks
                if look.target.source_id == source.id
            ),
        )
        for source in chosen
    )


def _targets(source: Source, rules: SourceRules) -> Iterable[Target]:
    named = source.feeds_of()
    if not named and source.home_url and not source.urls:
        named = ((source.home_url, FeedKind.HOME),)
    for url, kind in named:
        yield Target(url=url, kind=kind, source_id=source.id, rules=rules)


def _checked(look: ProbeResult, state: FeedState | None, *, now: datetime) -> FeedCheck:
    return FeedCheck(
        feed_url=look.target.url,
        kind=look.target.kind,
        is_reachable=look.url is not None,
        robots=look.robots,
        entries=len(look.content.entries) if look.content else 0,
        newest_at=look.newest_at,
        due_at=state.due_at if state else None,
        warnings=tuple(_warnings(look, state, now=now)),
    )


def _warnings(look: ProbeResult, state: FeedState | None, *, now: datetime) -> Iterable[str]:
    if look.until is not None:
        yield f"the host requires a wait until {look.until:%Y-%m-%d %H:%M} UTC"
    if isinstance(look.error, GoneError):
        yield "gone (410): remove it from the catalogue"
    elif look.error is not None:
        yield f"{look.error.counted_as}: {look.error}"
    elif look.content is not None:
        yield from _doubts(look.content, look.newest_at, now=now)
    if look.moved_to is not None:
        yield f"moved permanently to {look.moved_to}"
    if look.target.kind is FeedKind.HOME:
        yield "no feeds configured: uses the front page"
    if state is not None and state.due_at is None:
        yield "ended: scheduled sweeps skip it"
    if state is not None and state.failures >= FAILURES_TOLD:
        yield f"failed {state.failures} times in a row"


def _doubts(content: FeedContent, newest_at: datetime | None, *, now: datetime) -> Iterable[str]:
    if not content.entries:
        yield "no entries"
    elif newest_at is not None and newest_at < now - STALE:
        yield f"newest entry is {(now - newest_at).days} days old"
    yield from content.warnings
