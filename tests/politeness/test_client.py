"""Polite visits to servers on loopback, paced by a real index."""

import asyncio
import gc
import gzip
import itertools
import os
import time
import tracemalloc
import weakref
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest

from tasks.config.catalogue import Catalogue, Source, SourceRules
from tasks.config.owners import NO_OWNERS, Owners
from tasks.errors import (
    BadUrl,
    ConnectFailed,
    ConnectionLost,
    DnsFailed,
    ForbiddenAddress,
    ForbiddenScheme,
    GoneError,
    HttpRefused,
    IndexUnavailable,
    RobotsDisallowed,
    RobotsUnavailable,
    ServerBusy,
    TimedOut,
    TooManyRedirects,
)
from tasks.index.hosts import HostLimits
from tasks.politeness import client as client_module
from tasks.politeness.client import PoliteClient
from tasks.politeness.rights.mapping import site_reserves
from tasks.politeness.visits import Visit
from tasks.runtime.reading import SharedReader
from tasks.values.permit import PermitRequest
from tasks.values.rights import Obedience
from tasks.web.client import WebConfig
from tests.web.loopback import AGENT, NOBODY, answer, is_silent, page, redirect, resets, says, serve, together

ALLOW = {"/robots.txt": answer(404)}


@pytest.fixture
def index(file_index):
    return file_index


@pytest.fixture
def limits(index):
    return HostLimits(index)


def rules(crawl_delay_s=0.0, max_per_host=1):
    return SourceRules(
        user_agent=AGENT,
        crawl_delay_s=crawl_delay_s,
        max_per_host=max_per_host,
        allow_networks=(ip_network("127.0.0.0/8"),),
    )


@asynccontextmanager
async def polite(limits, resolve=None, owners=NO_OWNERS, reader=None, **config):
    config = {"user_agent": "", "timeout_s": 2.0, "deadline_s": 5.0, **config}
    async with PoliteClient(WebConfig(**config), limits, resolve=resolve, owners=owners, reader=reader) as client:
        yield client


async def visited(client, urls, *, is_full=lambda: False, **of_rules):
    """Return the result of each visit, by URL; the first rules apply to all."""
    results = {}

    def tell(visit):
        assert visit.url not in results
        results[visit.url] = visit

    visits = [Visit(key=url, url=url, rules=rules(**of_rules)) for url in urls]
    await client.visit(visits, tell, is_full=is_full)
    assert set(results) == set(urls)
    return results


async def visited_one(client, url, **of_rules):
    return (await visited(client, [url], **of_rules))[url]


class Noting:
    """A reader that works like the shared one, and records its jobs."""

    def __init__(self):
        self.read_in: dict[str, int] = {}

    async def read(self, job):
        results, done = await SharedReader().read(replace(job, read=told_by, arguments=(job.read, *job.arguments)))
        self.read_in[job.item] = results
        return done


def told_by(read, *arguments):
    """The process of a job, and its result."""
    return os.getpid(), read(*arguments)


def gaps(server, path_prefix="/"):
    instants = [asked.at for asked in server.asked if asked.path.startswith(path_prefix)]
    return [later - earlier for earlier, later in itertools.pairwise(instants)]


class Counting(HostLimits):
    """The limits, with a count of the permit ends that they have written."""

    ends = 0

    def exchange_permits(self, ended, wanted, learned=()):
        answers = super().exchange_permits(ended, wanted, learned)
        Counting.ends += len(ended)
        return answers


async def test_a_page_is_handed_over_before_its_permits_end_is_written(index):
    Counting.ends, at_take = 0, []
    async with serve({**ALLOW, "*": page(b"<p>")}) as server, polite(Counting(index)) as client:
        visit = Visit(key="a", url=server.url("/a"), rules=rules())
        await client.visit([visit], lambda _: at_take.append(Counting.ends))

    assert (at_take, Counting.ends) == ([1], 2)  # the permit of robots.txt; and its own


