"""Scriptable HTTP servers on loopback, which record their requests."""

import asyncio
import re
import resource
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tasks.web.guard import AddressGuard

LOOPBACK = AddressGuard(("127.0.0.0/8",))
NOBODY = "http://127.0.0.1:9"
"""An address without a server. A port that was just closed may be reused a moment later."""
AGENT = "Presslake/0.1 (+https://presslake.example/bot)"


@dataclass(frozen=True)
class Asked:
    """One request; header names are lower-case."""

    path: str
    headers: dict[str, str]
    head: bytes
    connection: int
    at: float


Act = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]
Route = bytes | Act
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Loopback:
    """One server.

    `routes` maps paths to acts, "*" to the default; an act that closes the writer ends the connection.
    """

    host: str
    port: int
    routes: dict[str, Route]
    asked: list[Asked] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    sent_size: int = 0  # if the test counts them

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


def answer(
    status: int = 200,
    body: bytes = b"",
    fields: Iterable[tuple[str, str]] = (),
    *,
    reason: str = "Said",
    close: bool = False,
) -> bytes:
    """Return a response with a correct Content-Length."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in fields)]
    lines += [f"Content-Length: {len(body)}", *(["Connection: close"] if close else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def page(body: bytes, **fields: str) -> bytes:
    return answer(200, body, [("Content-Type", "text/html"), *fields.items()])


def redirect(location: str, status: int = 302) -> bytes:
    return answer(status, b"", [("Location", location)])


@asynccontextmanager
async def serve(routes: dict[str, Route], host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Loopback]:
    """Serve the routes until the block ends; connections still open are then cut."""
    server, numbers = Loopback(host, port, routes), count()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converse(server, next(numbers), reader, writer)

    async with listening(talk, host, port) as server.port:
        yield server


@asynccontextmanager
async def listening(
    talk: Talk | None = None, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Pass each connection to `talk` until the block ends, and yield the port; without `talk`, connections are closed at once."""
    talking = set[asyncio.Task]()

    async def has(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            if talk is not None:
                await talk(reader, writer)
            else:
                writer.close()
        if not writer.is_closing():
            writer.transport.abort()

    listener = await asyncio.start_server(has, host, port, ssl=tls)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await asyncio.sleep(0)  # an aborted transport closes its socket in the next iteration of the loop


async def converse(
    server: Loopback, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one connection's requests by the server's routes."""
    while not writer.is_closing():
        head = await reader.readuntil(b"\r\n\r\n")
        asked = _asked(head, connection)
        server.asked.append(asked)
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        try:
            route = server.routes.get(asked.path) or server.routes.get("*") or answer(404)
            if isinstance(route, bytes):
                writer.write(route)
                await writer.drain()
                if b"\r\nConnection: close" in route:
                    writer.close()
            else:
                await route(asked, writer)
        finally:
            server.in_flight -= 1
    await writer.wait_closed()


def _asked(head: bytes, connection: int) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    return Asked(
        path=first.split(" ")[1],
        headers={name.lower(): value for name, value in headers.items()},
        head=head,
        connection=connection,
        at=time.monotonic(),
    )


def says(*pieces: bytes, every_s: float = 0.0, close: bool = True) -> Act:
    """Return an act that sends the pieces, `every_s` apart, and closes."""

    async def act(asked: Asked, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_s)
        if close:
            writer.close()

    return act


def together(number: int, said: bytes, *, stay_s: float = 0.0) -> Act:
    """Return an act that responds when this many requests are concurrent, after a delay in which a surplus one would arrive."""
    met = asyncio.Barrier(number)

    async def act(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await met.wait()
        await asyncio.sleep(stay_s)
        writer.write(said)

    return act


async def resets(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Reset the connection without a response."""
    writer.transport.abort()


async def is_silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Send nothing, and keep the connection open."""
    await asyncio.sleep(60)


def endless(head: bytes, piece: bytes, server: list[int] | None = None, every_s: float = 0.0) -> Act:
    """Return an act that sends the piece endlessly after the head; `server`, if given, counts the octets sent."""

    async def act(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            if server is not None:
                server[0] += len(piece)
            await asyncio.sleep(every_s)

    return act


def peak_size() -> int:
    """Return the peak memory of this process in bytes.

    On Linux, `getrusage` starts at the size of the parent process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
