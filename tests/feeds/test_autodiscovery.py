"""Feeds linked from a home page."""

import pytest

from tasks.feeds.autodiscovery import MAX_PROPOSALS, propose_feeds
from tasks.feeds.html_links import FoundBy
from tasks.values.feed import FeedKind
from tests.documents import linked_feeds

HOME = "https://daily.example/"


def linked(markup):
    body = f"<!DOCTYPE html><html><head>{markup}</head><body></body></html>".encode()
    return [one.url for one in linked_feeds(body, content_type="text/html", page_url=HOME)]


@pytest.mark.parametrize(
    "markup",
    [
        '<link rel="alternate" type="application/rss+xml" href="/rss">',
        "<LINK REL=Alternate TYPE=application/atom+xml HREF=/rss>",
        '<link rel="alternate home" type="application/feed+json; charset=utf-8" href="rss">',
        '<link rel="feed" href="https://daily.example/rss">',
        '<link rel="alternate" type="text/xml" href="/rss">',
        '<base href="https://daily.example/x/"><link rel="alternate" type="application/rss+xml" href="../rss">',
        '<a href="/rss">RSS</a>',
    ],
)
def test_a_linked_feed_is_found(markup):
    assert linked(markup) == ["https://daily.example/rss"]


@pytest.mark.parametrize(
    "markup",
    [
        '<link rel="stylesheet" type="text/css" href="/rss.css">',
        '<link rel="alternate" hreflang="de" href="/de/">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed">',
        '<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">',
        '<link rel="alternate" type="application/rss+xml">',
        '<link rel="alternate" type="application/rss+xml" href="javascript:void(0)">',
        '<a href="/rss-explained">What is RSS?</a>',
        '<a href="/index.html">Home</a>',
        '<a href="/feedback">Feedback</a>',
    ],
)
def test_links_that_are_not_article_feeds_are_not_found(markup):
    assert linked(markup) == []


@pytest.mark.parametrize(
    "href",
    ["/feed", "/feed/", "/feeds/", "/news.rss", "/a/rss.xml", "/index.xml", "/atom.xml?x=1", "/feed.json", "/feed.php"],
)
def test_a_link_that_looks_like_a_feed_is_found(href):
    assert linked(f'<a href="{href}">Feed</a>') == [HOME.rstrip("/") + href]


def test_linked_feeds_come_before_common_paths():
    body = b'<html><head><link rel="alternate" type="application/rss+xml" title=" All  news " href="/all.rss"></head><body><a href="/sport.rss">Sport</a></body></html>'

    proposals = propose_feeds(
        body, content_type="text/html", page_url=HOME, robots_sitemaps=["https://daily.example/news.xml", "ftp://x"]
    )

    assert [(one.url.rpartition("/")[2], one.kind, one.found_by) for one in proposals[:3]] == [
        ("all.rss", FeedKind.FEED, FoundBy.LINK),
        ("sport.rss", FeedKind.FEED, FoundBy.ANCHOR),
        ("news.xml", FeedKind.SITEMAP, FoundBy.ROBOTS),
    ]
    assert proposals[0].title == "All news"
    assert {one.found_by for one in proposals[3:]} == {FoundBy.COMMON}


def test_proposed_urls_are_unique_and_bounded():
    body = (
        "<html>" + "<a href='/rss.xml'>x</a>" * 10 + "".join(f"<a href='/{n}.rss'>x</a>" for n in range(500))
    ).encode()

    proposals = propose_feeds(body, content_type="text/html", page_url=HOME)

    assert len({one.url for one in proposals}) == len(proposals) == MAX_PROPOSALS


@pytest.mark.parametrize("body", [b"", b"%PDF", b"<rss></rss>"])
def test_without_a_page_common_paths_are_proposed(body):
    proposals = propose_feeds(body, content_type=None, page_url=HOME)

    assert {one.found_by for one in proposals} == {FoundBy.COMMON}