async def test_large_pages_are_decoded_no_faster_than_they_are_consumed(limits):
    text = os.urandom(1_500_000).hex().encode()  # gzip halves the size
    packed = answer(200, gzip.compress(text, 1), [("Content-Encoding", "gzip"), ("Content-Type", "text/html")])
    sizes: list[int] = []

    def take(visit):
        time.sleep(0.1)  # like writing the page, while others are decoded
        sizes.append(len(visit.fetched.content))

    async with serve({**ALLOW, "*": packed}, "0.0.0.0") as server, polite(limits, deadline_s=30.0) as client:
        urls = [server.url("/a", host=f"127.0.5.{number}") for number in range(1, 13)]
        visits = [Visit(key=url, url=url, rules=rules(), is_article=True) for url in urls]
        tracemalloc.start(1)
        try:
            await client.visit(visits, take)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert sizes == [len(text)] * 12
    assert most < 40_000_000  # 18 MB received, and one decoded at a time; without the bound it is 52


async def test_large_pages_whose_licences_are_fetched_do_not_block_each_other(limits):
    done, text = [], os.urandom(1_500_000).hex()
    async with serve({**ALLOW, "/l.xml": answer(404)}, "0.0.0.0") as server:
        urls = [server.url(f"/{number}", host=f"127.0.6.{number}") for number in range(1, 7)]
        for number, url in enumerate(urls, start=1):
            link = f'<link rel="license" type="application/rsl+xml" href="{url.removesuffix(str(number))}l.xml">'
            fields = [("Content-Encoding", "gzip"), ("Content-Type", "text/html")]
            server.routes[f"/{number}"] = answer(200, gzip.compress((link + text).encode(), 1), fields)
        visits = [Visit(key=url, url=url, rules=rules(), is_article=True) for url in urls]
        async with asyncio.timeout(60), PoliteClient(WebConfig(user_agent=""), limits, in_flight=2) as client:
            await client.visit(visits, done.append)

    assert [one.error for one in done] == [None] * 6
    assert server.paths().count("/l.xml") == 6


@pytest.mark.parametrize(("max_idle", "is_kept"), [(12, True), (1, False)])
async def test_an_origins_connection_is_kept_until_its_next_request_if_there_is_room(limits, max_idle, is_kept):
    async with serve({**ALLOW, "*": page(b"<p>")}, "0.0.0.0") as server, polite(limits, max_idle=max_idle) as client:
        await visited(client, [server.url("/a", host=f"127.0.4.{number}") for number in range(1, 13)])

    assert (len({asked.connection for asked in server.asked}) == 12) is is_kept


# robots.txt


class Counted(Visit):
    """A visit that is counted while it is alive; gc.get_objects() would disturb threads that are building a tuple."""

    alive = 0

    def __new__(cls, **_):
        Counted.alive += 1
        return object.__new__(cls)

    def __del__(self):
        Counted.alive -= 1


async def test_finished_visits_are_freed(limits, monkeypatch):
    monkeypatch.setattr(client_module, "MAX_ORIGINS", 2)
    alive, made, both = [], [], asyncio.Barrier(2)

    async def count(_visit):
        await both.wait()  # otherwise the other of the two may or may not have ended
        gc.collect()
        alive.append(Counted.alive)

    def each(urls):
        for url in urls:
            made.append(url)
            yield Counted(key=url, url=url, rules=rules())

    async with AsyncExitStack() as servers, polite(limits) as client:
        opened = [await servers.enter_async_context(serve({**ALLOW, "/": page(b"A")})) for _ in range(20)]
        await client.visit(each(server.url("/") for server in opened), count)

    assert len(alive) == len(made) == 20
    assert alive[0] >= 18
    assert alive[-1] <= 2 * 3 + 1  # two in progress: as given, requested and answered; and the last one given


async def test_a_closed_client_leaves_no_garbage_cycles(limits):
    async with serve({**ALLOW, "/a": page(b"<p>")}) as server:
        gc.disable()
        try:
            async with polite(limits) as client:
                await visited_one(client, server.url("/a"))
            left = weakref.ref(client)
            del client
            assert left() is None
        finally:
            gc.enable()


async def test_a_page_is_fetched_after_robots_txt(limits):
    async with serve({**ALLOW, "/a": page(b"<p>")}) as server, polite(limits) as client:
        result = await visited_one(client, server.url("/a"))

    assert (result.fetched.content, result.error) == (b"<p>", None)
    assert server.paths() == ["/robots.txt", "/a"]
    assert {asked.headers["user-agent"] for asked in server.asked} == {AGENT}


