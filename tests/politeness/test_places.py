"""One server under many names of one domain: together they have the pace of one host."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest

from tasks.config.catalogue import SourceRules
from tasks.errors import DnsFailed, ForbiddenAddress
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.politeness.visits import Visit
from tasks.web.addresses import AddressLimits
from tasks.web.client import WebConfig
from tests.web.loopback import AGENT, answer, page, serve, together

DELAY_S = 0.2
ALLOW = {"/robots.txt": answer(404), "*": page(b"x")}
ANYWHERE = AddressLimits(a_second=1000.0, shared_networks=())


@pytest.fixture
def index(file_index):
    return file_index


class Names:
    """A resolver with fixed addresses by name, which counts the lookups."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.asked = []

    async def __call__(self, host, port):
        self.asked.append(host)
        return next((found for name, found in self.addresses.items() if host.endswith(name)), ["127.0.0.1"])


@asynccontextmanager
async def polite(index, names=None, addresses=ANYWHERE):
    config = WebConfig(user_agent="", timeout_s=2.0, deadline_s=5.0, addresses=addresses)
    async with PoliteClient(config, HostLimits(index), resolve=names or Names({})) as client:
        yield client


async def visited(client, urls, *, delay_s=DELAY_S, max_per_host=1):
    rules = SourceRules(
        user_agent=AGENT,
        crawl_delay_s=delay_s,
        max_per_host=max_per_host,
        allow_networks=(ip_network("127.0.0.0/8"),),
    )
    results = {}
    await client.visit(
        [Visit(key=url, url=url, rules=rules) for url in urls],
        lambda visit: results.update({visit.url: visit}),
    )
    return [results[url] for url in urls]


def at_hosts(server, number, domain="daily.com"):
    return [server.url("/", host=f"town{one}.{domain}") for one in range(number)]


def least_gap(*servers):
    instants = sorted(asked.at for server in servers for asked in server.asked)
    return min(later - earlier for earlier, later in itertools.pairwise(instants))


async def test_many_hosts_of_a_domain_at_one_address_share_one_pace(index):
    async with serve(ALLOW) as server, polite(index) as client:
        results = await visited(client, at_hosts(server, 6))

    assert are_pages(results)
    assert len(server.asked) == 12  # one robots.txt and one page each
    assert least_gap(server) >= 0.95 * DELAY_S
    assert server.most_in_flight == 1


@pytest.mark.parametrize("most", [1, 3])
async def test_together_they_have_the_concurrency_of_one_host(index, most):
    pages = together(most, page(b"x"), stay_s=0.1)
    async with serve({**ALLOW, "*": pages}) as server, polite(index) as client:
        await visited(client, at_hosts(server, 9), delay_s=0.0, max_per_host=most)

    assert server.most_in_flight == most


async def test_two_batches_share_one_pace_at_a_place(index):
    async with serve(ALLOW) as server, polite(index) as one, polite(index) as other:
        urls = at_hosts(server, 6)
        await asyncio.gather(visited(one, urls[:3]), visited(other, urls[3:]))

    assert len(server.asked) == 12
    assert least_gap(server) >= 0.95 * DELAY_S


async def test_the_order_of_addresses_does_not_make_a_second_place(index):
    names = Names({"town1.daily.com": ["127.0.0.1", "127.0.0.9"], "town0.daily.com": ["127.0.0.9", "127.0.0.1"]})
    async with serve(ALLOW) as server, polite(index, names) as client:
        await visited(client, at_hosts(server, 3))

    assert least_gap(server) >= 0.95 * DELAY_S


async def test_ports_of_one_host_are_one_place(index):
    async with serve(ALLOW) as one, serve(ALLOW) as other, polite(index) as client:
        await visited(client, [one.url("/", host="daily.com"), other.url("/", host="daily.com")])

    assert least_gap(one, other) >= 0.95 * DELAY_S


async def test_the_crawl_delay_of_one_host_applies_to_its_place(index):
    said = page(b"User-agent: *\nCrawl-delay: 0.5")
    async with serve({"/robots.txt": said, "*": page(b"x")}) as server, polite(index) as client:
        await visited(client, at_hosts(server, 3), delay_s=0.0)

    instants = [asked.at for asked in server.asked if asked.path == "/"]
    assert min(later - earlier for earlier, later in itertools.pairwise(instants)) >= 0.95 * 0.5


async def test_a_busy_host_does_not_defer_its_neighbours(index):
    async def busy_there(asked, writer):
        is_busy = asked.headers["host"].startswith("town0")
        writer.write(answer(429, b"", [("Retry-After", "600")]) if is_busy else page(b"x"))

    async with serve({**ALLOW, "*": busy_there}) as server, polite(index) as client:
        results = await visited(client, at_hosts(server, 3), delay_s=0.05)

    assert [one.fetched.status for one in results] == [429, 200, 200]


# Cases without a shared place


def meeting(number):
    """Return routes whose robots.txt is answered once this many requests for it are concurrent."""
    return {"/robots.txt": together(number, answer(404)), "*": page(b"x")}


def are_pages(results):
    return all(one.deferred_until is None and one.error is None for one in results)


@pytest.mark.parametrize("domains", [["daily.com", "weekly.com"], ["one.github.io", "two.github.io"]])
async def test_different_domains_at_one_address_do_not_wait_for_each_other(index, domains):
    async with serve(meeting(2)) as server, polite(index) as client:
        results = await visited(client, [server.url("/", host=one) for one in domains])

    assert are_pages(results)


async def test_a_shared_network_is_exempt(index):
    shared = AddressLimits(a_second=1000.0, shared_networks=("127.0.0.0/8",))
    async with serve(meeting(4)) as server, polite(index, addresses=shared) as client:
        results = await visited(client, at_hosts(server, 4))

    assert are_pages(results)


async def test_a_domain_on_two_addresses_is_two_places(index):
    names = Names({"town1.daily.com": ["127.0.0.2"]})
    async with (
        serve(meeting(2)) as one,
        serve(one.routes, host="127.0.0.2", port=one.port),
        polite(index, names) as client,
    ):
        results = await visited(client, at_hosts(one, 2))

    assert are_pages(results)


# Lookups


async def test_the_connection_reuses_the_look_up_of_the_place(index):
    names = Names({})
    async with serve(ALLOW) as server, polite(index, names) as client:
        await visited(client, at_hosts(server, 3), delay_s=0.0)

    assert sorted(names.asked) == [f"town{one}.daily.com" for one in range(3)]


@pytest.mark.parametrize(("addresses", "error"), [([], DnsFailed), (["10.0.0.1"], ForbiddenAddress)])
async def test_an_unresolvable_host_fails_with_its_reason_and_uses_no_permit(index, addresses, error):
    async with serve(ALLOW) as server, polite(index, Names({"daily.com": addresses})) as client:
        [result] = await visited(client, at_hosts(server, 1))

    assert type(result.error) is error
    assert server.asked == []
