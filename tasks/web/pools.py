"""A small pool of connections for each origin.

httpcore's own pool looks at every connection for every request, and at each idle one for each of them: 8 ms a request
with fifty hosts in one pool, a hundredth of that with one pool a host.
"""

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

import httpcore

from tasks.web.target import Target

KEEPALIVE_S = 15.0


@dataclass(slots=True)
class _Used:
    pool: httpcore.AsyncConnectionPool
    users: int = 0


class Pools:
    """The pools of one client. At most `max_idle` stay open without being used, the latest."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, *, max_idle: int) -> None:
        self._backend = backend
        self._max_idle = max_idle
        self._used: OrderedDict[tuple[str, str, int], _Used] = OrderedDict()

    @asynccontextmanager
    async def pool(self, target: Target) -> AsyncIterator[httpcore.AsyncConnectionPool]:
        """Give the target's pool for one request."""
        origin = (target.scheme, target.host, target.port)
        if origin not in self._used:
            self._used[origin] = _Used(self._make())
        self._used.move_to_end(origin)
        used = self._used[origin]
        used.users += 1
        try:
            yield used.pool
        finally:
            used.users -= 1
            await self._close_idle()

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[httpcore.AsyncConnectionPool]:
        """Give a pool without any connection yet, for one request."""
        async with self._make() as pool:
            yield pool

    async def aclose(self) -> None:
        """Close all connections."""
        for used in self._used.values():
            await used.pool.aclose()
        self._used.clear()

    async def _close_idle(self) -> None:
        idle = [origin for origin, used in self._used.items() if not used.users]
        for origin in idle[: max(len(idle) - self._max_idle, 0)]:
            await self._used.pop(origin).pool.aclose()

    def _make(self) -> httpcore.AsyncConnectionPool:
        return httpcore.AsyncConnectionPool(
            ssl_context=ssl_context(),
            max_connections=None,
            keepalive_expiry=KEEPALIVE_S,
            http1=True,
            http2=False,
            network_backend=self._backend,
        )


@cache
def ssl_context() -> ssl.SSLContext:
    """Return what verifies certificates: never of the environment's choosing, and made once, since it costs 0.05 s."""
    return httpcore.default_ssl_context()