async def test_disallowed_urls_are_not_requested(limits):
    said = page(b"User-agent: presslake\nDisallow: /private\n\nUser-agent: *\nDisallow: /")
    async with serve({"/robots.txt": said, "*": page(b"")}) as server, polite(limits) as client:
        results = await visited(client, [server.url("/private/a"), server.url("/a")])

    assert type(results[server.url("/private/a")].error) is RobotsDisallowed
    assert results[server.url("/a")].error is None
    assert server.paths() == ["/robots.txt", "/a"]


LONG_RULES = b"".join(b"Disallow: /%d/\n" % number for number in range(1000))


@pytest.mark.parametrize(("rules_said", "is_aside"), [(LONG_RULES, True), (LONG_RULES[:4000], False)])
async def test_a_long_robots_txt_is_parsed_in_another_process(limits, rules_said, is_aside):
    noting = Noting()
    said = page(b"User-agent: *\nDisallow: /private\n" + rules_said)
    async with serve({"/robots.txt": said, "*": page(b"")}) as server, polite(limits, reader=noting) as client:
        results = await visited(client, [server.url("/private/a"), server.url("/a")])
        name = f"{server.url('')}/robots.txt"

    assert type(results[server.url("/private/a")].error) is RobotsDisallowed
    assert results[server.url("/a")].error is None
    assert (noting.read_in.get(name, os.getpid()) != os.getpid()) is is_aside


async def test_a_robots_txt_whose_parser_is_killed_allows_nothing(limits):
    class Killed:
        async def read(self, job):
            raise job.timed_out(f"killed after 10 s of CPU at {job.item}")

    said = page(b"User-agent: *\n" + LONG_RULES)
    async with serve({"/robots.txt": said, "*": page(b"")}) as server, polite(limits, reader=Killed()) as client:
        result = await visited_one(client, server.url("/a"))

    assert type(result.error) is RobotsUnavailable
    assert server.paths() == ["/robots.txt"]


async def test_an_address_forbidden_to_one_source_is_no_result_for_another(limits):
    async with serve({**ALLOW, "*": page(b"<p>")}) as server, polite(limits) as client:
        shut_out = replace(rules(), allow_networks=())
        url, results = server.url("/a"), {}
        visits = [Visit(key=name, url=url, rules=one) for name, one in (("out", shut_out), ("in", rules()))]
        await client.visit(visits, lambda visit: results.setdefault(visit.key, visit))

    assert type(results["out"].error) is ForbiddenAddress
    assert results["in"].error is None


