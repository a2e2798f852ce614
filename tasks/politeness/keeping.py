"""Memory management of a client: backpressure for unread responses, a small LRU cache, and locks by key."""

import asyncio
from collections import OrderedDict
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

ROOM_SIZE = 8 * 1024 * 1024
"""Bytes of responses that may be decoded and unread at the same time. A larger one is admitted alone."""

DECODED_RATIO = 6
"""Estimated ratio of decoded to coded size: news pages are 4 to 8 times as long as their gzip."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Room:
    """Bounds the bytes of unread responses. First come, first served; a request keeps its permit while it waits."""

    def __init__(self, size: int = ROOM_SIZE) -> None:
        self._size = size
        self._taken = 0
        self._front = asyncio.Lock()
        self._freed = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait until this many bytes fit, then reserve them."""
        async with self._front:
            while self._taken and self._taken + size > self._size:
                self._freed.clear()
                await self._freed.wait()
            self._taken += size

    def leave(self, size: int) -> None:
        """Release this many bytes."""
        self._taken -= size
        self._freed.set()


class Share:
    """One response's share of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    async def take(self, size: int, *, is_coded: bool) -> None:
        """Wait until a body of this size fits, estimated at its decoded size if it is coded."""
        self.leave()
        size *= DECODED_RATIO if is_coded else 1
        await self._room.enter(size)
        self._size = size

    def leave(self) -> None:
        """Release the share, if there is one."""
        size, self._size = self._size, 0
        self._room.leave(size)


class Locks(Generic[Key]):
    """One lock per key, which exists as long as anyone holds or awaits it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: Key) -> asyncio.Lock:
        """Return the lock of a key."""
        if (lock := self._locks.get(key)) is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


class Kept(Generic[Key, Value]):
    """An LRU cache with at most `number` values."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return a value if it is cached, else None."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """Cache a value and evict the least recently used one."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._number:
            self._values.popitem(last=False)
