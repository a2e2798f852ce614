"""Which addresses may be connected to: public unicast ones, and those that the operator allows. Pure.

`ipaddress.is_global` does not suffice: it accepts NAT64 and 6to4 forms of private addresses and multicast, and differs
between Python versions. The tables are the IANA special-purpose address registries (RFC 6890).
"""

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from tasks.errors import ConfigError

_FORBIDDEN_V4 = tuple(
    IPv4Network(cidr)
    for cidr in (
        "0.0.0.0/8",  # this network, unspecified (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and every cloud's metadata service (RFC 3927)
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays, withdrawn (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Everything outside 2000::/3 is refused: loopback, link-local, site-local, unique local, multicast, IPv4-compatible,
# and NAT64's local prefix 64:ff9b:1::/48, where only the operator knows which bits are the IPv4 address (RFC 8215).
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_FORBIDDEN_V6 = tuple(
    IPv6Network(cidr)
    for cidr in (
        "2001::/23",  # IETF protocol assignments: benchmarking, ORCHID, anycast (RFC 2928)
        "2001:db8::/32",  # documentation (RFC 3849)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Checks addresses. `allow_networks`: further permitted CIDRs. Raises ConfigError for an invalid one."""

    allow_networks: tuple[str, ...] = ()
    _allowed: tuple[IPv4Network | IPv6Network, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_allowed", tuple(_parse_network(cidr) for cidr in self.allow_networks))

    def permits(self, address: str) -> bool:
        """Return whether a literal address may be connected to. False if it is not a literal or has a zone."""
        parsed = _parsed_address(address)
        if parsed is None:
            return False
        return any(parsed in network for network in self._allowed) or _is_public(parsed)


@lru_cache(maxsize=1000)  # most requests to a host are consecutive
def _parsed_address(address: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a literal leads to, or None if it is not a literal or has a zone."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if not isinstance(parsed, IPv6Address):
        return parsed
    # a mapped address is reached over IPv4, so it counts as that address, also for the operator
    return (parsed.ipv4_mapped or parsed) if parsed.scope_id is None else None


def _parse_network(cidr: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(cidr, strict=False)
    except ValueError as error:
        raise ConfigError(f"allow_networks: {cidr!r} is not a network; use a form such as 10.0.0.0/8") from error


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _FORBIDDEN_V4)
    embedded = _embedded_v4(address)
    if embedded:
        return all(_is_public(inner) for inner in embedded)
    return address in _GLOBAL_UNICAST_V6 and not any(address in network for network in _FORBIDDEN_V6)


def _embedded_v4(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that a tunnel or translator would extract from this one."""
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour:
        return (address.sixtofour,)
    return address.teredo or ()  # the server and the client behind it
