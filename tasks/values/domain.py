"""Whose a host may be, and the domain that one party holds. Pure."""

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tldextract


class Site(NamedTuple):
    """Where a URL is: its origin, its host as politeness counts it, that without `www.`, the domain that one party holds."""

    origin: str
    host: str
    bare_host: str
    domain: str


@lru_cache(maxsize=1)
def _suffixes() -> "tldextract.TLDExtract":
    import tldextract  # noqa: PLC0415 - it brings requests, and most commands never ask

    # no addresses and no cache: the packaged list alone, so that the answer is the same on every machine
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@lru_cache(maxsize=4096)  # hosts of a large catalogue, each asked about for every URL
def domain_of_host(host: str) -> str:
    """Return the domain that one party holds: `example.co.uk`, `someone.github.io`; an IP address is its own.

    By the Public Suffix List as packaged with tldextract, private part included. `host` has no port.
    """
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return _suffixes().extract_str(host, include_psl_private_domains=True).top_domain_under_public_suffix or host
