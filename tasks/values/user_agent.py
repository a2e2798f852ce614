"""The product token by which robots.txt and directives address a crawler. Pure."""

import re
from functools import lru_cache

_TOKEN = re.compile(r"[A-Za-z_-]*")  # RFC 9309, 2.2.1
_COMPATIBLE = re.compile(r"Mozilla/.*?compatible;\s*([A-Za-z_-]+)")


@lru_cache(maxsize=1024)  # needed for every URL
def product_token(user_agent: str) -> str:
    """Return the product token of a user agent: `Presslake` for `Presslake/0.1 (+https://...)`, possibly empty.

    In `Mozilla/5.0 (compatible; Presslake/0.1)` it is the name after `compatible;`.
    """
    found = _COMPATIBLE.match(user_agent)
    return found[1] if found else token_of(user_agent)


def token_of(value: str) -> str:
    """Return the product token that a text begins with."""
    found = _TOKEN.match(value)
    return found[0] if found else ""
