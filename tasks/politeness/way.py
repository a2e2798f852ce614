"""The permit of a GET at its current host, and the wait that this host's response requests."""

import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from tasks.config.catalogue import SourceRules
from tasks.config.owners import Owners
from tasks.errors import ServerBusy
from tasks.politeness.limiter import Held, RateLimiter
from tasks.values.domain import Site

UNSPOKEN_WAIT_S = 60.0
"""Seconds to wait after a 429 that names no wait."""


PlaceOf = Callable[[Site, SourceRules], Awaitable[str | None]]
"""Returns the name of the place that a site's host shares with others, or None. Raises ItemError."""


def place_name(domain: str, address: str) -> str:
    """Return the name of a registrable domain at one address: a digest, so that the index reveals neither."""
    return hashlib.sha256(f"{domain} {address}".encode()).hexdigest()


class Way:
    """The permit of one GET, which redirects may lead from host to host. It never holds two at once."""

    def __init__(self, limiter: RateLimiter, rules: SourceRules, owners: Owners, place_of: PlaceOf) -> None:
        self._limiter = limiter
        self._rules = rules
        self._owners = owners
        self._place_of = place_of
        self._held: Held | None = None

    @asynccontextmanager
    async def opened(self, site: Site) -> AsyncIterator[None]:
        """Hold the permit for the first request inside the block, and then those for its redirects."""
        await self.enter(site)
        try:
            yield
        finally:
            self.leave()

    async def enter(self, site: Site) -> None:
        """Wait for a permit of the site's host. Raises HostWaits, and ItemError if the host has no address."""
        pace = self._owners.pace_at(site, self._rules)
        place = await self._place_of(site, self._rules)
        self._held = await self._limiter.enter(
            site.host, delay_s=pace.crawl_delay_s, max_per_host=pace.max_per_host, place=place
        )

    def leave(self) -> None:
        """Return the permit, if there is one."""
        held, self._held = self._held, None
        if held is not None:
            self._limiter.leave(held)

    def answered(self) -> None:
        """Record the time of the host's response: later delays are not the host's fault."""
        if self._held is not None:
            self._held.answered = time.monotonic()

    async def follow(self, site: Site) -> None:
        """Exchange the permit for one of the next request's host."""
        self.leave()
        await self.enter(site)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Check a response inside the block, and record the wait that it requests for its host."""
        try:
            yield
        except ServerBusy as error:
            if self._held is not None:
                unspoken_s = UNSPOKEN_WAIT_S if error.status == 429 else None
                self._held.hold_s = unspoken_s if error.retry_after_s is None else error.retry_after_s
                self._held.is_busy = error.status in {429, 503}
            raise
