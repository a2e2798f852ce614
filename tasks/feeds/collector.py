"""Collect entries from a document of the web: resolve raw links, titles and dates, and choose the article's link of each item.

Pure. Invalid links and items are refused and counted by reason, without affecting the others.
"""

import html
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time
from enum import IntEnum
from operator import attrgetter

from tasks.errors import BadUrl, ForbiddenScheme, ItemError, UnexpectedError
from tasks.feeds.dates import is_plausible, parse_instant
from tasks.runtime.guarding import guarded_item
from tasks.values.feed import Entry, Refusal
from tasks.values.text.storable import storable_text, without_invisible
from tasks.values.url import Url, without_breaks
from tasks.web.text import with_query_in

FURNITURE = frozenset({ForbiddenScheme.reason})
"""Reasons that are not faults of a page: mailto:, javascript:."""

MAX_TITLE_LENGTH = 1000

_FEWEST_EQUAL = 3

_NO_LINK = "entry without a fetchable link"
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->")


class Refusals:
    """Counts refused URLs and entries, except those with `ignored` reasons."""

    def __init__(self, *, ignored: Container[str] = ()) -> None:
        self._ignored = ignored
        self._by_reason: dict[str, Refusal] = {}

    def note(self, error: ItemError) -> None:
        """Count one refusal; the first of each reason is kept as an example."""
        reason = error.counted_as
        if reason not in self._ignored:
            before = self._by_reason.get(reason)
            number, detail = (before.number + 1, before.detail) if before else (1, error.detail)
            self._by_reason[reason] = Refusal(reason=reason, number=number, detail=detail)

    def url(self, link: str | None, *, base_url: str, charset: str = "utf-8") -> Url | None:
        """Return a link as announced, absolute; None if it is missing or invalid.

        `charset` is that of the HTML page, used to encode queries.
        """
        if isinstance(link, Url):
            return link
        # doubly escaped ampersands are the most frequent fault of links
        text = without_breaks(link or "").replace("&amp;", "&")
        if not text:
            return None
        try:
            return Url.parse(with_query_in(text, charset), base=base_url)
        except (BadUrl, ForbiddenScheme) as error:
            self.note(error)
            return None

    @contextmanager
    def guarded(self, item: str) -> Iterator[None]:
        """Handle one entry: its errors, expected or not, are counted and suppressed."""
        try:
            with guarded_item(item):
                yield
        except ItemError as error:
            self.note(error)

    def add(self, others: Iterable[Refusal]) -> None:
        """Add the refusals of another parser."""
        for one in others:
            before = self._by_reason.get(one.reason, one)
            number = one.number + (before.number if before is not one else 0)
            self._by_reason[one.reason] = Refusal(reason=one.reason, number=number, detail=before.detail)

    @property
    def unexpected(self) -> int:
        """The number of entries that raised an unexpected exception."""
        found = self._by_reason.get(UnexpectedError.reason)
        return found.number if found else 0

    def listed(self) -> tuple[Refusal, ...]:
        """Return the refusals by reason."""
        return tuple(self._by_reason.values())


class Collector:
    """Builds entries. At most `limit` are kept; omissions and doubts are counted in `warnings`."""

    def __init__(self, *, base_url: str, now: datetime, limit: int) -> None:
        self._base_url = base_url
        self._now = now
        self._limit = limit
        self._entries: list[Entry] = []
        self._doubts: Counter[str] = Counter()
        self.refusals = Refusals()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries, in the order of the feed."""
        return tuple(self._entries)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached."""
        return len(self._entries) >= self._limit

    @property
    def is_lacking(self) -> bool:
        """Whether an entry was left out because it has no link."""
        return self._doubts[_NO_LINK] > 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """The doubts, with their count if it exceeds one: `date unreadable (3 times)`."""
        return tuple(
            doubt + (f" ({count} times)" if count > 1 else "") for doubt, count in self._doubts.items() if count
        )

    def doubt(self, what: str) -> None:
        """Count a doubt."""
        self._doubts[what] += 1

    def add(
        self,
        link: str | None,
        *,
        base_url: str | None = None,
        title: str | None = None,
        published: str | None = None,
        modified: str | None = None,
        rights: str | None = None,
    ) -> None:
        """Add one entry from its raw values; without a valid link it is counted and left out.

        A feed can give `rights` only to pages of its own origin (RSL 1.0).
        """
        if self.is_full:
            self.doubt(f"entry past the limit of {self._limit}")
            return
        url = self.refusals.url(link, base_url=base_url or self._base_url)
        if url is None:
            self.doubt(_NO_LINK)
            return
        with self.refusals.guarded(url):
            self._entries.append(
                Entry(
                    url=url,
                    title=plain_title(title),
                    published_at=self.instant(published),
                    modified_at=self.instant(modified),
                    rights=storable_text(rights) if rights and url.origin == Url.of(self._base_url).origin else None,
                )
            )

    def flag_equal_dates(self) -> None:
        """Remove a date that is equal to the second in all entries: it is when the feed was generated.

        Dates without a time may be equal: the entries of a sitemap are often of one day.
        """
        if len(self._entries) < _FEWEST_EQUAL:
            return
        if _is_one_moment([entry.published_at for entry in self._entries]):
            self.doubt("date equal on all entries")
            self._entries = [replace(entry, published_at=None) for entry in self._entries]
        if _is_one_moment([entry.modified_at for entry in self._entries]):
            self.doubt("change equal on all entries")
            self._entries = [replace(entry, modified_at=None) for entry in self._entries]

    def instant(self, text: str | None) -> datetime | None:
        """Parse an instant; None if it is unreadable or implausible, which is counted."""
        if not text or text.isspace():
            return None
        instant = parse_instant(text)
        if instant is None:
            self.doubt("date unreadable")
        elif not is_plausible(instant, now=self._now):
            self.doubt("date implausible")
        else:
            return instant
        return None


