"""The network below HTTP: resolve names, check the addresses, and connect only to those that passed."""

import time
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

import httpcore

from tasks.errors import BadUrl, ConnectFailed, DnsFailed, ForbiddenAddress, TimedOut
from tasks.web.addresses import AddressGate
from tasks.web.budget import Budget
from tasks.web.guard import AddressGuard
from tasks.web.lookups import LookUps, Resolve
from tasks.web.stream import Stream, connect

MAX_ADDRESSES = 8
"""The most addresses of one name to try."""

FORESEEN_S = 60.0
"""How long the result of `address_of` also serves the host's next connection."""

_LEAST_CONNECT_S = 1.0


class GuardedBackend:
    """Connects only to addresses that the guard permits.

    A name is resolved once, and the checked addresses are connected to as literals. No second look-up could return
    something else.
    """

    def __init__(self, guard: AddressGuard, *, resolve: Resolve, gate: AddressGate | None = None) -> None:
        self._gate = gate
        self._guard = guard
        self._look_ups = LookUps(resolve)
        self._foreseen: dict[tuple[str, int], tuple[float, Sequence[str]]] = {}

    async def connect(self, host: str, port: int, budget: Budget, *, timeout_s: float | None = None) -> Stream:
        """Connect to the first permitted address that responds, dividing the timeout among them.

        The address is counted as in use until `release`. Raises DnsFailed, ForbiddenAddress, ConnectFailed, TimedOut,
        BadUrl.
        """
        addresses = self._permitted(host, await self._addresses(host, port, budget, timeout_s))
        give_up_at = time.monotonic() + budget.time_left(timeout_s)
        trouble: Exception | None = None
        for number, address in enumerate(addresses):
            give_up_at += await self.occupy(address, budget)
            share_s = max((give_up_at - time.monotonic()) / (len(addresses) - number), _LEAST_CONNECT_S)
            try:
                stream = await connect(address, port, budget, timeout_s=share_s)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                self.release(address)
                trouble = error
                continue
            except BaseException:
                self.release(address)
                raise
            budget.has_connected = True
            return stream
        if isinstance(trouble, httpcore.ConnectTimeout):
            raise TimedOut(f"{host}: no connection at {', '.join(addresses)}") from trouble
        raise ConnectFailed(f"{host}: {trouble} at {', '.join(addresses)}") from trouble

    async def address_of(self, host: str, port: int, budget: Budget, *, timeout_s: float | None = None) -> str | None:
        """Return the address under which a host is counted: the smallest of its addresses, in whatever order.

        None without a gate, or if the address is exempt (shared). Raises DnsFailed, ForbiddenAddress, BadUrl.
        """
        if self._gate is None:
            return None
        addresses = await self._addresses(host, port, budget, timeout_s)
        if not _is_literal(host):
            self._foreseen[host, port] = time.monotonic(), addresses
        address = min(self._permitted(host, addresses))
        return None if self._gate.is_shared(address) else address

    async def occupy(self, address: str, budget: Budget) -> float:
        """Wait until an address accepts a request; returns the wait in seconds and extends the deadline by it."""
        waited_s = await self._gate.enter(address) if self._gate is not None else 0.0
        budget.postpone(waited_s)
        return waited_s

    def release(self, address: str) -> None:
        """Record the end of a request at an address."""
        if self._gate is not None:
            self._gate.leave(address)

    async def _addresses(self, host: str, port: int, budget: Budget, timeout_s: float | None) -> Sequence[str]:
        if _is_literal(host):
            return (host,)
        asked_s, foreseen = self._foreseen.pop((host, port), (0.0, ()))
        if foreseen and time.monotonic() - asked_s < FORESEEN_S:
            return foreseen
        limit_s = budget.time_left(timeout_s)
        try:
            addresses, waited_s = await self._look_ups.addresses(host, port, asker=budget.asker, timeout_s=limit_s)
        except TimeoutError as error:
            raise DnsFailed(f"{host}: no answer within {limit_s:.1f} s") from error
        except UnicodeError as error:  # an empty label, or one longer than 63 octets
            raise BadUrl(f"{host} cannot be a host name") from error
        except OSError as error:
            raise DnsFailed(f"{host}: {error.strerror or error}") from error
        budget.postpone(waited_s)
        if not addresses:
            raise DnsFailed(f"{host} has no address")
        return addresses

    def _permitted(self, host: str, addresses: Sequence[str]) -> tuple[str, ...]:
        permitted = tuple(address for address in addresses if self._guard.permits(address))
        if not permitted:
            found = ", ".join(addresses[:MAX_ADDRESSES])
            place = "an address" if found == host else found
            raise ForbiddenAddress(
                f"{host} is {place} outside the public internet: permit it with allow_networks in its source, "
                "or with PRESSLAKE_ALLOW_NETWORKS for URLs outside the catalogue"
            )
        return permitted[:MAX_ADDRESSES]


@lru_cache(maxsize=1000)  # most requests to a host are consecutive
def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
