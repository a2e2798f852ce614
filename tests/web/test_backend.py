"""The network below HTTP: look-ups, verdicts, deadlines."""

import asyncio
import socket
import ssl

import httpcore
import pytest

from tasks.errors import (
    BadUrl,
    BodyTooLarge,
    ConnectFailed,
    DnsFailed,
    ForbiddenAddress,
    ItemError,
    TimedOut,
    TlsFailed,
)
from tasks.web.backend import MAX_ADDRESSES, GuardedBackend
from tasks.web.budget import FRAMING_SIZE, Budget
from tasks.web.guard import AddressGuard
from tests.web.loopback import listening

LOOPBACK = AddressGuard(("127.0.0.0/8", "::1/128"))


def resolves(*addresses, error=None, after_s=0.0):
    async def resolve(host, port):
        resolve.asked += 1
        await asyncio.sleep(after_s)
        if error is not None:
            raise error
        return addresses

    resolve.asked = 0
    return resolve


def begun(deadline_s=5.0, max_body_size=1_000_000):
    budget = Budget(deadline_s=deadline_s, max_body_size=max_body_size)
    budget.begin()
    return budget


async def connected(host, port, *, resolve, guard=LOOPBACK, budget=None, timeout_s=5.0):
    backend = GuardedBackend(guard, resolve=resolve)
    stream = await backend.connect(host, port, budget or begun(), timeout_s=timeout_s)
    await stream.aclose()


def here(port, budget):
    """Connect to a port of this machine."""
    return GuardedBackend(LOOPBACK, resolve=resolves()).connect("127.0.0.1", port, budget, timeout_s=5.0)


async def test_a_name_is_looked_up_once_and_connected_to_as_a_literal():
    resolve, budget = resolves("127.0.0.1"), begun()
    async with listening() as port:
        await connected("a.example", port, resolve=resolve, budget=budget)

    assert (resolve.asked, budget.has_connected) == (1, True)


async def test_a_literal_is_not_looked_up():
    resolve = resolves()
    async with listening() as port:
        await connected("127.0.0.1", port, resolve=resolve)

    assert resolve.asked == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1", "0.0.0.0"]
)
async def test_a_forbidden_literal_is_not_connected_to(host):
    with pytest.raises(ForbiddenAddress):
        await connected(host, 80, resolve=resolves(), guard=AddressGuard())


async def test_a_name_with_only_forbidden_addresses_is_refused():
    with pytest.raises(ForbiddenAddress):
        await connected("a.example", 80, resolve=resolves("10.0.0.1", "fd00::1", "fe80::1%eth0", "nonsense"))


async def test_no_more_addresses_are_tried_than_the_limit():
    dead = [f"127.0.9.{number}" for number in range(1, MAX_ADDRESSES + 1)]
    async with listening() as port:
        with pytest.raises(ConnectFailed, match=r"a\.example: connection refused at 127\.0\.9\.1, "):
            await connected("a.example", port, resolve=resolves(*dead, "127.0.0.1"))


@pytest.mark.parametrize(
    ("resolve", "error"),
    [
        (resolves(error=socket.gaierror("unknown")), DnsFailed),
        (resolves(error=OSError("broken")), DnsFailed),
        (resolves(error=UnicodeError("label too long")), BadUrl),
        (resolves(), DnsFailed),
        (resolves("127.0.0.1", after_s=9.0), DnsFailed),
    ],
    ids=["unknown", "broken", "no name", "no address", "silent"],
)
async def test_each_failed_look_up_has_its_error(resolve, error):
    with pytest.raises(ItemError) as caught:
        await connected("a.example", 80, resolve=resolve, timeout_s=0.2)

    assert type(caught.value) is error


async def test_an_address_that_swallows_packets_leaves_time_for_the_next():
    async with listening() as port:
        with socket.socket() as full:
            full.bind(("127.0.0.8", port))
            full.listen(0)
            clogs = [socket.socket() for _ in range(4)]
            for clog in clogs:
                clog.setblocking(False)
                clog.connect_ex(("127.0.0.8", port))
            await connected("a.example", port, resolve=resolves("127.0.0.8", "127.0.0.1"), timeout_s=2.0)
            for clog in clogs:
                clog.close()


async def test_a_deadline_that_has_passed_connects_to_nothing():
    with pytest.raises(TimedOut):
        await connected("127.0.0.1", 80, resolve=resolves(), budget=begun(deadline_s=-1.0))


async def test_a_read_ends_at_the_deadline_even_with_a_longer_time_out():
    async def hangs(reader, writer):
        await asyncio.sleep(2)
        writer.close()

    async with listening(hangs) as port:
        stream = await here(port, begun(deadline_s=0.3))
        with pytest.raises((TimedOut, httpcore.ReadTimeout)):
            await stream.read(100, 60.0)
        with pytest.raises((TimedOut, httpcore.WriteTimeout)):
            await asyncio.sleep(0.05)
            await stream.write(b"x", 60.0)
        await stream.aclose()


async def test_receiving_stops_at_the_budget():
    async def talks(reader, writer):
        writer.write(bytes(1_000_000))
        await reader.read()
        writer.close()

    budget = begun(max_body_size=50_000)
    async with listening(talks) as port:
        stream = await here(port, budget)
        with pytest.raises(BodyTooLarge):
            while True:
                await stream.read(1000, 5.0)
        await stream.aclose()

    assert 100_000 + FRAMING_SIZE < budget.size <= 101_000 + FRAMING_SIZE


async def test_plain_text_is_a_tls_failure():
    async def talks(reader, writer):
        await reader.read(1)
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with listening(talks) as port:
        stream = await here(port, begun())
        with pytest.raises(TlsFailed):
            await stream.start_tls(ssl.create_default_context(), "a.example", 5.0)


async def test_a_connection_is_bounded_by_the_request_that_uses_it():
    async with listening() as port:
        stream = await here(port, begun(deadline_s=50.0))
        stream.budget = begun(deadline_s=-1.0)
        with pytest.raises(TimedOut):
            await stream.read(1, 5.0)
        await stream.aclose()
