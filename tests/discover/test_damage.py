"""Any bytes are parsed or refused as not a feed; no other error is raised."""

import random
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import CatalogueError, NotAFeed
from tasks.feeds.autodiscovery import propose_feeds
from tasks.feeds.opml import read_opml
from tests.documents import parse_feed, parse_listing, parse_sitemap
from tests.feeds import test_opml
from tests.feeds import test_rss_atom as test_feeds
from tests.feeds import test_sitemap as test_sitemaps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://daily.example/x"
PAGE = b"<html><head><base href=x><link rel=alternate type=application/rss+xml href=/r></head><nav><a href=/x-1>a</a></nav><a href='/2026/y-1'>t</a>"
WHOLE = [
    *(feed.encode() for feed in (*test_feeds.FAMILIES.values(), *test_feeds.MALFORMED.values())),
    *(sitemap.encode() for sitemap in (test_sitemaps.TWO, *test_sitemaps.MALFORMED.values())),
    test_opml.LIST,
    PAGE,
]
SHARDS = [
    *(
        shard.encode()
        for shard in ("<", ">", "&", "]]>", "<![CDATA[", "<!--", "-->", "<?x", "?>", "<!DOCTYPE x [", "'", '"')
    ),
    *(
        shard.encode()
        for shard in ("</item>", "<item>", "</rss>", "<a:b:c>", "<:>", "xmlns='x'", "xml:base='http://[::1'")
    ),
    *(
        shard.encode()
        for shard in ("&#x110000;", "&#0;", "http://\\", "<base href='//['>", '<?xml version="1.0" encoding="utf-7"?>')
    ),
    b"<pubDate>Mon, 99 Foo 9999 99:99:99 +9999</pubDate>",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\x1f\x8b",
]


def read_all(body, content_type=None):
    for read in (
        lambda: parse_feed(body, content_type=content_type, feed_url=URL, now=NOW),
        lambda: parse_sitemap(body, sitemap_url=URL, now=NOW),
        lambda: parse_listing(body, content_type=content_type, page_url=URL, now=NOW),
        lambda: propose_feeds(body, content_type=content_type, page_url=URL),
        lambda: read_opml(body, name="list"),
    ):
        with suppress(NotAFeed, CatalogueError):
            read()


def damaged(body, chance):
    damaged = bytearray(body)
    for _ in range(chance.randrange(1, 8)):
        start = chance.randrange(len(damaged) + 1)
        end = min(len(damaged), start + chance.randrange(40))
        match chance.randrange(4):
            case 0:
                damaged[start:start] = chance.choice(SHARDS)
            case 1:
                del damaged[start:end]
            case 2:
                damaged[start:start] = damaged[start:end] * chance.randrange(1, 4)
            case 3:
                damaged[start:end] = chance.randbytes(end - start)
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_document_never_raises(seed):
    chance = random.Random(seed)
    began = time.process_time()

    for _ in range(300):
        body = damaged(chance.choice(WHOLE), chance)
        read_all(body, chance.choice([None, "text/xml", "text/xml; charset=utf-8", "text/html; charset=iso-8859-1"]))

    assert time.process_time() - began < 30


@given(st.binary(max_size=500))
def test_arbitrary_bytes_never_raise(body):
    read_all(body)
    read_all(b"<rss><item>" + body)
    read_all(b"<urlset><url><loc>" + body)
    read_all(b"{" + body)
