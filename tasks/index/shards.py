"""Partition the frontier among machines by registrable domain: one process makes all requests to a host. Pure."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from tasks.values.url import registrable_domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of `of` parts of the frontier. All hosts of a registrable domain are in the same part."""

    number: int
    of: int


@lru_cache(maxsize=4096)
def shard_key(host: str) -> int:
    """Return the 15-bit number that determines a host's shard. It is equal for all hosts of a registrable domain."""
    domain = registrable_domain(f"http://{host}/")
    return int.from_bytes(hashlib.sha256(domain.encode()).digest()[:2], "big") >> 1
