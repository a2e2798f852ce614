"""Idle connections per origin; the most recently used is reused first.

They are httpcore's, with one request at a time. httpcore's pool is not used: it scans all connections for each request,
which costs 8 ms per request with fifty hosts.
"""

import ssl
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import httpcore

from tasks.web.backend import GuardedBackend
from tasks.web.budget import Budget
from tasks.web.stream import Stream

KEEPALIVE_S = 15.0


class Origin(NamedTuple):
    """The endpoint of a connection. `host` is a name or a literal address without brackets."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, eq=False, slots=True)
class Connection:
    """One connection. `http` reads and writes `stream`."""

    origin: Origin
    http: httpcore.AsyncHTTP11Connection
    stream: Stream


class Connections:
    """The connections of one transport. At most `max_idle` idle ones stay open, the most recently used."""

    def __init__(self, backend: GuardedBackend, *, max_idle: int) -> None:
        self._backend = backend
        self._max_idle = max_idle
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._by_origin: dict[Origin, list[Connection]] = {}

    async def take(
        self, origin: Origin, budget: Budget, *, timeout_s: float | None = None, is_fresh: bool = False
    ) -> Connection:
        """Return a connection for one request within the budget; with `is_fresh`, a new one.

        `timeout_s` applies to one connect and one handshake. The caller must return the connection with `give_back`.
        Raises the backend's errors.
        """
        kept = None if is_fresh else await self._kept(origin)
        if kept is None:
            return await self._opened(origin, budget, timeout_s)
        await self._backend.occupy(kept.stream.address, budget)
        kept.stream.serve(budget)
        return kept

    async def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next request if its response was read completely, else close it."""
        self._backend.release(connection.stream.address)
        if not connection.http.is_idle():
            if not connection.http.is_closed():
                await connection.http.aclose()
            return
        self._idle[connection] = None
        self._by_origin.setdefault(connection.origin, []).append(connection)
        while len(self._idle) > self._max_idle:
            await self._forget(next(iter(self._idle))).http.aclose()

    async def aclose(self) -> None:
        """Close all idle connections."""
        while self._idle:
            await self._forget(next(iter(self._idle))).http.aclose()

    async def _kept(self, origin: Origin) -> Connection | None:
        while kept := self._by_origin.get(origin):
            connection = self._forget(kept[-1])
            if not connection.http.has_expired():
                return connection
            await connection.http.aclose()
        return None

    async def _opened(self, origin: Origin, budget: Budget, timeout_s: float | None) -> Connection:
        stream = await self._backend.connect(origin.host, origin.port, budget, timeout_s=timeout_s)
        if origin.scheme == "https":
            try:
                stream = await _secured(stream, origin.host, timeout_s)
            except BaseException:
                self._backend.release(stream.address)
                raise
        to = httpcore.Origin(origin.scheme.encode(), origin.host.encode(), origin.port)
        return Connection(origin, httpcore.AsyncHTTP11Connection(to, stream, keepalive_expiry=KEEPALIVE_S), stream)

    def _forget(self, connection: Connection) -> Connection:
        del self._idle[connection]
        kept = self._by_origin[connection.origin]
        kept.remove(connection)
        if not kept:
            del self._by_origin[connection.origin]
        return connection


async def _secured(stream: Stream, host: str, timeout_s: float | None) -> Stream:
    try:
        return await stream.start_tls(ssl_context(), host, timeout_s)
    except BaseException:
        await stream.aclose()
        raise


@cache
def ssl_context() -> ssl.SSLContext:
    """Return the TLS context, independent of environment variables. Cached, because creating it takes 0.05 s."""
    context = httpcore.default_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
