"""URLs and texts that no database accepts, in robots.txt, front pages, feeds and headers, polled from a real server."""

import hashlib
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from sqlalchemy import select

from tasks.config.catalogue import SourceRules
from tasks.discover.intake import PollLog
from tasks.discover.polling import poll_feeds
from tasks.discover.schedule import PollConfig
from tasks.errors import IndexUnavailable, TooManyUnexpected
from tasks.index import schema
from tasks.index.announcing import Announcement
from tasks.index.database import open_index
from tasks.index.feeds import FeedAddress, add_feeds, select_feeds
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.values.feed import FeedKind
from tasks.web.client import WebConfig
from tests.discover.conftest import Press, Said
from tests.web.loopback import AGENT, answer, page, redirect, serve

RULES = SourceRules(user_agent=AGENT, crawl_delay_s=0.0, max_per_host=1, allow_networks=(ip_network("127.0.0.0/8"),))
GOOD = page(b"<rss><channel><item><title>Good</title><link>/good-1</link></item></channel></rss>")
NOISE = "".join(hashlib.sha512(str(number).encode()).hexdigest() for number in range(30))[:3900]
"""Incompressible characters, so that no database shortens them."""


@pytest.fixture
def index(index_url):
    with open_index(index_url) as opened:
        yield opened


@asynccontextmanager
async def swept(index, routes, *feeds):
    """Poll the feeds of one server, each as its own source, with a good one among them."""
    async with serve({"/robots.txt": answer(404), "/good": GOOD, **routes}) as server:
        addresses = [
            FeedAddress(feed_url=server.url(path), source_id=f"s{number}", kind=kind)
            for number, (path, kind) in enumerate([*feeds, ("/good", FeedKind.FEED)])
        ]
        with index.write() as tx:
            add_feeds(tx, addresses, now=datetime.now(UTC))
            states = select_feeds(tx, [one.feed_url for one in addresses], due_by=None)
        async with PoliteClient(WebConfig(user_agent="", timeout_s=20.0, deadline_s=60.0), HostLimits(index)) as client:
            yield (
                await poll_feeds(
                    states,
                    client=client,
                    rules={one.source_id: RULES for one in addresses},
                    index=index,
                    config=PollConfig(),
                    polled_one=lambda: None,
                ),
                server,
            )


def found(index):
    with index.read() as tx:
        return {url.partition("//")[2].partition("/")[2] for url in tx.execute(select(schema.frontier.c.url)).scalars()}


def link(url):
    return f'<link rel="alternate" type="application/rss+xml" href="{url}">'


def document(head="", body=""):
    return page(f"<html><head>{head}</head><body>{body}</body></html>".encode())


@pytest.mark.parametrize("line", [b"/\xff.xml", b"/\x00.xml", b"/a\x1b[2J.xml", b"/" + b"\xc3\xa4" * 1500])
async def test_an_unstorable_sitemap_line_is_dropped_alone(index, line):
    robots = b"User-agent: *\nSitemap: " + line + b"\nSitemap: /map.xml\n"
    routes = {
        "/robots.txt": answer(200, robots),
        "/": document(),
        "/map.xml": page(b"<urlset><url><loc>/from-the-map-1</loc></url></urlset>"),
    }

    async with swept(index, routes, ("/", FeedKind.HOME)) as (report, _):
        pass

    assert found(index) == {"good-1", "from-the-map-1"}
    assert report.skipped["link_bad_url"] == 1
    assert report.failed == {}


async def test_a_feed_url_longer_than_a_database_index_allows_is_polled(index):
    routes = {
        "/": document(link(f"/{NOISE}")),
        f"/{NOISE}": page(GOOD.partition(b"\r\n\r\n")[2].replace(b"good-1", b"far-1")),
    }

    async with swept(index, routes, ("/", FeedKind.HOME)) as (report, _):
        pass

    assert found(index) == {"good-1", "far-1"}
    assert (report.failed, report.skipped) == ({}, {})


async def test_a_sitemap_index_with_many_bad_urls_gives_the_good_one(index):
    named = (f"/{NOISE}", "/a" * 5000, "http://u:p@a.example/", "http://[", "/map.xml")
    listed = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in named)
    routes = {
        "/index.xml": page(f"<sitemapindex>{listed}</sitemapindex>".encode()),
        "/map.xml": page(b"<urlset><url><loc>/from-the-map-1</loc></url></urlset>"),
    }

    async with swept(index, routes, ("/index.xml", FeedKind.SITEMAP)) as (report, server):
        assert f"/{NOISE}" in server.paths()

    assert found(index) == {"good-1", "from-the-map-1"}
    assert report.failed == {"feed_http_404": 1}
    assert report.skipped["link_bad_url"] == 3


