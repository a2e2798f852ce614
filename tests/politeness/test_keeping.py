"""The caches of a client, and their limits."""

import asyncio
import gc

from tasks.politeness.keeping import Kept, Locks
from tests.alive import alive


async def test_one_key_has_one_lock_while_it_is_used():
    locks: Locks[str] = Locks()
    order: list[str] = []

    async def hold(key: str, name: str) -> None:
        async with locks.of(key):
            order.append(f"{name} in")
            await asyncio.sleep(0.01)
            order.append(f"{name} out")

    await asyncio.gather(hold("a", "first"), hold("a", "second"), hold("b", "beside"))

    assert order.index("first out") < order.index("second in")
    assert order.index("beside in") < order.index("first out")


def locks_alive() -> int:
    """Return their number in this process, which other tests have used before."""
    gc.collect()
    return len(alive(lambda one: isinstance(one, asyncio.Lock)))


async def test_unused_locks_are_freed():
    locks: Locks[int] = Locks()
    before = locks_alive()
    for key in range(100):
        async with locks.of(key):
            pass

    assert locks_alive() - before < 50


def test_the_most_recently_used_values_are_kept():
    kept: Kept[str, int] = Kept(2)
    for number, key in enumerate("abac"):
        kept.keep(key, number)

    assert [kept.get(key) for key in "abc"] == [2, None, 3]
