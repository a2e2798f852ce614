"""Sites: hosts and registrable domains. Pure."""

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tldextract


class Site(NamedTuple):
    """The site of a URL: origin, host (with a non-default port), host without `www.`, registrable domain."""

    origin: str
    host: str
    bare_host: str
    domain: str


@lru_cache(maxsize=1)
def _suffixes() -> "tldextract.TLDExtract":
    import tldextract  # noqa: PLC0415 - it imports requests, and most commands do not need it

    # no downloads and no cache: only the packaged list, so that all machines give the same result
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@lru_cache(maxsize=4096)  # enough for the hosts of a large catalogue
def domain_of_host(host: str) -> str:
    """Return the registrable domain: `example.co.uk`, `someone.github.io`; an IP address is its own.

    It uses the Public Suffix List packaged with tldextract, including its private section. `host` has no port.
    """
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return _suffixes().extract_str(host, include_psl_private_domains=True).top_domain_under_public_suffix or host
