"""A reader of the hostile press in its own process, so that its memory can be measured.

`python -m tests.e2e.hostile_reader INDEX_URL PORT` visits all outlets concurrently and prints the results as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from ipaddress import ip_network

from tasks.config.catalogue import SourceRules
from tasks.index.database import open_index
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.politeness.visits import Visit
from tasks.web.client import WebConfig
from tests.e2e.hostile_press import DOMAIN, GOOD, GOOD_DELAY_S, INSIDE, MIB, WIRE_SIZE, address_of, outlets
from tests.web.loopback import AGENT, peak_size


def resolver(port: int):
    """Return a resolver that knows only the press."""
    press = outlets(port)
    own = {name: address_of(number) for number, name in enumerate(press)}
    asked: Counter[str] = Counter()

    async def resolve(host: str, port: int) -> list[str]:
        name = host.removesuffix(f".{DOMAIN}")
        if name == "inside":
            return [INSIDE]
        told = press[name].addresses or ((),)
        addresses = told[min(asked[name], len(told) - 1)]
        asked[name] += 1
        if addresses == ("?",):
            raise OSError("no such name")
        return [address or own[name] for address in addresses or ("",)]

    return resolve


async def read(index_url: str, port: int) -> dict[str, object]:
    """Return each page's reason and time, the run's seconds and its peak memory (bytes)."""
    reasons: dict[str, str] = {}

    def tell(visit: Visit) -> None:
        reasons[visit.key] = "deferred" if visit.deferred_until else visit.error.counted_as if visit.error else "ok"

    visits = [
        Visit(key=f"{name}{path}", url=f"http://{name}.{DOMAIN}:{port}{path}", rules=_rules(name))
        for name, outlet in outlets(port).items()
        for path in outlet.pages
    ]
    config = WebConfig(user_agent="", timeout_s=1.5, deadline_s=6.0, max_wire_size=WIRE_SIZE, max_decoded_size=4 * MIB)
    started = time.monotonic()
    with open_index(index_url) as index:
        async with PoliteClient(config, HostLimits(index), resolve=resolver(port)) as client:
            await client.visit(visits, tell)
    return {
        "reasons": reasons,
        "seconds": time.monotonic() - started,
        "peak_size": peak_size(),
    }


def _rules(name: str) -> SourceRules:
    return SourceRules(
        user_agent=AGENT,
        crawl_delay_s=GOOD_DELAY_S if name in GOOD else 0.1,
        max_per_host=1,
        allow_networks=(ip_network("127.7.0.0/16"),),
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(read(sys.argv[1], int(sys.argv[2])))))
