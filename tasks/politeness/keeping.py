"""A client's memory: room for answers that are not read yet, and the values that it used last."""

import asyncio
from collections import OrderedDict
from typing import Generic, TypeVar

ROOM_SIZE = 64 * 1024 * 1024
"""Bytes of answers that may wait to be read; a single longer answer is admitted alone."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Room:
    """Bounds the bytes of answers that are not read yet: a request without room keeps its permit meanwhile."""

    def __init__(self, size: int = ROOM_SIZE) -> None:
        self._size = size
        self._taken = 0
        self._freed = asyncio.Event()

    async def enter(self, size: int) -> int:
        """Wait until there is room for this many bytes, take it, and return the number."""
        while self._taken and self._taken + size > self._size:
            self._freed.clear()
            await self._freed.wait()
        self._taken += size
        return size

    def leave(self, size: int) -> None:
        """Give this many bytes back."""
        self._taken -= size
        self._freed.set()


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
        while len(self._values) > self._number:
            self._values.popitem(last=False)
