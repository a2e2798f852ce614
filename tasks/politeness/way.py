"""The permit that a GET holds at the host that it has come to, and what that host's answer asks of us."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from tasks.config.catalogue import SourceRules
from tasks.config.owners import Owners
from tasks.errors import ServerBusy
from tasks.politeness.limiter import Noted, RateLimiter
from tasks.values.url import Url
from tasks.web.exchange import Fetched, raise_for_missing, raise_for_status

UNSPOKEN_WAIT_S = 60.0
"""The wait after a 429 that names none."""


class Way:
    """The permit that one GET holds, as redirects lead it from host to host: never two at once."""

    def __init__(self, limiter: RateLimiter, rules: SourceRules, owners: Owners) -> None:
        self._limiter = limiter
        self._rules = rules
        self._owners = owners
        self._held = AsyncExitStack()
        self._heard = Noted()

    @asynccontextmanager
    async def opened(self, url: Url) -> AsyncIterator[None]:
        """Hold the permit for a first request within the block, then for whatever the redirects led to."""
        await self.enter(url)
        try:
            yield
        finally:
            await self.leave()

    async def enter(self, url: Url) -> None:
        """Wait for the permit of a URL's host; raises HostWaits."""
        pace = self._owners.pace_at(url, self._rules)
        permit = self._limiter.permit(url.host, delay_s=pace.crawl_delay_s, max_per_host=pace.max_per_host)
        self._heard = await self._held.enter_async_context(permit)

    async def leave(self) -> None:
        """Give the permit back, if one is held."""
        await self._held.aclose()

    async def follow(self, url: Url) -> None:
        """Go on to another request."""
        await self.leave()
        await self.enter(url)

    def judge(self, fetched: Fetched) -> None:
        """Raise for an answer that is no page, having noted the wait that it asks for."""
        try:
            raise_for_status(fetched, now=datetime.now(UTC))
            raise_for_missing(fetched)
        except ServerBusy as error:
            unspoken_s = UNSPOKEN_WAIT_S if error.status == 429 else None
            self._heard.hold_s = unspoken_s if error.retry_after_s is None else error.retry_after_s
            self._heard.is_busy = error.status in {429, 503}
            raise
