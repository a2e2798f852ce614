"""Whether a Prefect server answers. A busy one accepts connections at once and may take its time for an answer."""

import httpx

CONNECT_S = 10
BUSY_S = 60
"""How long an answer may take: a server that works off the records of a large run has its loop blocked for seconds."""


def ask_health(api_url: str) -> httpx.Response:
    """Return the answer of a server's health check, whatever its status is; raises httpx.HTTPError, httpx.InvalidURL."""
    return httpx.get(f"{api_url}/health", timeout=httpx.Timeout(BUSY_S, connect=CONNECT_S), trust_env=False)
