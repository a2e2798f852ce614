"""Connections that are kept open, for each origin: the one that was used last is used first.

One request at a time uses a connection. No pool of a library's: httpcore's looks at every connection for every request,
which costs 8 ms a request with fifty hosts.
"""

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import certifi

from tasks.web.backend import BoundedStream, GuardedBackend
from tasks.web.budget import Budget
from tasks.web.http11 import Http11

KEEPALIVE_S = 15.0
PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom a connection leads to. `host` is a name or a literal address without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """It as a URL spells it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != PORTS.get(self.scheme) else "")


@dataclass(frozen=True, eq=False, slots=True)
class Connection:
    """One connection; `stream` is what `http` reads and writes."""

    origin: Origin
    http: Http11
    stream: BoundedStream


class Connections:
    """The connections of one transport. At most `max_idle` stay open without being used, the latest."""

    def __init__(self, backend: GuardedBackend, *, max_idle: int) -> None:
        self._backend = backend
        self._max_idle = max_idle
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._by_origin: dict[Origin, list[Connection]] = {}

    async def take(
        self, origin: Origin, budget: Budget, *, timeout_s: float | None = None, is_fresh: bool = False
    ) -> Connection:
        """Return a connection for one request within the budget, with `is_fresh` one that no request has used.

        `timeout_s` is for one connect, and one handshake. Whoever takes a connection gives it back. Raises what the
        backend raises.
        """
        kept = None if is_fresh else self._kept(origin)
        if kept is None:
            return await self._opened(origin, budget, timeout_s)
        await self._backend.occupy(kept.stream.address, budget)
        kept.stream.budget = budget
        return kept

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next request where its answer was read to the end, else close it."""
        self._backend.release(connection.stream.address)
        if not connection.http.is_idle:
            connection.http.close()
            return
        self._idle[connection] = None
        self._by_origin.setdefault(connection.origin, []).append(connection)
        while len(self._idle) > self._max_idle:
            self._forget(next(iter(self._idle))).http.close()

    async def aclose(self) -> None:
        """Close all that are not used."""
        while self._idle:
            self._forget(next(iter(self._idle))).http.close()
        await asyncio.sleep(0)  # asyncio closes the sockets in the loop's next turn, which may be its last

    def _kept(self, origin: Origin) -> Connection | None:
        while kept := self._by_origin.get(origin):
            connection = self._forget(kept[-1])
            if not connection.http.has_expired:
                return connection
            connection.http.close()
        return None

    async def _opened(self, origin: Origin, budget: Budget, timeout_s: float | None) -> Connection:
        stream = await self._backend.connect(origin.host, origin.port, budget, timeout_s=timeout_s)
        if origin.scheme == "https":
            try:
                await stream.start_tls(ssl_context(), origin.host, timeout_s)
            except BaseException:
                stream.close()
                self._backend.release(stream.address)
                raise
        return Connection(origin, Http11(stream, keepalive_s=KEEPALIVE_S), stream)

    def _forget(self, connection: Connection) -> Connection:
        del self._idle[connection]
        kept = self._by_origin[connection.origin]
        kept.remove(connection)
        if not kept:
            del self._by_origin[connection.origin]
        return connection


@cache
def ssl_context() -> ssl.SSLContext:
    """Return what verifies certificates: never of the environment's choosing, and made once, since it costs 0.05 s."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