async def test_unstorable_characters_of_texts_are_removed(index):
    items = [
        {"url": "/a-1", "title": "NUL\0 and half \ud800", "id": "\udfff"},
        {"url": "/b-\ud800", "title": "no address"},
        {"id": "\0", "title": "none at all"},
    ]
    fields = [("ETag", '"\xff\xfe"'), ("Last-Modified", "\xe4\xff"), ("Content-Type", "application/feed+json")]
    routes = {"/feed.json": answer(200, json.dumps({"items": items}).encode(), fields)}

    async with swept(index, routes, ("/feed.json", FeedKind.FEED)) as (report, server):
        with index.read() as tx:
            feed = tx.execute(select(schema.feeds).where(schema.feeds.c.feed_url == server.url("/feed.json"))).one()
            titles = set(tx.execute(select(schema.frontier.c.announced_title)).scalars())

    assert found(index) == {"good-1", "a-1"}
    assert titles == {"Good", "NUL and half"}
    assert (feed.etag, feed.last_modified) == ('"\xff\xfe"', "\xe4\xff")
    assert report.skipped == {"link_bad_url": 2}


@pytest.mark.parametrize("location", ["/\xff\xfe", "/" + NOISE, "/a%00b"])
async def test_a_feed_moved_permanently_to_an_odd_url_is_read_there(index, location):
    routes = {
        "/feed": redirect(location, 301),
        "*": page(GOOD.partition(b"\r\n\r\n")[2].replace(b"good-1", b"moved-1")),
    }

    async with swept(index, routes, ("/feed", FeedKind.FEED)) as (report, _):
        pass

    assert found(index) == {"good-1", "moved-1"}
    assert report.failed == {}


def one_feed(index, number=1):
    addresses = [
        FeedAddress(feed_url=f"https://daily.example/{n}", source_id="daily", kind=FeedKind.FEED) for n in range(number)
    ]
    with index.write() as tx:
        add_feeds(tx, addresses, now=datetime.now(UTC))
        return select_feeds(tx, [one.feed_url for one in addresses], due_by=None)


async def poll(index, states, pages, poll_log=None):
    return await poll_feeds(
        states,
        client=Press(pages),
        rules={"daily": RULES},
        index=index,
        config=PollConfig(),
        polled_one=lambda: None,
        poll_log=poll_log,
    )


async def test_an_exception_at_one_feed_fails_that_feed_alone_with_its_traceback(index):
    states = one_feed(index, 3)
    pages = {
        feed.feed_url: Said(body=GOOD.partition(b"\r\n\r\n")[2].replace(b"good", b"good%d" % n))
        for n, feed in enumerate(states)
    }
    pages[states[1].feed_url] = Said(body=12)  # not bytes

    report = await poll(index, states, pages)

    assert (report.polled, report.discovered, report.failed) == (3, 2, {"feed_unexpected_error": 1})
    (failure,) = report.failures
    assert (failure.url, failure.disposition) == (states[1].feed_url, "quarantined")
    assert "TypeError" in failure.detail
    assert "tasks/discover/polling.py" in failure.detail


async def test_exceptions_at_most_feeds_end_the_sweep_with_the_first_traceback(index):
    states = one_feed(index, 8)

    with pytest.raises(TooManyUnexpected, match="8 of 8 feeds raised an exception; the first: TypeError"):
        await poll(index, states, {feed.feed_url: Said(body=12) for feed in states})


def announcement(number, **changes):
    url = f"https://daily.example/{number}"
    values = {
        "url": url,
        "url_key": url.partition("//")[2],
        "host": "daily.example",
        "source_id": "daily",
        "announced_by": url,
    }
    return Announcement(**(values | changes))


def test_a_row_the_database_refuses_is_dropped_alone(index):
    poll_log = PollLog(index)
    poll_log.announce(announcement(number, title=5 if number == 3 else "T") for number in range(40))

    poll_log.flush()

    assert (poll_log.discovered, poll_log.failed) == (39, {"entry_unexpected_error": 1})
    assert poll_log.failures[0].url == "https://daily.example/3"
    assert found(index) == {str(number) for number in range(40) if number != 3}


def test_the_sweep_ends_if_the_database_refuses_most_rows(index):
    poll_log = PollLog(index)
    poll_log.announce(announcement(number, title=number) for number in range(10))

    with pytest.raises(TooManyUnexpected, match="10 of 10 rows"):
        poll_log.flush()


def test_an_unavailable_index_is_not_blamed_on_a_row(index):
    poll_log = PollLog(index)
    poll_log.announce(announcement(number) for number in range(10))
    index.close()  # the next connection is the one made read-only
    with index.write() as tx:
        tx.exec_driver_sql("PRAGMA query_only=ON" if index.is_sqlite else "SET default_transaction_read_only = on")

    with pytest.raises(IndexUnavailable):
        poll_log.flush()