async def test_robots_txt_is_fetched_once_per_user_agent(limits):
    async with serve({**ALLOW, "*": page(b"<p>")}) as server, polite(limits) as client:
        for agent in (AGENT, "Other/1.0", AGENT):
            visit = Visit(key="a", url=server.url("/a"), rules=replace(rules(), user_agent=agent))
            await client.visit([visit], lambda _: None)

    asked = [one.headers["user-agent"] for one in server.asked if one.path == "/robots.txt"]
    assert asked == [AGENT, "Other/1.0"]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_an_unreachable_robots_txt_disallows(limits, status):
    async with serve({"/robots.txt": answer(status), "*": page(b"")}) as server, polite(limits) as client:
        result = await visited_one(client, server.url("/a"))

    assert type(result.error) is RobotsUnavailable
    assert server.paths() == ["/robots.txt"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_missing_robots_txt_allows(limits, status):
    async with serve({"/robots.txt": answer(status), "*": page(b"")}) as server, polite(limits) as client:
        assert (await visited_one(client, server.url("/a"))).error is None


@pytest.mark.parametrize(
    ("route", "error"),
    [(is_silent, TimedOut), (resets, ConnectionLost)],
    ids=["silent", "reset"],
)
async def test_an_unreachable_robots_txt_is_reported_with_its_cause(limits, route, error):
    async with serve({"/robots.txt": route, "*": page(b"")}) as server, polite(limits, timeout_s=0.3) as client:
        results = await visited(client, [server.url("/a"), server.url("/b")])

    assert {type(result.error) for result in results.values()} == {error}
    assert server.paths() == ["/robots.txt"]


async def test_a_dead_name_is_reported_with_its_cause(limits):
    async def nowhere(host, port):
        raise OSError("no such name")

    async with polite(limits, nowhere) as client:
        assert type((await visited_one(client, "http://a.example/")).error) is DnsFailed


async def test_robots_txt_is_cached_for_other_runs(limits):
    said = page(b"User-agent: *\nDisallow: /b")
    async with serve({"/robots.txt": said, "*": page(b"")}) as server:
        for path in ("/a", "/b"):
            async with polite(limits) as client:
                await visited_one(client, server.url(path))

    assert server.paths() == ["/robots.txt", "/a"]


async def test_a_failure_to_get_robots_txt_is_cached_as_well(limits):
    async with serve({"/robots.txt": answer(500), "*": page(b"")}) as server:
        for _ in range(2):
            async with polite(limits) as client:
                result = await visited_one(client, server.url("/a"))

    assert type(result.error) is RobotsUnavailable
    assert server.paths() == ["/robots.txt"]


async def test_robots_txt_is_found_through_redirects(limits):
    routes = {"/robots.txt": redirect("/other.txt", 301), "/other.txt": page(b"User-agent: *\nDisallow: /a")}
    async with serve({**routes, "*": page(b"")}) as server, polite(limits) as client:
        assert type((await visited_one(client, server.url("/a"))).error) is RobotsDisallowed


async def test_an_endless_redirect_of_robots_txt_means_none(limits):
    async with serve({"/robots.txt": redirect("/robots.txt"), "*": page(b"")}) as server, polite(limits) as client:
        assert (await visited_one(client, server.url("/a"))).error is None

    assert server.paths() == ["/robots.txt"] * 6 + ["/a"]  # five redirects (RFC 9309, 2.3.1.2)


async def test_only_the_beginning_of_a_long_robots_txt_counts(limits):
    lines = b"User-agent: *\nDisallow: /early\n" + b"Disallow: /x\n" * 400_000 + b"Disallow: /late\n"
    assert len(lines) > 5_000_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(lines)
    async with serve({"/robots.txt": says(head + lines), "*": page(b"")}) as server, polite(limits) as client:
        results = await visited(client, [server.url("/early"), server.url("/late")])

    assert type(results[server.url("/early")].error) is RobotsDisallowed
    assert results[server.url("/late")].error is None


async def test_a_robots_txt_of_zeros_is_bounded(limits):
    bomb = answer(200, gzip.compress(bytes(50_000_000)), [("Content-Encoding", "gzip")])
    async with serve({"/robots.txt": bomb, "*": page(b"")}) as server, polite(limits) as client:
        assert (await visited_one(client, server.url("/a"))).error is None


async def test_a_robots_txt_in_html_has_no_rules(limits):
    said = page(b"<!doctype html><title>Not found</title><p>User-agent: *<br>\nDisallow: /")
    async with serve({"/robots.txt": said, "*": page(b"")}) as server, polite(limits) as client:
        assert (await visited_one(client, server.url("/a"))).error is None


async def test_a_busy_response_for_robots_txt_pauses_the_host(limits):
    busy = answer(503, b"", [("Retry-After", "300")])
    async with serve({"/robots.txt": busy, "*": page(b"")}) as server, polite(limits) as client:
        await visited_one(client, server.url("/a"))

    [wait] = limits.exchange_permits(
        [], [PermitRequest(host=f"127.0.0.1:{server.port}", delay_s=0, max_per_host=1, lease_s=60)]
    )
    assert 290 < wait.wait_s <= 300


# Pace


async def test_requests_keep_the_sources_delay(limits):
    async with serve({**ALLOW, "*": page(b"")}) as server, polite(limits) as client:
        await visited(client, [server.url(f"/{number}") for number in range(5)], crawl_delay_s=0.3)

    assert len(server.asked) == 6
    assert min(gaps(server)) >= 0.95 * 0.3


async def test_requests_keep_the_longer_crawl_delay(limits):
    said = page(b"User-agent: *\nCrawl-delay: 0.4")
    async with serve({"/robots.txt": said, "*": page(b"")}) as server, polite(limits) as client:
        await visited(client, [server.url(f"/{number}") for number in range(4)], crawl_delay_s=0.1)

    assert min(gaps(server)[1:]) >= 0.95 * 0.4


async def test_two_clients_keep_one_delay(limits, index):
    async with serve({**ALLOW, "*": page(b"")}) as server, polite(limits) as one, polite(HostLimits(index)) as other:
        await asyncio.gather(
            visited(one, [server.url(f"/a{number}") for number in range(3)], crawl_delay_s=0.3),
            visited(other, [server.url(f"/b{number}") for number in range(3)], crawl_delay_s=0.3),
        )

    assert min(gaps(server)) >= 0.95 * 0.3
    assert server.most_in_flight == 1


@pytest.mark.parametrize("max_per_host", [1, 3])
async def test_concurrent_requests_stay_within_the_sources_limit(limits, max_per_host):
    pages = together(max_per_host, page(b""), stay_s=0.1)
    async with serve({**ALLOW, "*": pages}) as server, polite(limits) as client:
        await visited(client, [server.url(f"/{number}") for number in range(9)], max_per_host=max_per_host)

    assert server.most_in_flight == max_per_host


async def test_concurrent_requests_stay_within_the_budget(limits):
    async with serve({**ALLOW, "*": together(3, page(b""), stay_s=0.1)}, "0.0.0.0") as server:
        urls = [server.url(f"/{number}", host=f"127.0.1.{number}") for number in range(1, 13)]
        async with PoliteClient(WebConfig(user_agent=""), limits, in_flight=3) as client:
            await visited(client, urls)

    assert server.most_in_flight == 3


async def test_a_slow_host_delays_no_other(limits):
    finished = []

    def tell(visit):
        finished.append(visit.url)

    async with (
        serve({"*": is_silent}, "127.0.0.2") as slow,
        serve({**ALLOW, "*": page(b"")}, "127.0.0.3") as fast,
        polite(limits, timeout_s=2.0) as client,
    ):
        urls = [slow.url("/a"), *(fast.url(f"/{number}") for number in range(10))]
        await client.visit([Visit(key=url, url=url, rules=rules()) for url in urls], tell)

    assert sorted(finished[:-1]) == sorted(urls[1:])
    assert finished[-1] == urls[0]


async def test_a_cancelled_visit_returns_its_permit(limits):
    async with serve({**ALLOW, "/slow": is_silent, "*": page(b"")}) as server:
        async with polite(limits) as client:
            visiting = asyncio.create_task(visited(client, [server.url("/slow"), server.url("/b")]))
            while "/slow" not in server.paths() and "/b" not in server.paths():
                await asyncio.sleep(0.01)
            visiting.cancel()
            await asyncio.gather(visiting, return_exceptions=True)
        async with polite(limits) as client:
            async with asyncio.timeout(60):
                assert (await visited_one(client, server.url("/c"))).error is None


async def test_a_failing_index_ends_the_visit_with_its_own_error_and_not_a_group():
    class Broken:
        def answers(self, origins):
            return {}

        def exchange_permits(self, ended, wanted, learned):
            raise IndexUnavailable("locked")

    async with serve({}) as server, polite(Broken()) as client:
        with pytest.raises(IndexUnavailable):
            await visited(client, [server.url("/a"), server.url("/b")])


async def test_a_full_batch_defers_the_rest(limits):
    fetched = []

    async with serve({**ALLOW, "*": page(b"")}) as server, polite(limits) as client:
        results = {}

        def tell(visit):
            results[visit.url] = visit
            fetched.extend([visit.url] if visit.deferred_until is None else [])

        visits = [Visit(key=str(n), url=server.url(f"/{n}"), rules=rules(0.05)) for n in range(50)]
        await client.visit(visits, tell, is_full=lambda: len(fetched) >= 3)

    assert len(results) == 50
    assert sum(visit.deferred_until is not None for visit in results.values()) == 47


# Waits required by servers


@pytest.mark.parametrize("status", [429, 503, 500, 408])
@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_defers_the_host(limits, status, form):
    until = datetime.now(UTC) + timedelta(seconds=120)
    wait = "120" if form == "seconds" else format_datetime(until, usegmt=True)
    busy = answer(status, b"", [("Retry-After", wait)])
    async with serve({**ALLOW, "*": busy}) as server, polite(limits) as client:
        results = await visited(client, [server.url(f"/{number}") for number in range(5)])
        async with polite(limits) as another:
            later = await visited_one(another, server.url("/later"))

    errors = [visit.error for visit in results.values() if visit.deferred_until is None]
    put_off = [visit.deferred_until for visit in [*results.values(), later] if visit.deferred_until is not None]
    assert [type(error) for error in errors] == [ServerBusy]
    assert len(put_off) == 5
    assert all(-1 <= (instant - until).total_seconds() < 30 for instant in put_off)  # dates have whole seconds
    assert len(server.asked) == 2


async def test_429_without_retry_after_waits_a_minute(limits):
    async with serve({**ALLOW, "*": answer(429)}) as server, polite(limits) as client:
        results = await visited(client, [server.url("/a"), server.url("/b")])

    [put_off] = [visit.deferred_until for visit in results.values() if visit.deferred_until is not None]
    assert 50 < (put_off - datetime.now(UTC)).total_seconds() <= 60


async def test_a_short_wait_is_spent_waiting(limits):
    busy = answer(503, b"", [("Retry-After", "1")])
    async with serve({**ALLOW, "/0": busy, "*": page(b"")}) as server, polite(limits) as client:
        results = await visited(client, [server.url("/0"), server.url("/1")])

    assert [visit.deferred_until for visit in results.values()] == [None, None]
    assert gaps(server)[-1] >= 0.95


async def test_503_halves_the_rate_until_successes_restore_it(limits):
    async with serve({**ALLOW, "/0": answer(503), "*": page(b"")}) as server, polite(limits) as client:
        await visited(client, [server.url(f"/{number}") for number in range(7)], crawl_delay_s=0.3)

    wish = PermitRequest(host=f"127.0.0.1:{server.port}", delay_s=60.0, max_per_host=1, lease_s=60)
    [*_, wait] = limits.exchange_permits([], [wish, wish])
    assert gaps(server)[1] >= 0.95 * 0.6
    assert wait.delay_s == 60.0


@pytest.mark.parametrize(("status", "error"), [(404, HttpRefused), (410, GoneError), (500, ServerBusy)])
async def test_a_refusal_comes_with_its_response(limits, status, error):
    async with serve({**ALLOW, "*": answer(status, b"why")}) as server, polite(limits) as client:
        result = await visited_one(client, server.url("/a"))

    assert (type(result.error), result.fetched.content) == (error, b"why")


async def test_an_unreachable_host_is_reported_for_every_page(limits):
    urls = [f"{NOBODY}/a", f"{NOBODY}/b"]
    async with polite(limits) as client:
        results = await visited(client, urls)

    assert [type(result.error) for result in results.values()] == [ConnectFailed, ConnectFailed]


@pytest.mark.parametrize(
    ("url", "error"), [("no url", BadUrl), ("http://a:b@127.0.0.1/", BadUrl), ("ftp://127.0.0.1/", ForbiddenScheme)]
)
async def test_an_invalid_url_affects_no_other(limits, url, error):
    async with serve({**ALLOW, "*": page(b"x")}) as server, polite(limits) as client:
        results = await visited(client, [url, server.url("/a")])

    assert (type(results[url].error), results[server.url("/a")].error) == (error, None)


# Redirects


async def test_a_redirect_obeys_the_targets_robots_txt(limits):
    said = page(b"User-agent: *\nDisallow: /private")
    async with serve({"/robots.txt": said, "*": page(b"in")}, "127.0.0.2") as other:
        routes = {**ALLOW, "/a": redirect(other.url("/private")), "/b": redirect(other.url("/open"))}
        async with serve(routes) as server, polite(limits) as client:
            results = await visited(client, [server.url("/a"), server.url("/b")])

    assert type(results[server.url("/a")].error) is RobotsDisallowed
    assert results[server.url("/b")].fetched.url == other.url("/open")
    assert sorted(other.paths()) == ["/open", "/robots.txt"]


async def test_a_redirect_obeys_the_targets_delay(limits):
    async with serve({**ALLOW, "*": page(b"in")}, "127.0.0.2") as other:
        routes = {**ALLOW, **{f"/{n}": redirect(other.url(f"/{n}")) for n in range(3)}}
        async with serve(routes) as server, polite(limits) as client:
            await visited(client, [server.url(f"/{n}") for n in range(3)], crawl_delay_s=0.3)

    assert min(gaps(other)) >= 0.95 * 0.3
    assert other.most_in_flight == 1


async def test_a_redirect_within_a_host_is_a_separate_request(limits):
    async with serve({**ALLOW, "/a": redirect("/b"), "/b": page(b"")}) as server, polite(limits) as client:
        await visited_one(client, server.url("/a"), crawl_delay_s=0.3)

    assert min(gaps(server)) >= 0.95 * 0.3


async def test_two_hosts_that_redirect_to_each_other_do_not_deadlock(limits):
    async with (
        serve({**ALLOW, "/end": page(b"")}, "127.0.0.2") as one,
        serve({**ALLOW, "/end": page(b"")}, "127.0.0.3") as two,
        polite(limits) as client,
    ):
        one.routes["/a"], two.routes["/a"] = redirect(two.url("/end")), redirect(one.url("/end"))
        async with asyncio.timeout(60):
            results = await visited(client, [one.url("/a"), two.url("/a")], crawl_delay_s=0.1)

    assert [result.error for result in results.values()] == [None, None]


async def test_a_redirect_to_an_internal_address_is_refused(limits):
    async with serve({**ALLOW, "/a": redirect("http://169.254.169.254/")}) as server, polite(limits) as client:
        assert type((await visited_one(client, server.url("/a"))).error) is ForbiddenAddress


async def test_a_redirect_loop_is_refused(limits):
    async with serve({**ALLOW, "/a": redirect("/a")}) as server, polite(limits) as client:
        assert type((await visited_one(client, server.url("/a"))).error) is TooManyRedirects


# Rights


TDMREP = "/.well-known/tdmrep.json"
RESERVED = answer(200, b'[{"location": "/news/", "tdm-reservation": 1}]', [("Content-Type", "application/json")])


async def visited_for_rights(client, *urls):
    results = {}
    obeying = replace(rules(), obedience=Obedience(obeys_tdm=True))
    visits = [Visit(key=url, url=url, rules=obeying, is_article=True) for url in urls]
    await client.visit(visits, lambda visit: results.setdefault(visit.url, visit))
    return results


async def test_a_sites_reservations_are_fetched_once_and_returned_with_its_pages(limits):
    async with serve({**ALLOW, TDMREP: RESERVED, "*": page(b"")}) as server:
        for _ in range(2):
            async with polite(limits) as client:
                results = await visited_for_rights(client, server.url("/news/a"), server.url("/b"))

    assert [site_reserves(results[server.url(path)].rights) for path in ("/news/a", "/b")] == [True, None]
    assert server.paths()[:2] == ["/robots.txt", TDMREP]
    assert server.paths().count(TDMREP) == server.paths().count("/robots.txt") == 1


async def test_reservations_are_fetched_only_on_request(limits):
    async with serve({**ALLOW, TDMREP: RESERVED, "*": page(b"")}) as server, polite(limits) as client:
        result = await visited_one(client, server.url("/news/a"))

    assert (server.paths(), site_reserves(result.rights)) == (["/robots.txt", "/news/a"], None)


@pytest.mark.parametrize(
    "route", [answer(404), answer(503), resets, answer(200, b"<!doctype html>")], ids=["404", "503", "reset", "html"]
)
async def test_unavailable_reservations_state_nothing_and_lose_no_page(limits, route):
    async with serve({**ALLOW, TDMREP: route, "*": page(b"")}) as server, polite(limits) as client:
        results = await visited_for_rights(client, server.url("/news/a"))

    result = results[server.url("/news/a")]
    assert (result.error, site_reserves(result.rights)) == (None, None)


async def test_reservations_forbidden_by_robots_txt_are_not_fetched(limits):
    said = page(b"User-agent: *\nDisallow: /.well-known/")
    async with serve({"/robots.txt": said, TDMREP: RESERVED, "*": page(b"")}) as server, polite(limits) as client:
        await visited_for_rights(client, server.url("/news/a"))

    assert TDMREP not in server.paths()


async def test_fetching_reservations_keeps_the_hosts_crawl_delay(limits, index):
    said = page(b"User-agent: *\nCrawl-delay: 0.4")
    async with serve({"/robots.txt": said, TDMREP: RESERVED, "*": page(b"")}) as server, polite(limits) as client:
        await visited_for_rights(client, server.url("/news/a"), server.url("/news/b"))

    assert all(gap >= 0.39 for gap in gaps(server)[1:])


async def test_the_reservations_of_a_redirects_target_count(limits):
    async with (
        serve({**ALLOW, TDMREP: RESERVED, "*": page(b"")}, host="127.0.0.2") as other,
        serve({**ALLOW, "*": redirect(other.url("/news/a"))}) as server,
        polite(limits) as client,
    ):
        results = await visited_for_rights(client, server.url("/a"))

    assert site_reserves(results[server.url("/a")].rights) is True


# Owners


def owner_of(server, **said):
    catalogue = Catalogue(sources=(Source(id="owner", home_url=server.url(), **said),))
    return Owners.of(catalogue.sources, catalogue.rules())


async def test_a_host_has_its_owners_pace_for_every_announcer(limits):
    async with (
        serve({**ALLOW, "*": page(b"")}) as server,
        polite(limits, owners=owner_of(server, crawl_delay_s=0.4)) as client,
    ):
        await visited(client, [server.url(f"/{number}") for number in range(3)], crawl_delay_s=0.0, max_per_host=3)

    assert server.most_in_flight == 1
    assert all(gap >= 0.39 for gap in gaps(server))


async def test_the_pace_of_the_targets_owner_applies_after_redirects(limits):
    async with serve({**ALLOW, "*": page(b"")}, host="127.0.0.2") as owned, serve(ALLOW) as server:
        server.routes |= {f"/{number}": redirect(owned.url(f"/{number}")) for number in range(3)}
        async with polite(limits, owners=owner_of(owned, crawl_delay_s=0.4)) as client:
            results = await visited(client, [server.url(f"/{number}") for number in range(3)], max_per_host=3)

    assert {result.error for result in results.values()} == {None}
    assert len(owned.paths()) == 4
    assert all(gap >= 0.39 for gap in gaps(owned))


async def test_the_networks_of_the_targets_owner_are_not_used_after_redirects(limits):
    own, lent = (ip_network("127.0.0.1/32"),), (ip_network("127.0.0.2/32"),)
    async with (
        serve({**ALLOW, "*": page(b"")}, host="127.0.0.2") as owned,
        serve({**ALLOW, "*": redirect(owned.url("/a"))}) as server,
        polite(limits, owners=owner_of(owned, crawl_delay_s=0.0, allow_networks=lent)) as client,
    ):
        results = []
        visit = Visit(key="a", url=server.url("/a"), rules=replace(rules(), allow_networks=own))
        await client.visit([visit], lambda visit: results.append(type(visit.error)))

    assert (results, owned.paths()) == ([ForbiddenAddress], [])


@pytest.mark.parametrize(
    ("obey_tdm", "is_article", "obeyed"), [(True, True, True), (True, False, False), (False, True, False)]
)
async def test_the_reservations_obeyed_by_the_targets_owner_count_after_redirects(limits, obey_tdm, is_article, obeyed):
    async with (
        serve({**ALLOW, TDMREP: RESERVED, "*": page(b"")}, host="127.0.0.2") as owned,
        serve({**ALLOW, "*": redirect(owned.url("/news/a"))}) as server,
        polite(limits, owners=owner_of(owned, crawl_delay_s=0.0, obey_tdm=obey_tdm)) as client,
    ):
        results = []
        visit = Visit(key="a", url=server.url("/a"), rules=rules(), is_article=is_article)
        await client.visit(
            [visit], lambda done: results.append((done.obeyed.obeys_tdm, bool(site_reserves(done.rights))))
        )

    assert results == [(obeyed, obeyed)]
    assert (TDMREP in owned.paths()) is obeyed


async def test_a_daily_request_is_made_once_a_day(limits):
    async with serve({**ALLOW, "*": page(b"<p>")}) as server, polite(limits) as client:
        answers = [
            await client.ask_daily(f"{server.url('')}#missing", server.url(path), rules()) for path in ("/x1", "/x2")
        ]

    assert [one.body for one in answers] == [b"<p>", b"<p>"]
    assert server.paths() == ["/robots.txt", "/x1"]
