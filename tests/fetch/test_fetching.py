"""Batches fetched from servers on loopback, and the outcome of each page."""

import gc
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network

import pytest

from tasks.config.catalogue import SourceRules
from tasks.errors import TooManyUnexpected
from tasks.fetch.fetching import fetch_batch
from tasks.fetch.soft_404 import Sample
from tasks.index.hosts import HostLimits
from tasks.lake.records import read_response
from tasks.lake.warc import SegmentWriter
from tasks.politeness.client import PoliteClient
from tasks.reasons import Disposition
from tasks.values.batch import Batch
from tasks.values.rights import Obedience
from tasks.values.rows import Outcome
from tasks.values.url import url_key
from tasks.web.client import WebConfig
from tests.alive import alive
from tests.kept import keep_in
from tests.looks import dispositions_of, look_at, reservations_of
from tests.web.loopback import AGENT, answer, page, redirect, serve

RULES = SourceRules(user_agent=AGENT, crawl_delay_s=0.0, max_per_host=1, allow_networks=(ip_network("127.0.0.0/8"),))
ALLOW = {"/robots.txt": answer(404)}
SORRY = page(b"<html><title>Sorry</title><p>We looked and looked.</p>")


def story(number):
    words = " ".join(f"word{number}x{place} harbour ferry" for place in range(60))
    return page(f"<html><title>Story {number}</title><p>{words}</p>".encode())


@pytest.fixture
def book(file_index):
    return HostLimits(file_index)


@asynccontextmanager
async def polite(book):
    async with PoliteClient(WebConfig(user_agent="", timeout_s=2.0, deadline_s=5.0), book) as client:
        yield client


async def fetched(book, *urls, rules=RULES, objects=None, due=None):
    async with polite(book) as client:
        return await fetched_by(client, *urls, rules=rules, objects=objects, due=due)


async def fetched_by(client, *urls, rules=RULES, objects=None, due=None):
    looks = tuple(replace(one, due=replace(one.due, **(due or {}))) for one in map(look_at, urls))
    return await fetch_batch(
        Batch(batch_id="b1", run_id="r1", looks=looks),
        client=client,
        rules={"daily": rules},
        segment_key="warc/b1.warc.gz",
        software="presslake/0",
        max_segment_size=10**8,
        put=keep_in({} if objects is None else objects),
        fetched_one=lambda: None,
    )


def outcomes_of(batch):
    return [(one.outcome, one.reason) for one in batch.captures]


OK = (Outcome.OK, None)


async def test_only_the_batchs_pages_are_requested(book):
    pages = {f"/{number}": story(number) for number in range(4)}
    async with serve({**ALLOW, **pages}) as server:
        batch = await fetched(book, *map(server.url, pages))

    assert outcomes_of(batch) == [OK] * 4
    assert sorted(server.paths()) == sorted(["/robots.txt", *pages])


async def test_a_reused_client_keeps_no_reference_to_the_batch(book):
    pages = {f"/{number}": story(number) for number in range(4)}
    async with serve({**ALLOW, **pages}) as server, polite(book) as client:
        await fetched_by(client, *map(server.url, pages))
        gc.collect()
        held = alive(lambda one: isinstance(one, Sample | SegmentWriter))

    assert held == []


async def test_a_hosts_catch_all_page_is_a_soft_404(book):
    async with serve({**ALLOW, "/1": story(1), "*": SORRY}) as server:
        batch = await fetched(book, *map(server.url, ("/1", "/2", "/3")))

    assert outcomes_of(batch) == [OK, (Outcome.SKIPPED, "soft_404"), (Outcome.SKIPPED, "soft_404")]
    assert dispositions_of(batch) == {capture.url_key: Disposition.SKIPPED for capture in batch.captures[1:]}


async def test_the_payload_of_a_non_page_is_in_the_segment(book):
    objects = {}
    async with serve({**ALLOW, "*": SORRY}) as server:
        [capture] = (await fetched(book, server.url("/2"), objects=objects)).captures

    stored = read_response(objects[capture.warc_key], capture.warc_offset, capture.warc_length)
    assert (capture.reason, b"We looked" in stored.body) == ("soft_404", True)


async def test_short_pages_of_a_host_with_real_404s_are_pages(book):
    async with serve({**ALLOW, "/2": SORRY, "/3": SORRY}) as server:
        batch = await fetched(book, server.url("/2"), server.url("/3"))

    assert outcomes_of(batch) == [OK, OK]


async def test_a_host_is_probed_for_soft_404s_once_a_day(book):
    async with serve({**ALLOW, "*": SORRY}) as server:
        for path in ("/1", "/2", "/3"):
            await fetched(book, server.url(path))

    assert len(server.paths()) == 5  # robots.txt, three pages and the probe
    assert server.paths()[2].strip("/").isalnum()


