"""The pool of open connections."""

import httpcore

from tasks.web.backend import GuardedBackend
from tasks.web.budget import Budget
from tasks.web.connections import Connections, Origin
from tasks.web.target import parse_target
from tests.web.loopback import LOOPBACK, page, serve


async def _nobody(host, port):
    raise OSError("no such name")


def connections_of(max_idle):
    return Connections(GuardedBackend(LOOPBACK, resolve=_nobody), max_idle=max_idle)


async def taken(connections, url, *, is_fresh=False):
    """Return a connection after a request for the URL, and the unread response."""
    target = parse_target(url)
    port = int(target.parts.port or 80)
    budget = Budget(deadline_s=60.0, max_body_size=10_000)
    budget.begin()
    connection = await connections.take(
        Origin(target.parts.scheme, target.parts.hostname, port), budget, timeout_s=5.0, is_fresh=is_fresh
    )
    request = httpcore.Request("GET", url, headers={"Host": target.authority})
    return connection, await connection.http.handle_async_request(request)


async def ask(connections, url, *, is_fresh=False):
    connection, answer = await taken(connections, url, is_fresh=is_fresh)
    await answer.aread()
    await answer.aclose()
    await connections.give_back(connection)
    return connection


async def test_each_host_has_its_own_connection():
    connections = connections_of(max_idle=5)
    async with serve({"*": page(b"x")}, "127.0.0.2") as one, serve({"*": page(b"x")}, "127.0.0.3") as other:
        first = await ask(connections, one.url("/a"))
        second = await ask(connections, other.url("/a"))
        third = await ask(connections, one.url("/b"))
        await connections.aclose()

    assert first is third is not second
    assert [asked.connection for asked in one.asked] == [0, 0]


async def test_the_least_recently_used_are_closed_beyond_the_limit():
    connections = connections_of(max_idle=2)
    async with serve({"*": page(b"x")}, "0.0.0.0") as server:
        used = [await ask(connections, server.url(host=f"127.0.3.{number}")) for number in range(1, 5)]
        closed = [one.http.is_closed() for one in used]
        await connections.aclose()

    assert closed == [True, True, False, False]
    assert all(one.http.is_closed() for one in used)


async def test_a_connection_in_use_is_given_to_nobody_else():
    connections = connections_of(max_idle=5)
    async with serve({"*": page(b"x")}, "127.0.0.2") as server:
        busy, answer = await taken(connections, server.url("/a"))
        other = await ask(connections, server.url("/a"))
        body = await answer.aread()
        await answer.aclose()
        await connections.give_back(busy)
        await connections.aclose()

    assert other is not busy
    assert body == b"x"


async def test_a_connection_with_an_unread_response_is_closed():
    connections = connections_of(max_idle=5)
    async with serve({"*": page(b"x")}, "127.0.0.2") as server:
        left, _ = await taken(connections, server.url("/a"))
        await connections.give_back(left)
        await connections.aclose()

    assert left.http.is_closed()


async def test_a_fresh_connection_has_made_no_request():
    connections = connections_of(max_idle=5)
    async with serve({"*": page(b"x")}, "127.0.0.2") as server:
        used = await ask(connections, server.url("/a"))
        fresh = await ask(connections, server.url("/b"), is_fresh=True)
        await connections.aclose()

    assert used is not fresh
