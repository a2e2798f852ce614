"""Hostile feeds and sitemaps, polled concurrently into a real index with a good one among them.

`python -m tests.e2e.hostile_feeds INDEX_URL` serves and polls them, and prints the results as JSON.
"""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network

from sqlalchemy import func, select

from tasks.config.catalogue import SourceRules
from tasks.discover.polling import poll_feeds
from tasks.discover.schedule import PollConfig
from tasks.index.database import open_index
from tasks.index.hosts import HostLimits
from tasks.index.schema import frontier
from tasks.politeness.client import PoliteClient
from tasks.values.feed import FeedKind, FeedState
from tasks.web.client import WebConfig
from tests.web.loopback import AGENT, Loopback, answer, page, peak_size, serve

SECRET = b"what nobody may see"
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Poll:
    """One feed: its bytes, the least and the most URLs that it yields, and the reason if it is refused."""

    body: bytes
    least: int
    most: int
    reason: str | None = None
    kind: FeedKind = FeedKind.FEED
    content_type: str = "application/rss+xml"


def rss(items: bytes, *, before: bytes = b"", end: bytes = b"</channel></rss>") -> bytes:
    return (
        b'<?xml version="1.0" encoding="utf-8"?>'
        + before
        + b'<rss version="2.0"><channel><title>T</title>'
        + items
        + end
    )


def item(number: int, link: bytes | None = None, guid: bytes = b"") -> bytes:
    link = b"http://FEED.example/%d" % number if link is None else link
    return b"<item><title>No. %d</title><link>%b</link>%b</item>" % (number, link, guid)


def items(count: int, **parts: bytes) -> bytes:
    return b"".join(item(number, **parts) for number in range(count))


def sitemap(count: int, *, filler: bytes = b"") -> bytes:
    urls = b"".join(b"<url><loc>http://FEED.example/s%d</loc>%b</url>\n" % (n, filler) for n in range(count))
    return b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">' + urls + b"</urlset>"


def polls(inside: str, itself_url: str) -> dict[str, Poll]:
    """Return the feeds by name; `inside` is an address that must not be reached, `itself_url` an index that contains itself."""
    laughs = b'<!DOCTYPE r [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    xxe = b'<!DOCTYPE r [<!ENTITY x SYSTEM "%b">]>'
    index_of_itself = (
        b'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        + b"<sitemap><loc>%b</loc></sitemap>" % itself_url.encode() * 50
        + b"</sitemapindex>"
    )
    return {
        "good": Poll(body=rss(items(10)), least=10, most=10),
        "laughs": Poll(body=rss(items(3) + b"<item><title>&j;</title></item>", before=laughs + b"]>"), least=0, most=3),
        "xxe-file": Poll(body=rss(b"<item><title>&x;</title><link>http://FEED.example/x</link></item>", before=xxe % b"file:///etc/passwd"), least=0, most=1),
        "xxe-http": Poll(body=rss(b"<item><title>&x;</title><link>http://FEED.example/y</link></item>", before=xxe % inside.encode()), least=0, most=1),
        "deep": Poll(body=rss(items(3) + b"<a>" * 20_000 + b"</a>" * 20_000), least=0, most=3),
        "deep-unclosed": Poll(body=rss(items(3) + b"<a>" * 20_000, end=b""), least=0, most=3),
        "no-end": Poll(body=rss(items(20), end=b""), least=19, most=20),
        "cut": Poll(body=rss(items(20))[:-60], least=18, most=20),
        "coding-lies": Poll(body=rss(items(5)).replace(b"utf-8", b"utf-16"), least=5, most=5),
        "coding-broken": Poll(body=rss(items(5).replace(b"No.", b"N\xff\xfe\x80.")), least=5, most=5),
        "nul": Poll(body=rss(items(5).replace(b"No.", b"N\x00\x01\x1b.")), least=5, most=5),
        "json-halves": Poll(
            body=rb'{"title": "\ud800", "items": [{"url": "http://FEED.example/\ud800"}, {"url": "/a", "title": "\udfff\u0000"}, {"id": "\u0000"}]}',
            least=1,
            most=1,
            content_type="application/feed+json",
        ),
        "long-links": Poll(body=rss(item(1, link=b"/" + b"a" * 9000) + item(2, link=b"/" + b"\xc3\xa4" * 1500) + item(3)), least=1, most=1),
        "relative": Poll(body=rss(items(1, link=b"/relative/a") + item(2, link=b"relative/b")), least=2, most=2),
        "schemes": Poll(body=rss(items(1, link=b"javascript:alert(1)") + item(2, link=b"file:///etc/passwd")), least=0, most=0),
        "many": Poll(body=rss(items(50_000)), least=1000, most=50_000),
        "one-guid": Poll(body=rss(items(30, guid=b"<guid>same</guid>")), least=30, most=30),
        "no-feed": Poll(body=b"<!doctype html><p>Not found", least=0, most=0, reason="feed_not_a_feed"),
        "empty": Poll(body=b"", least=0, most=0, reason="feed_not_a_feed"),
        "json-deep": Poll(body=b'{"items":' + b"[" * 100_000, least=0, most=0, reason="feed_not_a_feed"),
        "itself": Poll(body=index_of_itself, least=0, most=0, kind=FeedKind.SITEMAP),
        "sitemap-large": Poll(body=sitemap(50_000), least=50_000, most=50_000, kind=FeedKind.SITEMAP),
        "sitemap-long-line": Poll(
            body=sitemap(3, filler=b"<!--" + b"a" * 10 * MIB + b"-->"), least=0, most=3, kind=FeedKind.SITEMAP
        ),
        "sitemap-long-url": Poll(
            body=sitemap(3).replace(b"s1<", b"s1" + b"a" * 10 * MIB + b"<"), least=0, most=3, kind=FeedKind.SITEMAP
        ),
        "sitemap-too-large": Poll(
            body=sitemap(1, filler=b" " * 51 * MIB), least=0, most=0, reason="feed_too_large", kind=FeedKind.SITEMAP
        ),
    }  # fmt: skip


