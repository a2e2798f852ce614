"""The owner of a host: the source whose entry in the catalogue names it (ADR 0018). Pure.

Only the catalogue makes owners. What a feed says about itself, its redirects and the sitemaps that it names make none.
A source names the host of its `home_url`; without one, those of its feeds, sitemaps and listings.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Self, TypeVar

from tasks.config.catalogue import Source, SourceRules, accepts
from tasks.values.domain import Site
from tasks.values.rights import NO_OBEDIENCE, Obedience, Obey
from tasks.values.url import Url

K = TypeVar("K")

LONGEST_STRANGERS_DELAY_S = 10.0
"""The longest delay that a source may keep at a host without an owner, since all other sources there wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The sources by the hosts and registrable domains that they name, in the catalogue's order.

    `folders` are the paths of the URLs that each source names, by source and host.
    """

    rules: Mapping[str, SourceRules] = field(default_factory=dict)
    by_host: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_domain: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folders: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[Source], rules: Mapping[str, SourceRules]) -> Self:
        """Return the owners among the sources of a catalogue, each with its rules."""
        hosts: defaultdict[str, list[str]] = defaultdict(list)
        domains: defaultdict[str, list[str]] = defaultdict(list)
        folders: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for source in sources:
            for url, folder in _named(source):
                host = url.bare_host
                hosts[host].append(source.id)
                folders[source.id, host].append(folder)
                if (domain := _domain(url.site)) is not None:
                    domains[domain].append(source.id)
        return cls(rules=rules, by_host=_each_once(hosts), by_domain=_each_once(domains), folders=_each_once(folders))

    def claimants(self, site: Site) -> tuple[str, ...]:
        """Return the sources that name a URL's host or, if none does, its registrable domain. Raises BadUrl."""
        if not self.by_host:
            return ()
        found = self.by_host.get(site.bare_host)
        if found is None and (domain := _domain(site)) is not None:
            found = self.by_domain.get(domain)
        return found or ()

    def owner_of(self, url: str, *, announcer: str) -> str | None:
        """Return the owner of a URL, or None if no source owns its host. Raises BadUrl.

        Among several owners the announcer wins. If it is not among them, a source whose patterns keep the URL wins,
        then the one with the URL's folder, then the first in the catalogue.
        """
        claimants = self.claimants(Url.of(url).site)
        return announcer if announcer in claimants else self.chosen(claimants, url)

    def chosen(self, claimants: tuple[str, ...], url: str) -> str | None:
        """Return the owner of a URL among these sources, by the rules of `owner_of`; its announcer must be none of them."""
        if len(claimants) > 1:
            return max(claimants, key=lambda one: self._fitness(one, url))
        return claimants[0] if claimants else None

    def pace_at(self, site: Site, asker: SourceRules) -> SourceRules:
        """Return the rules whose delay and concurrency apply at a URL's host: its owner's, else the asker's.

        Raises BadUrl. If it has several owners and the asker is none of them, the slowest pace applies. If the host has
        no owner, the asker's delay is capped, since others wait for it.
        """
        owners = [self.rules[one] for one in self.claimants(site)]
        if asker in owners:
            return asker
        if not owners:
            longest_s = LONGEST_STRANGERS_DELAY_S if self.rules else asker.crawl_delay_s
            return replace(asker, crawl_delay_s=min(asker.crawl_delay_s, longest_s))
        return replace(
            asker,
            crawl_delay_s=max(one.crawl_delay_s for one in owners),
            max_per_host=min(one.max_per_host for one in owners),
        )

    def obedience_at(self, site: Site, asker: SourceRules | None) -> Obedience:
        """Return how refusals are obeyed at a URL's host: the strictest of the asker's and the owners' settings.

        Raises BadUrl. The purposes are those of all sources with that strictest setting.
        """
        several = [*([asker.obedience] if asker else ()), *(self.rules[one].obedience for one in self.claimants(site))]
        if not several:
            return NO_OBEDIENCE
        strictest = max((one.obey for one in several), key=_STRICTNESS.index)
        purposes = (purpose for one in several if one.obey is strictest for purpose in one.purposes)
        obeys_tdm = any(one.obeys_tdm for one in several)
        return Obedience(purposes=tuple(dict.fromkeys(purposes)), obey=strictest, obeys_tdm=obeys_tdm)

    def _fitness(self, source_id: str, url: str) -> tuple[bool, int]:
        address = Url.of(url)
        folders = self.folders.get((source_id, address.bare_host), ())
        around = [one for one in folders if address.parts.path.startswith(one)]
        return accepts(url, self.rules[source_id]), max(map(len, around), default=0)


_STRICTNESS = (Obey.RECORD, Obey.WITHHOLD, Obey.EXCLUDE)

NO_OWNERS = Owners()
"""Without a catalogue, no host has an owner."""


def _named(source: Source) -> Iterator[tuple[Url, str]]:
    """Yield the URLs by which a source names its own hosts, in the form of requests, each with its folder."""
    if source.home_url is not None:
        home_url = Url.of(source.home_url).fetch_form
        yield home_url, home_url.parts.path.rstrip("/") + "/"
        return
    for feed_url, _ in source.feeds_of():
        url = Url.of(feed_url).fetch_form
        yield url, url.parts.path.rpartition("/")[0] + "/"


def _domain(site: Site) -> str | None:
    """Return the registrable domain; None for an address or a name without a dot, of which each port is a site."""
    domain = site.domain
    return domain if "." in domain and not _is_address(domain) else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _each_once(named: Mapping[K, Iterable[str]]) -> dict[K, tuple[str, ...]]:
    return {key: tuple(dict.fromkeys(values)) for key, values in named.items()}
