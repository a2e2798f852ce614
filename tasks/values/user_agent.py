"""The name by which robots.txt and directives call a crawler. Pure."""

import re
from functools import lru_cache

_TOKEN = re.compile(r"[A-Za-z_-]*")  # RFC 9309, 2.2.1
_COMPATIBLE = re.compile(r"Mozilla/.*?compatible;\s*([A-Za-z_-]+)")


@lru_cache(maxsize=1024)  # each URL's robots.txt asks for it
def product_token(user_agent: str) -> str:
    """Return the name by which robots.txt calls us: `Presslake` for `Presslake/0.1 (+https://...)`, maybe empty.

    Of `Mozilla/5.0 (compatible; Presslake/0.1)`, it is what is compatible.
    """
    found = _COMPATIBLE.match(user_agent)
    return found[1] if found else token_of(user_agent)


def token_of(value: str) -> str:
    """Return the name that a text begins with."""
    found = _TOKEN.match(value)
    return found[0] if found else ""
