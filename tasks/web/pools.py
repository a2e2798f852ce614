"""The connections that stay open between requests, by origin."""

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import certifi

from tasks.web.backend import GuardedBackend
from tasks.web.connection import Connection
from tasks.web.target import Target

Origin = tuple[str, str, int]


class Pools:
    """The connections of one client; of at most `max_idle` origins some stay open without being used, the latest."""

    def __init__(self, backend: GuardedBackend, *, max_idle: int, timeout_s: float) -> None:
        self._backend = backend
        self._max_idle = max_idle
        self._timeout_s = timeout_s
        self._idle: OrderedDict[Origin, list[Connection]] = OrderedDict()

    @asynccontextmanager
    async def connection(self, target: Target, *, is_fresh: bool = False) -> AsyncIterator[Connection]:
        """Give a connection for one request, with `is_fresh` a new one; raises as GuardedBackend.connect_tcp does.

        It is kept for the next request where the answer was read to its end.
        """
        origin = (target.scheme, target.host, target.port)
        connection = (None if is_fresh else self._idle_one(origin)) or await self._connect(target)
        try:
            yield connection
        finally:
            if connection.is_reusable:
                self._keep(origin, connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close what is idle."""
        for connections in self._idle.values():
            _close_all(connections)
        self._idle.clear()

    def _idle_one(self, origin: Origin) -> Connection | None:
        """Take the origin's connection that was used last, closing those that the server has given up."""
        connections = self._idle.pop(origin, [])
        while connections:
            connection = connections.pop()
            if connection.is_reusable:
                if connections:
                    self._idle[origin] = connections
                return connection
            connection.close()
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        self._idle.setdefault(origin, []).append(connection)
        self._idle.move_to_end(origin)
        while len(self._idle) > self._max_idle:
            _close_all(self._idle.popitem(last=False)[1])

    async def _connect(self, target: Target) -> Connection:
        stream = await self._backend.connect_tcp(target.host, target.port, self._timeout_s)
        if target.scheme == "https":
            try:
                await stream.start_tls(ssl_context(), target.host, self._timeout_s)
            except BaseException:
                stream.close()
                raise
        return Connection(stream, timeout_s=self._timeout_s)


def _close_all(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()


@cache
def ssl_context() -> ssl.SSLContext:
    """Return what verifies certificates: never of the environment's choosing, and made once, since it costs 0.05 s."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
