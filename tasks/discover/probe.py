"""Look at feeds once, without the frontier and without their poll state: for `sources check` and `sources add`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from tasks.config.catalogue import SourceRules
from tasks.discover.intake import MAX_FEED_SIZE, moved_to, read_feed
from tasks.errors import ItemError, RobotsDisallowed, RobotsUnavailable, TransientError
from tasks.feeds.formats import ACCEPT
from tasks.politeness.client import PoliteClient
from tasks.politeness.visits import Visit
from tasks.runtime.guarding import guarded_item
from tasks.runtime.reading import Reader, SharedReader
from tasks.values.feed import FeedContent, FeedKind
from tasks.values.url import Url
from tasks.web.exchange import Exchange


class RobotsVerdict(StrEnum):
    """The verdict of a host's robots.txt on a URL. UNKNOWN: the host did not answer at all."""

    ALLOWED = "allowed"
    DISALLOWED = "disallowed"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A feed to look at, and the rules and source for it."""

    url: str
    kind: FeedKind
    source_id: str
    rules: SourceRules


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """The result of a look: content, or an error; neither if the host requires a wait, which ends at `until`.

    For a sitemap index the entries are those of its newest sitemap.
    """

    target: Target
    content: FeedContent | None = None
    error: ItemError | None = None
    until: datetime | None = None
    url: str | None = None
    moved_to: str | None = None
    body: bytes = b""
    content_type: str | None = None

    @property
    def robots(self) -> RobotsVerdict:
        """The verdict of robots.txt, as far as this probe can tell."""
        if isinstance(self.error, RobotsDisallowed):
            return RobotsVerdict.DISALLOWED
        if isinstance(self.error, RobotsUnavailable):
            return RobotsVerdict.UNAVAILABLE
        has_answered = self.url is not None or (self.error is not None and not isinstance(self.error, TransientError))
        return RobotsVerdict.ALLOWED if has_answered else RobotsVerdict.UNKNOWN

    @property
    def newest_at(self) -> datetime | None:
        """The newest date of an entry."""
        entries = self.content.entries if self.content else ()
        return max((at for entry in entries for at in (entry.published_at, entry.modified_at) if at), default=None)


async def look_at(
    targets: Sequence[Target], *, client: PoliteClient, reader: Reader | None = None
) -> tuple[ProbeResult, ...]:
    """Look at each target and return the results in order; an index is followed to its newest sitemap."""
    reader = reader or SharedReader()
    looks = await _look(targets, client=client, reader=reader)
    newest = {
        place: replace(look.target, url=look.content.children[0].url, kind=FeedKind.SITEMAP)
        for place, look in enumerate(looks)
        if look.content and look.content.children
    }
    below = await _look(tuple(newest.values()), client=client, reader=reader)
    for place, child in zip(newest, below, strict=True):
        content = looks[place].content
        if content is not None and child.content is not None:
            entries, warnings = child.content.entries, (*content.warnings, *child.content.warnings)
            looks[place] = replace(looks[place], content=replace(content, entries=entries, warnings=warnings))
        elif child.error is not None:
            looks[place] = replace(looks[place], error=child.error)
    return tuple(looks)


async def _look(targets: Sequence[Target], *, client: PoliteClient, reader: Reader) -> list[ProbeResult]:
    looks: dict[int, ProbeResult] = {}

    async def take(visit: Visit) -> None:
        place = int(visit.key)
        looks[place] = await _seen(targets[place], visit, reader)

    visits = [
        Visit(
            key=str(place),
            url=Url.of(target.url),
            rules=target.rules,
            accept=ACCEPT,
            max_wire_size=MAX_FEED_SIZE,
            max_decoded_size=MAX_FEED_SIZE,
        )
        for place, target in enumerate(targets)
    ]
    await client.visit(visits, take)
    return [looks[place] for place in range(len(targets))]


async def _seen(target: Target, visit: Visit, reader: Reader) -> ProbeResult:
    if visit.deferred_until is not None:
        return ProbeResult(target=target, until=visit.deferred_until)
    fetched, error = visit.fetched, visit.error
    if fetched is None:
        return ProbeResult(target=target, error=error)
    content = None
    if error is None:
        try:
            with guarded_item(target.url):
                content = await read_feed(
                    target.kind, fetched, rules=target.rules, now=datetime.now(UTC), reader=reader
                )
        except ItemError as trouble:
            error = trouble
    return _look_of(target, fetched, content, error)


def _look_of(target: Target, fetched: Exchange, content: FeedContent | None, error: ItemError | None) -> ProbeResult:
    is_page = target.kind in (FeedKind.HOME, FeedKind.FALLBACK)
    return ProbeResult(
        target=target,
        content=content,
        error=error,
        url=fetched.url,
        moved_to=moved_to(fetched),
        body=fetched.content if is_page else b"",
        content_type=fetched.header("content-type"),
    )
