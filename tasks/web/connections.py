"""Connections that are kept open, for each origin: the one that was used last is used first.

They are httpcore's, one request at a time. Its pool is left out: it looks at every connection for every request, and
locks, waits and events that nobody here needs cost a third of a request.
"""

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import httpcore

from tasks.web.target import Target

KEEPALIVE_S = 15.0

_Origin = tuple[str, str, int]


class Connections:
    """The connections of one client. At most `max_idle` stay open without being used, the latest.

    `timeout_s` is for one connect, and one handshake.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend, *, max_idle: int, timeout_s: float) -> None:
        self._backend = backend
        self._max_idle = max_idle
        self._timeout_s = timeout_s
        self._idle: OrderedDict[httpcore.AsyncHTTP11Connection, _Origin] = OrderedDict()
        self._by_origin: dict[_Origin, list[httpcore.AsyncHTTP11Connection]] = {}

    @asynccontextmanager
    async def held(self, target: Target, *, is_fresh: bool = False) -> AsyncIterator[httpcore.AsyncHTTP11Connection]:
        """Give a connection to the target for one request, with `is_fresh` one that no request has used.

        Raises what the backend raises where there is none to be had.
        """
        origin = (target.scheme, target.host, target.port)
        connection = (None if is_fresh else await self._kept(origin)) or await self._opened(target)
        try:
            yield connection
        finally:
            await self._give_back(connection, origin)

    async def aclose(self) -> None:
        """Close all that are not used."""
        while self._idle:
            await self._forget(next(iter(self._idle))).aclose()

    async def _kept(self, origin: _Origin) -> httpcore.AsyncHTTP11Connection | None:
        while kept := self._by_origin.get(origin):
            connection = self._forget(kept[-1])
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _opened(self, target: Target) -> httpcore.AsyncHTTP11Connection:
        stream = await self._backend.connect_tcp(target.host, target.port, self._timeout_s)
        if target.scheme == "https":
            stream = await _secured(stream, target.host, self._timeout_s)
        origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
        return httpcore.AsyncHTTP11Connection(origin, stream, keepalive_expiry=KEEPALIVE_S)

    async def _give_back(self, connection: httpcore.AsyncHTTP11Connection, origin: _Origin) -> None:
        if not connection.is_idle():
            if not connection.is_closed():
                await connection.aclose()
            return
        self._idle[connection] = origin
        self._by_origin.setdefault(origin, []).append(connection)
        while len(self._idle) > self._max_idle:
            await self._forget(next(iter(self._idle))).aclose()

    def _forget(self, connection: httpcore.AsyncHTTP11Connection) -> httpcore.AsyncHTTP11Connection:
        origin = self._idle.pop(connection)
        kept = self._by_origin[origin]
        kept.remove(connection)
        if not kept:
            del self._by_origin[origin]
        return connection


async def _secured(stream: httpcore.AsyncNetworkStream, host: str, timeout_s: float) -> httpcore.AsyncNetworkStream:
    try:
        return await stream.start_tls(ssl_context(), host, timeout_s)
    except BaseException:
        await stream.aclose()
        raise


@cache
def ssl_context() -> ssl.SSLContext:
    """Return what verifies certificates: never of the environment's choosing, and made once, since it costs 0.05 s."""
    context = httpcore.default_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
