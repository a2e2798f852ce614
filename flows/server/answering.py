"""The health check of a Prefect server. A busy server accepts connections at once, but may answer late."""

import httpx

CONNECT_S = 10
BUSY_S = 60
"""The time limit for an answer: the event loop of a server that works off a large run's records blocks for seconds."""


def ask_health(api_url: str) -> httpx.Response:
    """Return a server's response to a health check, whatever its status.

    Raises httpx.HTTPError if there is no response, httpx.InvalidURL for a wrong URL.
    """
    return httpx.get(f"{api_url}/health", timeout=httpx.Timeout(BUSY_S, connect=CONNECT_S), trust_env=False)
