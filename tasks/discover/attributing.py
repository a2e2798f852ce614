"""Whose an announced URL is: what a feed, a list or a command names becomes what the frontier takes. Pure."""

from datetime import datetime

from tasks.config.catalogue import SourceRules, accepts
from tasks.config.owners import Owners
from tasks.index.announcing import Announcement
from tasks.index.frontier import NEWS
from tasks.values.url import Url


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