async def test_a_redirect_to_the_front_page_is_not_an_article(book):
    pages = {"/": story(0), "/news/12345-harbour": redirect("/"), "/news/old/12345": redirect("/news/12345-b")}
    async with serve({**ALLOW, **pages, "/news/12345-b": story(1)}) as server:
        batch = await fetched(book, server.url("/news/12345-harbour"), server.url("/news/old/12345"))

    assert outcomes_of(batch) == [(Outcome.SKIPPED, "redirected_home"), OK]


async def test_an_obeying_sources_reservations_are_in_the_batch(book):
    said = answer(200, b'[{"location": "/news/", "tdm-reservation": 1}]')
    async with serve({**ALLOW, "/.well-known/tdmrep.json": said, "/news/1": story(1), "/2": story(2)}) as server:
        urls = [server.url(path) for path in ("/news/1", "/2")]
        obeying = await fetched(book, *urls, rules=replace(RULES, obedience=Obedience(obeys_tdm=True)))
        careless = await fetched(book, *urls)

    assert reservations_of(obeying) == {url_key(urls[0]): True, url_key(urls[1]): None}
    assert reservations_of(careless) == {}


async def test_a_captures_redirect_hops_are_reported(book):
    pages = {"/old/1": redirect("/moved/1"), "/moved/1": redirect("/news/1"), "/news/1": story(1), "/news/2": story(2)}
    async with serve({**ALLOW, **pages}) as server:
        batch = await fetched(book, server.url("/old/1"), server.url("/news/2"))

    assert [look.hops for look in batch.looks if look.hops] == [(server.url("/moved/1"),)]


class Garbling:
    """A client that corrupts the responses of the given URLs."""

    def __init__(self, client, amiss):
        self._client, self._amiss = client, amiss

    async def visit(self, visits, tell, **more):
        def garble(visit):
            if visit.url in self._amiss:
                visit = replace(visit, fetched=self._amiss[visit.url](visit.fetched))
            tell(visit)

        await self._client.visit(visits, garble, **more)

    def __getattr__(self, name):
        return getattr(self._client, name)


async def fetched_amiss(book, amiss, *urls):
    looks = tuple(map(look_at, urls))
    async with polite(book) as client:
        return await fetch_batch(
            Batch(batch_id="b1", run_id="r1", looks=looks),
            client=Garbling(client, amiss),
            rules={"daily": RULES},
            segment_key="warc/b1.warc.gz",
            software="presslake/0",
            max_segment_size=10**8,
            put=keep_in({}),
            fetched_one=lambda: None,
        )


def without_content(one):
    return replace(one, content=None)


def without_redirects(one):
    return replace(one, redirects=None)


@pytest.mark.parametrize("amiss", [without_content, without_redirects])
async def test_an_exception_at_one_response_fails_that_url_alone_with_its_traceback(book, amiss):
    async with serve({**ALLOW, **{f"/{number}": story(number) for number in range(3)}}) as server:
        urls = [server.url(f"/{number}") for number in range(3)]

        batch = await fetched_amiss(book, {urls[1]: amiss}, *urls)

    assert outcomes_of(batch) == [(Outcome.OK, None), (Outcome.QUARANTINED, "unexpected_error"), (Outcome.OK, None)]
    assert "tasks/fetch/" in batch.captures[1].detail
    assert dispositions_of(batch) == {url_key(urls[1]): Disposition.QUARANTINED}


async def test_exceptions_at_most_responses_fail_the_batch(book):
    async with serve({**ALLOW, "*": story(1)}) as server:
        urls = [server.url(f"/{number}") for number in range(8)]

        with pytest.raises(TooManyUnexpected, match="8 of 8 URLs raised an exception"):
            await fetched_amiss(book, dict.fromkeys(urls, without_content), *urls)


async def test_an_unstorable_header_does_no_harm(book):
    async with serve(
        {**ALLOW, "/a": page(b"<html><p>A</p>", ETag='"\xff\xfe"', **{"Last-Modified": "\xe4"})}
    ) as server:
        batch = await fetched(book, server.url("/a"))

    assert outcomes_of(batch) == [(Outcome.OK, None)]
    assert batch.captures[0].etag == '"\xff\xfe"'


async def test_rights_with_a_lone_surrogate_do_no_harm(book):
    rights = rb'[{"location": "/\ud800", "tdm-reservation": 1}, {"location": "/a", "tdm-reservation": 1}]'
    async with serve({**ALLOW, "/.well-known/tdmrep.json": answer(200, rights), "/a": story(1)}) as server:
        batch = await fetched(book, server.url("/a"), rules=replace(RULES, obedience=Obedience(obeys_tdm=True)))

    assert outcomes_of(batch) == [(Outcome.OK, None)]
    assert list(reservations_of(batch).values()) == [True]
