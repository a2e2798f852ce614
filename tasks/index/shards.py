"""How the frontier is shared out among machines: by registrable domain, so that a host is one process's business. Pure."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from tasks.values.url import domain_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of `of` parts of the frontier: the hosts of a registrable domain are in one of them."""

    number: int
    of: int


@lru_cache(maxsize=4096)
def shard_key(host: str) -> int:
    """Return the number, of 15 bits, by which a host falls to a shard: equal for hosts of one registrable domain."""
    domain = domain_of(host)
    return int.from_bytes(hashlib.sha256(domain.encode()).digest()[:2], "big") >> 1