async def poll_all(index_url: str) -> dict[str, object]:
    """Poll all feeds; return each one's number of URLs and reason, and the run's cost."""
    async with AsyncExitStack() as stack:
        inside = await stack.enter_async_context(serve({"*": page(SECRET)}, "127.0.0.1"))
        itself = await stack.enter_async_context(serve({"/robots.txt": answer(404)}, "127.8.0.1"))
        press: dict[str, Loopback] = {}
        kinds: dict[str, FeedKind] = {}
        for number, (name, poll) in enumerate(polls(inside.url("/secret"), itself.url("/feed")).items(), start=2):
            server = itself
            if name != "itself":
                robots = {"/robots.txt": answer(404)}
                server = await stack.enter_async_context(serve(robots, f"127.8.0.{number}"))
            body = poll.body.replace(b"FEED", name.encode())  # makes URLs unique to the feed
            server.routes["*"] = answer(200, body, [("Content-Type", poll.content_type)])
            press[name], kinds[name] = server, poll.kind
        started = time.monotonic()
        with open_index(index_url) as index:
            report = await _poll(index, press, kinds)
            with index.read() as tx:
                counts = dict(
                    tx.execute(select(frontier.c.source_id, func.count()).group_by(frontier.c.source_id)).all()
                )
                titles = [title for (title,) in tx.execute(select(frontier.c.announced_title).limit(100_000))]
        return {
            "counts": counts,
            "reasons": {failure.source_id: failure.reason for failure in report.failures},
            "asked": {name: len(server.asked) for name, server in press.items()},
            "inside": len(inside.asked),
            "longest_title": max(len(title or "") for title in titles),
            "has_leaked": any("root:" in (title or "") or SECRET.decode() in (title or "") for title in titles),
            "seconds": time.monotonic() - started,
            "peak_size": peak_size(),
        }


async def _poll(index, press, kinds):
    rules = SourceRules(
        user_agent=AGENT, crawl_delay_s=0.05, max_per_host=1, allow_networks=(ip_network("127.8.0.0/16"),)
    )
    feeds = [
        FeedState(feed_url=server.url("/feed"), source_id=name, kind=kinds[name], due_at=datetime.now(UTC))
        for name, server in press.items()
    ]
    async with PoliteClient(WebConfig(user_agent=""), HostLimits(index)) as client:
        return await poll_feeds(
            feeds,
            client=client,
            rules=dict.fromkeys(press, rules),
            index=index,
            config=PollConfig(),
            polled_one=lambda: None,
        )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(poll_all(sys.argv[1]))))
