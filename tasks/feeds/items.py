"""The items of a feed, as their words stand there, into entries: which of an item's links is its article's. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter

from tasks.errors import BadUrl, ForbiddenScheme
from tasks.feeds.collector import Collector, absolute_url
from tasks.values.url import Url


class Rank(IntEnum):
    """What a link says that it is, the surest first."""

    ORIGINAL = 0  # FeedBurner's word for the address that its own stands for
    PAGE = 1
    OTHER = 2
    PERMALINK = 3  # an identifier that is an address
    ABOUT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One address that an item names, and what it is relative to."""

    rank: Rank
    text: str
    base_url: str


_RANK = attrgetter("rank")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item's words: `links` in their order, title and dates as they are spelled, `rights` its RSL licence."""

    links: tuple[Link, ...]
    title: str | None = None
    published: str | None = None
    modified: str | None = None
    rights: str | None = None


def add_items(items: Sequence[Item], collector: Collector, *, feed_url: str) -> None:
    """Add an entry for each item.

    Where the links of all items are alike they lead to a front page or a section: then an identifier that is an address
    is the article's. So it is where a link leads to a site's root, even of a single item.
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
    """Return what relative links are relative to: the feed's own address, unless it lies on another host than its site.

    Then it is the site that the channel names, where the source names that one too: anybody may name any site.
    """
    url = absolute_url(link, base_url=feed_url) if link else None
    if url is None or url.bare_host == Url.of(feed_url).bare_host:
        return feed_url
    return url if any(url.is_same_site(Url.of(own_url)) for own_url in own_urls) else feed_url


def _best(links: Sequence[Link], *, are_alike: bool) -> str | None:
    """Return the first link that can be fetched, parsed where it was looked at: a broken one hides no good one."""
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
    """Whether there are several items and all of their pages are one, though their identifiers are not."""
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
    # behind `#/` a site that is one page for scripts has its articles
    return url.request_target == "/" and not url.parts.hash.startswith(("#/", "#!"))
