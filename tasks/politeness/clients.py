"""The web clients of a batch, one per user agent and set of networks, and the shared places of their hosts.

They hold no reference to their users (the batch's PoliteClient and SiteFiles). So there is no reference cycle, and all
are freed without the garbage collector.
"""

from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from tasks.config.catalogue import SourceRules
from tasks.config.owners import Owners
from tasks.politeness.keeping import Kept, Locks
from tasks.politeness.limiter import RateLimiter
from tasks.politeness.site_files import MAX_POLICIES, mark_of, networks_of
from tasks.politeness.way import Way, place_name
from tasks.values.domain import Site
from tasks.web.client import WebClient, WebConfig
from tasks.web.guard import AddressGuard
from tasks.web.lookups import Resolve

NO_PLACE = ""


class Clients:
    """The clients of one batch, created on demand, within one event loop. An async context manager."""

    def __init__(self, config: WebConfig, limiter: RateLimiter, owners: Owners, *, resolve: Resolve | None) -> None:
        self._config = config
        self._limiter = limiter
        self._owners = owners
        self._resolve = resolve
        self._stack = AsyncExitStack()
        self._clients: dict[tuple[str, tuple[str, ...]], WebClient] = {}
        self._places: Kept[tuple[str, str], str] = Kept(MAX_POLICIES)
        self._looking_up: Locks[tuple[str, str]] = Locks()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def client_for(self, rules: SourceRules) -> WebClient:
        """Return the client with a source's user agent and permitted networks. It does no rate limiting."""
        networks = networks_of(rules)
        key = (rules.user_agent, networks)
        if key not in self._clients:
            config = replace(self._config, user_agent=rules.user_agent)
            client = WebClient(config, guard=AddressGuard(networks), resolve=self._resolve)
            self._clients[key] = client
            await self._stack.enter_async_context(client)
        return self._clients[key]

    def way_for(self, rules: SourceRules) -> Way:
        """Return a new way for one GET of a source."""
        return Way(self._limiter, rules, self._owners, self._place_of)

    async def _place_of(self, site: Site, rules: SourceRules) -> str | None:
        """Return the shared place of a site's host, looked up once, or None. Raises ItemError."""
        key = (site.host, mark_of(rules))
        async with self._looking_up.of(key):
            if (place := self._places.get(key)) is None:
                client = await self.client_for(rules)
                address = await client.address_of(site.origin, asker=rules.source_id)
                place = NO_PLACE if address is None else place_name(site.domain, address)
                self._places.keep(key, place)
        return place or None