def _is_one_moment(instants: list[datetime | None]) -> bool:
    first = instants[0]
    return first is not None and first.time() != time.min and all(instant == first for instant in instants)


def absolute_url(link: str | None, *, base_url: str) -> Url | None:
    """Return the link as announced, absolute; None if it is not a valid http or https URL. Nothing is counted."""
    return Refusals().url(link, base_url=base_url)


def plain_title(text: str | None) -> str | None:
    """Return a title without tags, entities and superfluous white space, at most 1000 characters; None if empty."""
    # read more than is kept, since tags and entities shrink; never all, since it may be huge
    words = _TAG.sub("", (text or "")[: 10 * MAX_TITLE_LENGTH])
    words = _TAG.sub("", html.unescape(words))
    return without_invisible(storable_text(" ".join(words.split())))[:MAX_TITLE_LENGTH].rstrip() or None


class Rank(IntEnum):
    """The kinds of an item's links, the most reliable first."""

    ORIGINAL = 0  # FeedBurner's original link
    PAGE = 1
    OTHER = 2
    PERMALINK = 3  # an identifier that is an address
    ABOUT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of an item, and its base URL."""

    rank: Rank
    text: str
    base_url: str


_RANK = attrgetter("rank")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The raw values of one item: `links` in order, title and dates as written, `rights` its RSL licence."""

    links: tuple[Link, ...]
    title: str | None = None
    published: str | None = None
    modified: str | None = None
    rights: str | None = None


def add_items(items: Sequence[Item], collector: Collector, *, feed_url: str) -> None:
    """Add an entry for each item.

    If the links of all items are equal, they lead to a front page or a section; then an identifier that is a URL is the
    article's. The same holds if a link leads to a site's root, even for a single item.
    """
    are_alike = _are_alike(items)
    for item in items:
        with collector.refusals.guarded(feed_url):
            collector.add(
                _best(sorted(item.links, key=_RANK), are_alike=are_alike),
                title=item.title,
                published=item.published,
                modified=item.modified,
                rights=item.rights,
            )


def base_of_channel(link: str | None, *, feed_url: str, own_urls: Iterable[str]) -> str:
    """Return the base of relative links: the feed's own URL, unless the feed is on another host than its site.

    Then it is the site that the channel names, if the source lists that one too, since a feed may name any site.
    """
    url = absolute_url(link, base_url=feed_url) if link else None
    if url is None or url.bare_host == Url.of(feed_url).bare_host:
        return feed_url
    return url if any(url.is_same_site(Url.of(own_url)) for own_url in own_urls) else feed_url


def _best(links: Sequence[Link], *, are_alike: bool) -> str | None:
    """Return the first valid link; a broken one does not hide a good one."""
    if len(links) < 2:
        return absolute_url(links[0].text, base_url=links[0].base_url) or links[0].text if links else None
    first = next(((one, url) for one in links if (url := absolute_url(one.text, base_url=one.base_url))), None)
    if first is None:
        return links[0].text
    link, url = first
    if link.rank is Rank.ORIGINAL or not (are_alike or _is_root(url)):
        return url
    found = (absolute_url(one.text, base_url=one.base_url) for one in links if one.rank is Rank.PERMALINK)
    return next((one for one in found if one and not _is_root(one)), url)


def _are_alike(items: Sequence[Item]) -> bool:
    """Whether several items all have the same page, but different identifiers."""
    identifiers = {one.text for item in items for one in item.links if one.rank is Rank.PERMALINK}
    if len(identifiers) < 2:
        return False
    first: str | None = None
    for item in items:
        pages = sorted((one for one in item.links if one.rank <= Rank.OTHER), key=_RANK)
        key = next((found for one in pages if (found := _key(one.text, one.base_url))), None)
        if key is None or (first is not None and key != first):
            return False
        first = key
    return True


def _key(link: str, base_url: str) -> str | None:
    url = absolute_url(link, base_url=base_url)
    try:
        return url.key if url else None
    except (BadUrl, ForbiddenScheme):
        return None


def _is_root(url: Url) -> bool:
    # single-page sites have their articles after `#/`
    return url.request_target == "/" and not url.parts.hash.startswith(("#/", "#!"))
