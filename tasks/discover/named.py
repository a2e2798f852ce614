"""What a feed, a list or a command names, into what the frontier takes: each URL as its owner's.

A feed's answer is read first, in another process. All else is pure.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tasks.config.catalogue import SourceRules, accepts
from tasks.config.owners import NO_OWNERS, Owners
from tasks.errors import FeedUnreadable, SkippedError
from tasks.feeds.formats import read_document
from tasks.feeds.refusals import Refusals
from tasks.index.announcing import Announcement
from tasks.index.frontier import BACKFILL, NEWS, is_since
from tasks.politeness.robots import sitemaps_in
from tasks.politeness.visits import Answered
from tasks.runtime.reading import Reader, feed_job
from tasks.values.feed import Entry, FeedContent, FeedKind, FeedState
from tasks.values.permit import RobotsAnswer
from tasks.values.url import Url
from tasks.web.exchange import Exchange

MAX_FEED_SIZE = 50_000_000
"""Bytes of a feed, on the wire and decoded (sitemaps.org: 50 MB)."""

NEWS_AGE = timedelta(days=7)
"""What is older than this waits until everything newer was fetched: a sitemap may hold the archive of years."""

_PERMANENT = frozenset({301, 308})

KeepUnreadable = Callable[[FeedState, Answered, FeedUnreadable], None]


def keep_nothing(_feed: FeedState, _answered: Answered, _error: FeedUnreadable) -> None:
    """Keep nothing, as a dry run does."""


async def read_feed(
    kind: FeedKind, fetched: Exchange, *, rules: SourceRules, now: datetime, reader: Reader
) -> FeedContent:
    """Return what a feed says, read in another process; raises NotAFeed, and FeedUnreadable where that one was killed."""
    read = partial(
        read_document,
        content_type=fetched.header("content-type"),
        url=fetched.url,
        now=now,
        own_urls=rules.own_urls,
    )
    content = await reader.read(feed_job(read, kind, fetched.content, item=fetched.url))
    return replace(content, entries=content.entries + included_in(content.doubtful, rules), doubtful=())


def included_in(doubtful: Iterable[Entry], rules: SourceRules) -> tuple[Entry, ...]:
    """Return the links that look like no article and that `include` names: a person knows better."""
    return tuple(entry for entry in doubtful if accepts(entry.url, rules)) if rules.include else ()


async def read_sitemaps(answer: RobotsAnswer | None, *, reader: Reader) -> tuple[str, ...]:
    """Return the sitemaps that a robots.txt names, as it spells them; raises FeedUnreadable."""
    if answer is None or answer.status is None or answer.status >= 300 or not answer.body:
        return ()
    return await reader.read(feed_job(sitemaps_in, answer.body, item=f"{answer.origin}/robots.txt"))


def announcements(
    entries: Iterable[Entry],
    *,
    refusals: Refusals,
    source_id: str,
    announced_by: str,
    rules: SourceRules,
    now: datetime,
    since: datetime | None = None,
    owners: Owners = NO_OWNERS,
) -> Iterator[Announcement]:
    """Yield the entries as the frontier wants them, each as its owner's.

    Those that the patterns of the source or of the owner leave out are not among them, nor what its own source's feed
    dates before `since`. One that, unwrapped, is nothing that can be fetched is counted among the `refusals`.
    """
    for entry in entries:
        found: Announcement | None = None
        with refusals.guarded(entry.url):
            one = attribute(
                entry.url,
                announcer=source_id,
                announced_by=announced_by,
                owners=owners,
                title=entry.title,
                announced_at=entry.published_at,
                priority=_priority(entry.published_at, entry.modified_at, now=now),
                rights=entry.rights,
            )
            if not is_followed(one, announcer=rules):
                raise SkippedError(f"{source_id} follows its own hosts alone, not {one.host}", reason="foreign_host")
            is_late = since is not None and not one.is_foreign and is_before(entry, since)
            if not is_late and is_wanted(one, announcer=rules, owners=owners):
                found = one
        if found is not None:
            yield found


def attribute(
    url: str,
    *,
    announcer: str,
    announced_by: str,
    owners: Owners,
    title: str | None = None,
    announced_at: datetime | None = None,
    priority: int = NEWS,
    rights: str | None = None,
) -> Announcement:
    """Return a URL as its owner's, or the announcer's where nobody owns its host; raises BadUrl, ForbiddenScheme.

    What another source's feed says of an owned URL is not believed: neither its date, nor the priority that follows from
    that, nor its title.
    """
    address = Url.of(url).fetch_form
    claimants = owners.claimants(address.site)
    owner = announcer if announcer in claimants else owners.chosen(claimants, address) if claimants else None
    is_foreign = owner is not None and owner != announcer
    return Announcement(
        url=address,
        url_key=address.key,
        host=address.host,
        source_id=owner or announcer,
        announced_by=announced_by,
        title=None if is_foreign else title,
        announced_at=None if is_foreign else announced_at,
        priority=NEWS if is_foreign else priority,
        owners=claimants,
        is_foreign=is_foreign,
        announcer=announcer,
        rights=rights,
    )


def is_followed(one: Announcement, *, announcer: SourceRules) -> bool:
    """Whether a URL lies on a host of its announcer, where that one follows no others."""
    return announcer.follow != "own" or one.announcer in one.owners


def is_wanted(one: Announcement, *, announcer: SourceRules, owners: Owners) -> bool:
    """Whether the patterns of the source that announces a URL keep it, and its owner's as well."""
    rules = (announcer, owners.rules[one.source_id]) if one.is_foreign else (announcer,)
    return all(accepts(one.url, each) for each in rules if each.include or each.exclude)


def is_before(entry: Entry, since: datetime) -> bool:
    """Whether an entry has a date, and none since then: neither of publication nor of a change."""
    dates = [instant for instant in (entry.published_at, entry.modified_at) if instant is not None]
    return bool(dates) and not any(is_since(instant, since) for instant in dates)


def moved_to(fetched: Exchange) -> str | None:
    """Return where permanent redirects, and no others, led; None where there were none."""
    redirects = fetched.redirects
    return str(fetched.url) if redirects and all(hop.status in _PERMANENT for hop in redirects) else None


def _priority(*instants: datetime | None, now: datetime) -> int:
    dates = [instant for instant in instants if instant is not None]
    return BACKFILL if dates and max(dates) < now - NEWS_AGE else NEWS
