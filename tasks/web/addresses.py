"""Limits per server address, whatever host names it serves: concurrent requests, and new requests per second.

For robots.txt and crawl delays, the names of one small server are many hosts, but one machine handles all their
requests. Addresses shared on purpose, such as a CDN's networks, are exempt. One gate per process counts the batches of
all threads and event loops.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tasks.values.shared_networks import SHARED_NETWORKS

MAX_PER_ADDRESS = 16
STARTS_A_SECOND = 20.0

_LOOKED_AGAIN_S = 0.05
_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class AddressLimits:
    """The most concurrent requests and new requests per second at one address, and the exempt networks."""

    most: int = MAX_PER_ADDRESS
    a_second: float = STARTS_A_SECOND
    shared_networks: tuple[str, ...] = SHARED_NETWORKS


class AddressGate:
    """Admits requests to addresses. Threads and event loops may share it."""

    def __init__(self, limits: AddressLimits | None = None, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits or AddressLimits()
        self._shared = tuple(ip_network(network) for network in self._limits.shared_networks)
        self._now_s = now_s
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        self._next_s: dict[str, float] = {}
        self._is_shared = lru_cache(maxsize=_MOST_KEPT)(partial(_is_in, networks=self._shared))

    async def enter(self, address: str) -> float:
        """Wait until an address accepts one more request, and count it; returns the wait in seconds."""
        began_s = self._now_s()
        while True:
            wait_s = self.try_enter(address)
            if wait_s <= 0:
                return self._now_s() - began_s
            await asyncio.sleep(wait_s)

    def try_enter(self, address: str) -> float:
        """Count a request if the address accepts it now and return 0; else return the seconds until the next try."""
        if self.is_shared(address):
            return 0.0
        with self._lock:
            now_s = self._now_s()
            next_s = self._next_s.get(address, now_s)
            if self._under_way[address] >= self._limits.most:
                return max(_LOOKED_AGAIN_S, next_s - now_s)
            if next_s > now_s:
                return next_s - now_s
            self._under_way[address] += 1
            self._next_s[address] = now_s + 1 / self._limits.a_second
            if len(self._next_s) > _MOST_KEPT:
                self._next_s = {one: at_s for one, at_s in self._next_s.items() if at_s > now_s}
            return 0.0

    def leave(self, address: str) -> None:
        """Record the end of a request."""
        if self.is_shared(address):
            return
        with self._lock:
            self._under_way[address] -= 1
            if self._under_way[address] <= 0:
                del self._under_way[address]

    def is_shared(self, address: str) -> bool:
        """Whether an address is exempt because many share it on purpose."""
        return self._is_shared(address)


def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    parsed = ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in networks)


_gates: dict[AddressLimits, AddressGate] = {}
_gates_lock = threading.Lock()


def shared_gate(limits: AddressLimits) -> AddressGate:
    """Return this process's gate for these limits."""
    with _gates_lock:
        if limits not in _gates:
            _gates[limits] = AddressGate(limits)
        return _gates[limits]
