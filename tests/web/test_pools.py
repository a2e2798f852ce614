"""Which connections stay open."""

from contextlib import asynccontextmanager

from tasks.web.backend import GuardedBackend, Wire, on_wire
from tasks.web.pools import Pools
from tasks.web.target import parse_target
from tests.web.loopback import LOOPBACK, page, says, serve


async def _nobody(host, port):
    raise OSError("no such name")


@asynccontextmanager
async def pools_of(max_idle):
    pools = Pools(GuardedBackend(LOOPBACK, resolve=_nobody), max_idle=max_idle, timeout_s=5.0)
    with on_wire(Wire(deadline=float("inf"), max_size=10_000)):
        yield pools
    pools.close()


async def asked(connection, url):
    """Ask over this connection, and return the answer's body."""
    await connection.ask("/", [(b"Host", parse_target(url).authority.encode())])
    return b"".join([bytes(piece) async for piece in connection.body()])


async def ask(pools, url, **how):
    async with pools.connection(parse_target(url), **how) as connection:
        await asked(connection, url)
        return connection


async def test_a_host_is_asked_over_its_own_connection():
    async with (
        serve({"*": page(b"x")}, "127.0.0.2") as one,
        serve({"*": page(b"x")}, "127.0.0.3") as other,
        pools_of(max_idle=5) as pools,
    ):
        first = await ask(pools, one.url("/a"))
        second = await ask(pools, other.url("/a"))
        third = await ask(pools, one.url("/b"))

    assert first is third is not second
    assert [asked.connection for asked in one.asked] == [0, 0]


async def test_the_longest_unused_are_closed_beyond_the_limit():
    async with serve({"*": page(b"x")}, "0.0.0.0") as server, pools_of(max_idle=2) as pools:
        used = [await ask(pools, server.url(host=f"127.0.3.{number}")) for number in range(1, 5)]
        open_ones = [connection.is_open for connection in used]

    assert open_ones == [False, False, True, True]
    assert not any(connection.is_open for connection in used)


async def test_a_connection_in_use_is_not_closed():
    async with serve({"*": page(b"x")}, "0.0.0.0") as server, pools_of(max_idle=0) as pools:
        busy = server.url(host="127.0.4.1")
        async with pools.connection(parse_target(busy)) as connection:
            await ask(pools, server.url(host="127.0.4.2"))
            body = await asked(connection, busy)

    assert body == b"x"


async def test_a_fresh_connection_is_made_for_whoever_wants_one():
    async with serve({"*": page(b"x")}) as server, pools_of(max_idle=5) as pools:
        first = await ask(pools, server.url())
        second = await ask(pools, server.url(), is_fresh=True)

    assert first is not second


async def test_two_at_once_at_a_host_have_a_connection_each():
    async with serve({"*": page(b"x")}) as server, pools_of(max_idle=5) as pools:
        async with pools.connection(parse_target(server.url())) as connection:
            other = await ask(pools, server.url())
            await asked(connection, server.url())
        kept = {await ask(pools, server.url()) for _ in range(2)}

    assert kept == {connection}
    assert other is not connection


async def test_an_answer_that_is_not_read_ends_its_connection():
    async with (
        serve({"*": page(b"x")}) as server,
        pools_of(max_idle=5) as pools,
        pools.connection(parse_target(server.url())) as connection,
    ):
        await connection.ask("/", [(b"Host", b"a.example")])

    assert not connection.is_open


async def test_what_a_server_says_unasked_is_no_answer_to_the_next_request():
    async with serve({"*": says(page(b"x") + page(b"forged"), close=False)}) as server, pools_of(max_idle=5) as pools:
        connection = await ask(pools, server.url())

    assert not connection.is_open
