"""DNS look-ups: bounded in total and per source, each with its own clock."""

import asyncio

import pytest

from tasks.web.lookups import LookUps, Resolver


class Names:
    """A resolver whose dead names answer late or never; counts the look-ups in progress."""

    def __init__(self, dead_s: float = 60.0) -> None:
        self.dead_s, self.at_work, self.most = dead_s, 0, 0

    async def __call__(self, host, port):
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            if host.startswith("dead"):
                await asyncio.sleep(self.dead_s)
                raise OSError("no such name")
            return ("192.0.2.1",)
        finally:
            self.at_work -= 1


async def test_the_systems_resolver_gives_each_address_once():
    resolver = Resolver(threads=2)
    addresses = await resolver("localhost", 80)
    resolver.close()

    assert "127.0.0.1" in addresses or "::1" in addresses
    assert len(addresses) == len(set(addresses))


async def test_dead_names_of_one_source_do_not_delay_another():
    names = Names()
    look_ups = LookUps(names, most=8, most_each=4)
    dead = [
        asyncio.ensure_future(look_ups.addresses(f"dead-{n}.example", 80, asker="one", timeout_s=60.0))
        for n in range(50)
    ]
    await asyncio.sleep(0)

    addresses, _ = await asyncio.wait_for(look_ups.addresses("alive.example", 80, asker="other", timeout_s=5.0), 5.0)

    assert addresses == ("192.0.2.1",)
    assert names.at_work == 4
    for one in dead:
        one.cancel()
    await asyncio.gather(*dead, return_exceptions=True)


async def test_the_number_of_look_ups_is_bounded():
    names = Names(dead_s=0.001)
    look_ups = LookUps(names, most=6, most_each=4)

    ended = await asyncio.gather(
        *(look_ups.addresses(f"dead-{n}.example", 80, asker=f"s{n % 9}", timeout_s=5.0) for n in range(200)),
        return_exceptions=True,
    )

    assert {type(one) for one in ended} == {OSError}
    assert names.most == 6


async def test_the_clock_of_a_look_up_starts_with_it():
    look_ups = LookUps(Names(dead_s=0.2), most=1, most_each=1)
    dead = asyncio.ensure_future(look_ups.addresses("dead.example", 80, asker="one", timeout_s=5.0))
    await asyncio.sleep(0)

    addresses, waited_s = await look_ups.addresses("alive.example", 80, asker="other", timeout_s=0.1)

    assert addresses == ("192.0.2.1",)
    assert waited_s > 0.1
    with pytest.raises(OSError, match="no such name"):
        await dead


async def test_a_look_up_that_took_too_long_keeps_its_place_until_it_ends():
    names = Names(dead_s=0.3)
    look_ups = LookUps(names, most=1, most_each=1)
    with pytest.raises(TimeoutError):
        await look_ups.addresses("dead.example", 80, asker="one", timeout_s=0.01)

    _, waited_s = await look_ups.addresses("alive.example", 80, asker="other", timeout_s=0.1)

    assert waited_s > 0.1
    assert names.most == 1
