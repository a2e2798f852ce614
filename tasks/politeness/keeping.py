"""A client's memory: room for answers that are not read yet, the values that it used last, and locks while they are used."""

import asyncio
from collections import OrderedDict
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

ROOM_SIZE = 8 * 1024 * 1024
"""Bytes of answers that may be decoded and not read yet; a single longer answer is admitted alone."""

DECODED_RATIO = 6
"""How many times its size a coded body is taken to be: a page of news is 4 to 8 times as long as its gzip."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Room:
    """Bounds the bytes of answers that are not read yet: who comes first enters first, and keeps its permit meanwhile."""

    def __init__(self, size: int = ROOM_SIZE) -> None:
        self._size = size
        self._taken = 0
        self._front = asyncio.Lock()
        self._freed = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait until there is room for this many bytes, and take it."""
        async with self._front:
            while self._taken and self._taken + size > self._size:
                self._freed.clear()
                await self._freed.wait()
            self._taken += size

    def leave(self, size: int) -> None:
        """Give this many bytes back."""
        self._taken -= size
        self._freed.set()


class Share:
    """One answer's share of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    async def take(self, size: int, *, is_coded: bool) -> None:
        """Wait until there is room for a body of this many bytes as it will be without its coding."""
        self.leave()
        size *= DECODED_RATIO if is_coded else 1
        await self._room.enter(size)
        self._size = size

    def leave(self) -> None:
        """Give the share back, if there is one."""
        size, self._size = self._size, 0
        self._room.leave(size)


class Locks(Generic[Key]):
    """A lock for each key, which lives as long as anybody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: Key) -> asyncio.Lock:
        """Return the lock of a key."""
        if (lock := self._locks.get(key)) is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


class Kept(Generic[Key, Value]):
    """The values that were used last, up to a number."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return a value, if it is kept."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """Keep a value, and drop the least recently used one."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._number:
            self._values.popitem(last=False)
