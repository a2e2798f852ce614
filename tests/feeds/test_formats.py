"""The table of formats: the bytes determine a document's parser, and its format is named if none applies."""

import gzip
from datetime import UTC, datetime

import pytest

from tasks.errors import NotAFeed
from tasks.feeds import rss_atom, sitemap
from tasks.feeds.document import Document
from tasks.feeds.formats import ACCEPT, FORMATS, read_document
from tasks.values.feed import FeedKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://daily.example/x"
HARBOUR = "https://daily.example/2026/harbour-opens-again"
RSS = f"<rss><channel><item><link>{HARBOUR}</link></item></channel></rss>"
SITEMAP = f"<urlset><url><loc>{HARBOUR}</loc></url></urlset>"
JSON = f'{{"items": [{{"url": "{HARBOUR}"}}]}}'
PAGE = f'<!doctype html><html><body><a href="{HARBOUR}">The harbour opens again</a></body></html>'
OPML = '<opml version="2.0"><body/></opml>'


def read(kind, text, content_type=None):
    body = text if isinstance(text, bytes) else text.encode()
    return read_document(kind, body, content_type=content_type, url=URL, now=NOW)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FeedKind.FEED, RSS),
        (FeedKind.FEED, JSON),
        (FeedKind.FEED, SITEMAP),
        (FeedKind.FEED, gzip.compress(RSS.encode())),
        (FeedKind.SITEMAP, SITEMAP),
        (FeedKind.SITEMAP, RSS),
        (FeedKind.SITEMAP, HARBOUR),
        (FeedKind.LISTING, PAGE),
        (FeedKind.HOME, PAGE),
        (FeedKind.FALLBACK, PAGE),
    ],
)
@pytest.mark.parametrize("content_type", [None, "text/html", "application/octet-stream"])
def test_the_bytes_determine_the_parser(kind, text, content_type):
    assert [entry.url for entry in read(kind, text, content_type).entries] == [HARBOUR]


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        (FeedKind.FEED, PAGE, "an HTML page"),
        (FeedKind.FEED, OPML, "an OPML list of feeds"),
        (FeedKind.FEED, HARBOUR, "a list of URLs"),
        (FeedKind.FEED, "Nothing to see here", "not a sitemap or a JSON Feed or RSS or Atom"),
        (FeedKind.SITEMAP, JSON, "a JSON Feed"),
        (FeedKind.SITEMAP, PAGE, "an HTML page"),
        (FeedKind.LISTING, RSS, "RSS or Atom"),
        (FeedKind.HOME, SITEMAP, "a sitemap"),
    ],
)
def test_an_unexpected_format_is_named(kind, text, name):
    with pytest.raises(NotAFeed, match=f"^{name} at {URL}$"):
        read(kind, text)


@pytest.mark.parametrize("parse", [rss_atom.parse, sitemap.parse])
@pytest.mark.parametrize("text", [PAGE, OPML, JSON, ""])
def test_a_parser_refuses_another_format(parse, text):
    with pytest.raises(NotAFeed, match=URL):
        parse(text.encode(), Document(content_type=None, url=URL, now=NOW))


def test_a_format_is_recognised_after_a_long_prologue_and_across_split_characters():
    comment = "<!--" + "ü" * 40_000 + "-->"

    assert read(FeedKind.FEED, RSS.replace("<item>", f"{comment}<item>")).entries


def test_a_front_page_names_the_feeds_of_its_head_and_a_listing_does_not():
    page = f'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head><a href="{HARBOUR}">x</a>'

    assert [one.url for one in read(FeedKind.HOME, page).linked] == ["https://daily.example/rss"]
    assert not read(FeedKind.LISTING, page).linked


def test_the_accept_header_has_the_tables_media_types():
    labels = {label for one in FORMATS if FeedKind.FEED in one.kinds for label in one.media_types}

    assert {part.partition(";")[0].strip() for part in ACCEPT.split(",")} == labels | {"*/*"}
