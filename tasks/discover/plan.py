"""Plan a sweep: turn the catalogue and the run's parameters into feeds, URLs and rules. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_network

from tasks.config.catalogue import Catalogue, Defaults, Source, SourceRules
from tasks.config.owners import NO_OWNERS, Owners
from tasks.config.parameters import IngestConfig
from tasks.discover.intake import attribute_url, is_wanted
from tasks.errors import ConfigError, ItemError
from tasks.index.announcing import Announcement
from tasks.index.feeds import FeedAddress
from tasks.index.frontier import WAITING, Selection, State, list_of
from tasks.values.display import without_userinfo
from tasks.values.feed import FeedKind
from tasks.values.url import fetch_url

ADHOC = "adhoc"
"""The source of URLs and feeds given by --url and --feed that belong to no source of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """URLs to look at again although they are not due: those in `states`; None means all that were fetched."""

    selection: Selection
    states: frozenset[State] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """The feeds to poll, the URLs to announce, and the selection of the frontier.

    `source_ids` are the sources of the sweep. `rules` and `owners` cover the whole catalogue, since a feed may announce
    URLs of any source.
    """

    feeds: tuple[FeedAddress, ...]
    urls: tuple[Announcement, ...]
    rules: Mapping[str, SourceRules]
    selection: Selection
    recalls: tuple[Recall, ...]
    source_ids: frozenset[str] = frozenset()
    owners: Owners = NO_OWNERS


def plan_sweep(
    config: IngestConfig, catalogue: Catalogue | None, *, allow_networks: Iterable[str], now: datetime
) -> SweepPlan:
    """Plan a sweep; raises ConfigError if there is nothing to fetch."""
    if catalogue is None and not (config.feeds or config.urls):
        raise ConfigError("nothing to ingest: use --catalogue, --feed or --url")
    sources = catalogue.sources if catalogue else ()
    chosen = catalogue.select(config.sources).sources if catalogue else ()
    rules = catalogue.rules() if catalogue else {}
    owners = Owners.of(sources, rules)
    source_ids = frozenset(source.id for source in chosen)
    if config.feeds or config.urls:
        rules = {**rules, ADHOC: adhoc_rules(catalogue.defaults if catalogue else Defaults(), allow_networks)}
        source_ids |= {ADHOC}
        feeds = tuple(_asked_feed(feed_url, owners, sources) for feed_url in config.feeds)
        urls = tuple(_asked_url(url, owners) for url in config.urls)
        selection = _asked_selection(feeds, urls)
    else:
        feeds = _each_of_its_owner(chosen, owners, sources)
        urls = tuple(one for source in chosen for one in _listed(source, rules[source.id], owners))
        selection = Selection(source_ids=source_ids)
    others = _others(selection, source_ids, rules)
    selection = replace(selection, others=others, since=config.since_at(now))
    return SweepPlan(
        feeds=feeds,
        urls=urls,
        rules=rules,
        selection=selection,
        recalls=tuple(_recalls(config, selection, urls)),
        source_ids=source_ids,
        owners=owners,
    )


def _recalls(config: IngestConfig, selection: Selection, urls: Iterable[Announcement]) -> Iterator[Recall]:
    if config.refetch:
        yield Recall(selection=selection)
    elif config.urls:
        yield Recall(selection=Selection(url_keys=frozenset(one.url_key for one in urls)))
    if config.force:
        yield Recall(selection=selection, states=WAITING)


def _asked_selection(feeds: Iterable[FeedAddress], urls: tuple[Announcement, ...]) -> Selection:
    sources = frozenset(feed.source_id for feed in feeds)
    if not sources:
        return Selection(url_keys=frozenset(one.url_key for one in urls))
    return Selection(source_ids=sources | {one.source_id for one in urls})


def _others(selection: Selection, source_ids: frozenset[str], rules: Mapping[str, SourceRules]) -> frozenset[str]:
    """Return the sources outside the selection whose URLs the sweep takes if its feeds announce them.

    Sources that need a browser are left to a sweep that has checked for one.
    """
    if selection.source_ids is None:
        return frozenset()
    beside = rules.keys() - selection.source_ids - {ADHOC}
    return frozenset(one for one in beside if one in source_ids or rules[one].render == "none")


def _each_of_its_owner(chosen: Iterable[Source], owners: Owners, sources: Iterable[Source]) -> tuple[FeedAddress, ...]:
    """Return the chosen sources' feeds; a feed that the owner of its host also lists is the owner's."""
    named = {(one.source_id, one.feed_url): one for source in sources for one in _feeds(source)}
    polled = [
        named.get((owners.owner_of(one.feed_url, announcer=source.id) or "", one.feed_url), one)
        for source in chosen
        for one in _feeds(source)
    ]
    return tuple(dict.fromkeys(polled))


def _feeds(source: Source) -> Iterable[FeedAddress]:
    """Yield a source's feeds, and its front page, as the only feed or as a fallback."""
    named = source.feeds_of()
    for feed_url, kind in named:
        yield FeedAddress(feed_url=feed_url, source_id=source.id, kind=kind)
    if source.home_url and (named or not source.urls) and source.home_url not in dict(named):
        kind = FeedKind.FALLBACK if named else FeedKind.HOME
        yield FeedAddress(feed_url=source.home_url, source_id=source.id, kind=kind)


def _asked_feed(feed_url: str, owners: Owners, sources: Iterable[Source]) -> FeedAddress:
    """Return the catalogue's entry for a feed; for an unknown feed the kind is detected from its bytes."""
    address = fetch_url(feed_url)
    for source in sources:
        for one in _feeds(source):
            if one.feed_url == address:
                return one
    owner = owners.owner_of(address, announcer=ADHOC)
    return FeedAddress(feed_url=address, source_id=owner or ADHOC, kind=FeedKind.FEED)


def _listed(source: Source, rules: SourceRules, owners: Owners) -> Iterable[Announcement]:
    for url in source.urls:
        one = attribute_url(url, announcer=source.id, announced_by=list_of(source.id), owners=owners)
        if is_wanted(one.url, announcer=rules, owner=owners.rules[one.source_id] if one.is_foreign else None):
            yield one


def _asked_url(url: str, owners: Owners) -> Announcement:
    try:
        return attribute_url(url, announcer=ADHOC, announced_by="--url", owners=owners)
    except ItemError as error:
        raise ConfigError(f"not a URL that can be fetched: {without_userinfo(url)}") from error


def adhoc_rules(defaults: Defaults, allow_networks: Iterable[str]) -> SourceRules:
    """Return the rules for URLs without a source in the catalogue; raises ConfigError for an invalid network."""
    rules = Source(id=ADHOC, name="asked for").effective(defaults)
    try:
        allowed = tuple(ip_network(network) for network in allow_networks)
    except ValueError as error:
        raise ConfigError(f"PRESSLAKE_ALLOW_NETWORKS: {error}") from error
    return replace(rules, allow_networks=(*rules.allow_networks, *allowed))
