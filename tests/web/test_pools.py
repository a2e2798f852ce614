"""Which connections stay open."""

import httpcore

from tasks.web.backend import GuardedBackend, Wire, on_wire
from tasks.web.pools import Pools
from tasks.web.target import parse_target
from tests.web.loopback import LOOPBACK, page, serve


async def _nobody(host, port):
    raise OSError("no such name")


def pools_of(max_idle):
    return Pools(GuardedBackend(LOOPBACK, resolve=_nobody), max_idle=max_idle)


async def ask(pools, url):
    with on_wire(Wire(deadline=float("inf"), max_size=10_000)):
        async with pools.pool(parse_target(url)) as pool:
            await pool.request("GET", url)
            return pool


async def test_a_host_is_asked_over_its_own_connection():
    pools = pools_of(max_idle=5)
    async with serve({"*": page(b"x")}, "127.0.0.2") as one, serve({"*": page(b"x")}, "127.0.0.3") as other:
        first = await ask(pools, one.url("/a"))
        second = await ask(pools, other.url("/a"))
        third = await ask(pools, one.url("/b"))
        await pools.aclose()

    assert first is third is not second
    assert [asked.connection for asked in one.asked] == [0, 0]


async def test_the_longest_unused_are_closed_beyond_the_limit():
    pools = pools_of(max_idle=2)
    async with serve({"*": page(b"x")}, "0.0.0.0") as server:
        used = [await ask(pools, server.url(host=f"127.0.3.{number}")) for number in range(1, 5)]
        open_ones = [bool(pool.connections) for pool in used]
        await pools.aclose()

    assert open_ones == [False, False, True, True]


async def test_a_pool_in_use_is_not_closed():
    pools = pools_of(max_idle=0)
    async with serve({"*": page(b"x")}, "0.0.0.0") as server:
        busy = parse_target(server.url(host="127.0.4.1"))
        with on_wire(Wire(deadline=float("inf"), max_size=10_000)):
            async with pools.pool(busy) as pool, pool.stream("GET", busy.url) as response:
                await ask(pools, server.url(host="127.0.4.2"))
                body = await response.aread()
        await pools.aclose()

    assert body == b"x"


async def test_a_fresh_pool_has_no_connection():
    pools = pools_of(max_idle=5)
    async with pools.fresh() as pool:
        assert isinstance(pool, httpcore.AsyncConnectionPool)
        assert pool.connections == []
    await pools.aclose()
