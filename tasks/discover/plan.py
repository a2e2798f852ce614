"""What a sweep is to look at: the catalogue and the run's parameters into feeds, URLs and rules. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_network

from tasks.catalogue import Catalogue, Defaults, Source, SourceRules, accepts
from tasks.errors import ConfigError, ItemError
from tasks.index.feeds import FeedAddress
from tasks.index.frontier import WAITING, Announcement, Selection, State
from tasks.models import FeedKind
from tasks.parameters import IngestConfig
from tasks.urls import fetch_url, host_of, registrable_domain, url_key

ADHOC = "adhoc"
"""The source of what is asked for by --url and --feed and belongs to no source of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """URLs that are to be looked at again though they are not due: those in `states`; None is all that were fetched."""

    selection: Selection
    states: frozenset[State] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """Feeds to poll, URLs to announce, the rules of every source in it, and its part of the frontier."""

    feeds: tuple[FeedAddress, ...]
    urls: tuple[Announcement, ...]
    rules: Mapping[str, SourceRules]
    selection: Selection
    recalls: tuple[Recall, ...]


def plan_sweep(
    config: IngestConfig, catalogue: Catalogue | None, *, allow_networks: Iterable[str], now: datetime
) -> SweepPlan:
    """Plan a sweep; raises ConfigError when there is nothing that it could look at."""
    if catalogue is None and not (config.feeds or config.urls):
        raise ConfigError("nothing to ingest: name a catalogue with --catalogue, or a --feed or --url")
    chosen = catalogue.select(config.sources) if catalogue else None
    sources = chosen.sources if chosen else ()
    rules = {source.id: source.effective(catalogue.defaults) for source in sources} if catalogue else {}
    owners = _owners(sources)
    if config.feeds or config.urls:
        rules[ADHOC] = adhoc_rules(catalogue.defaults if catalogue else Defaults(), allow_networks)
        feeds = tuple(_asked_feed(feed_url, owners, sources) for feed_url in config.feeds)
        urls = tuple(
            _announcement(url, owners.get(registrable_domain(url), ADHOC), announced_by="--url") for url in config.urls
        )
        selection = _asked_selection(feeds, urls)
    else:
        feeds = tuple(address for source in sources for address in _feeds(source))
        urls = tuple(one for source in sources for one in _listed(source, rules[source.id]))
        selection = Selection(source_ids=frozenset(rules))
    selection = replace(selection, since=config.since_at(now))
    return SweepPlan(
        feeds=feeds, urls=urls, rules=rules, selection=selection, recalls=tuple(_recalls(config, selection, urls))
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


def _owners(sources: Iterable[Source]) -> dict[str, str]:
    """Return the source of each registrable domain that one source of the catalogue, and no other, names."""
    named: dict[str, set[str]] = {}
    for source in sources:
        for url in filter(None, (source.home_url, *(feed_url for feed_url, _ in source.feeds_of()))):
            named.setdefault(registrable_domain(url), set()).add(source.id)
    return {domain: next(iter(ids)) for domain, ids in named.items() if len(ids) == 1}


def _feeds(source: Source) -> Iterable[FeedAddress]:
    """Yield what a source names, and its front page: for a source that names nothing else, and as a fallback."""
    named = source.feeds_of()
    for feed_url, kind in named:
        yield FeedAddress(feed_url=feed_url, source_id=source.id, kind=kind)
    if source.home_url and (named or not source.urls) and source.home_url not in dict(named):
        kind = FeedKind.FALLBACK if named else FeedKind.HOME
        yield FeedAddress(feed_url=source.home_url, source_id=source.id, kind=kind)


def _asked_feed(feed_url: str, owners: Mapping[str, str], sources: Iterable[Source]) -> FeedAddress:
    """Return the catalogue's own entry for a feed that it has; else the bytes will tell of what kind it is."""
    address = fetch_url(feed_url)
    for source in sources:
        for one in _feeds(source):
            if one.feed_url == address:
                return one
    return FeedAddress(feed_url=address, source_id=owners.get(registrable_domain(address), ADHOC), kind=FeedKind.FEED)


def _listed(source: Source, rules: SourceRules) -> Iterable[Announcement]:
    for url in source.urls:
        if accepts(url, rules):
            yield _announcement(url, source.id, announced_by="catalogue")


def _announcement(url: str, source_id: str, *, announced_by: str) -> Announcement:
    try:
        address = fetch_url(url)
        return Announcement(
            url=address, url_key=url_key(address), host=host_of(address), source_id=source_id, announced_by=announced_by
        )
    except ItemError as error:
        raise ConfigError(f"not a URL that can be fetched: {url}") from error


def adhoc_rules(defaults: Defaults, allow_networks: Iterable[str]) -> SourceRules:
    """Return the rules for what belongs to no source of the catalogue; raises ConfigError for a wrong network."""
    rules = Source(id=ADHOC, name="asked for").effective(defaults)
    try:
        allowed = tuple(ip_network(network) for network in allow_networks)
    except ValueError as error:
        raise ConfigError(f"PRESSLAKE_ALLOW_NETWORKS: {error}") from error
    return replace(rules, allow_networks=(*rules.allow_networks, *allowed))
