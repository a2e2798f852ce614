"""A separate process that visits pages politely: `python -m tests.web.visitor` with a JSON object of pages."""

import asyncio
import json
import sys
from ipaddress import ip_network

from tasks.config.catalogue import SourceRules
from tasks.index.database import open_index
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.politeness.visits import Visit
from tasks.web.client import WebConfig
from tests.web.loopback import AGENT


async def visit(index_url: str, urls: list[str], crawl_delay_s: float, max_per_host: int) -> int:
    """Return the number of fetched pages."""
    rules = SourceRules(
        user_agent=AGENT,
        crawl_delay_s=crawl_delay_s,
        max_per_host=max_per_host,
        allow_networks=(ip_network("127.0.0.0/8"),),
    )
    fetched = []
    with open_index(index_url) as index:
        async with PoliteClient(WebConfig(user_agent=""), HostLimits(index)) as client:
            visits = [Visit(key=url, url=url, rules=rules) for url in urls]
            await client.visit(visits, lambda done: fetched.append(done.deferred_until is None and not done.error))
    return sum(fetched)


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(visit(**json.loads(sys.argv[1])))}\n")
