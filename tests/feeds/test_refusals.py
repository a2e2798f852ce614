"""Unstorable URLs are dropped alone, in every format."""

import json
from datetime import UTC, datetime

import pytest

from tasks.errors import BadUrl, UnexpectedError
from tasks.feeds.collector import Refusals
from tasks.feeds.formats import read_document
from tasks.feeds.opml import read_opml
from tasks.values.feed import FeedKind, Refusal
from tasks.values.url import MAX_URL_LENGTH
from tests.documents import linked_feeds

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SITE = "https://daily.example"
LONG = "/" + "a" * MAX_URL_LENGTH
SWOLLEN = "/" + "ä" * 1500  # short as written, too long when percent-encoded


def read(kind, body, content_type="application/xml"):
    said = body if isinstance(body, bytes) else body.encode()
    return read_document(kind, said, content_type=content_type, url=f"{SITE}/feed", now=NOW)


def rss(*links):
    return (
        "<rss><channel>"
        + "".join(f"<item><title>T</title><link>{link}</link></item>" for link in links)
        + "</channel></rss>"
    )


def atom(*links):
    return "<feed>" + "".join(f'<entry><link href="{link}"/></entry>' for link in links) + "</feed>"


def json_feed(*links):
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"url": link} for link in links]})


def sitemap(*links):
    return "<urlset>" + "".join(f"<url><loc>{link}</loc></url>" for link in links) + "</urlset>"


def listing(*links):
    return "<html><body>" + "".join(f'<a href="{link}">A story of some length</a>' for link in links) + "</body></html>"


@pytest.mark.parametrize(
    ("kind", "form", "content_type"),
    [
        (FeedKind.FEED, rss, "application/rss+xml"),
        (FeedKind.FEED, atom, "application/atom+xml"),
        (FeedKind.FEED, json_feed, "application/feed+json"),
        (FeedKind.SITEMAP, sitemap, "application/xml"),
        (FeedKind.LISTING, listing, "text/html; charset=utf-8"),
    ],
)
def test_a_link_too_long_for_the_index_is_counted_and_the_others_are_kept(kind, form, content_type):
    body = form("/a-story-1", LONG, SWOLLEN, "http://daily.example:99999/a-story-9", "/a-story-2")

    content = read(kind, body, content_type)

    assert [entry.url for entry in content.entries] == [f"{SITE}/a-story-1", f"{SITE}/a-story-2"]
    assert [(one.reason, one.number) for one in content.refused] == [("bad_url", 3)]


def test_a_lone_surrogate_in_a_json_feed_drops_only_the_item_with_it_in_its_url():
    items = [
        {"url": f"{SITE}/\ud800", "title": "broken address"},
        {"url": f"{SITE}/a", "title": "half \udfff a pair", "id": "\ud800"},
        {"id": "http://daily.example/\udc00"},
        {"url": f"{SITE}/b\0", "title": "a NUL in its address"},
        {"url": f"{SITE}/c", "title": "a NUL\0 in its title"},
        {"url": f"{SITE}/d", "title": "whole \ud83d\ude80", "date_published": "\ud800"},
    ]

    content = read(FeedKind.FEED, json.dumps({"title": "T\ud800", "items": items}), "application/feed+json")

    assert [(entry.url, entry.title) for entry in content.entries] == [
        (f"{SITE}/a", "half a pair"),
        (f"{SITE}/c", "a NUL in its title"),
        (f"{SITE}/d", "whole 🚀"),
    ]
    assert content.title == "T"
    assert [(one.reason, one.number) for one in content.refused] == [("bad_url", 3)]


def test_a_broken_or_deeply_nested_json_feed_is_refused():
    for body in ('{"items": [', '{"items": ' + "[" * 100_000 + '"\\ud800"'):
        with pytest.raises(Exception, match="broken JSON at https://daily.example/feed"):
            read(FeedKind.FEED, body, "application/feed+json")


def test_unstorable_sitemap_urls_of_an_index_are_dropped_alone():
    index = "<sitemapindex>" + "".join(
        f"<sitemap><loc>{link}</loc></sitemap>" for link in (LONG, "/1.xml", "ftp://daily.example/2.xml")
    )

    content = read(FeedKind.SITEMAP, index + "</sitemapindex>")

    assert [child.url for child in content.children] == [f"{SITE}/1.xml"]
    assert {one.reason: one.number for one in content.refused} == {"bad_url": 1, "forbidden_scheme": 1}


def test_mail_and_script_links_of_a_listing_are_not_counted():
    content = read(
        FeedKind.LISTING, listing("mailto:desk@daily.example", "javascript:void(0)", "/a-story-1"), "text/html"
    )

    assert (len(content.entries), content.refused) == (1, ())


def test_an_unstorable_feed_url_of_a_front_page_is_counted():
    link = '<link rel="alternate" type="application/rss+xml" href="{}">'
    page = f"<html><head>{link.format(LONG)}{link.format('/rss')}</head></html>".encode()
    refusals = Refusals()

    found = linked_feeds(page, content_type="text/html", page_url=f"{SITE}/", refusals=refusals)

    assert [one.url for one in found] == [f"{SITE}/rss"]
    assert [(one.reason, one.number) for one in refusals.listed()] == [("bad_url", 1)]


def test_an_unstorable_feed_url_in_opml_is_counted():
    outlines = "".join(f'<outline text="T" xmlUrl="{url}"/>' for url in (f"{SITE}{LONG}", f"{SITE}/rss", "&#0;"))

    found, left_out = read_opml(f"<opml><body>{outlines}</body></opml>".encode(), name="mine.opml")

    assert [one.feed_url for one in found] == [f"{SITE}/rss"]
    assert f"{SITE}{LONG}" in [one.address for one in left_out]


def test_the_first_of_each_reason_is_kept_with_its_detail():
    refusals = Refusals()
    for number in range(3):
        refusals.note(BadUrl(f"no. {number}"))
    refusals.add(
        [Refusal(reason="bad_url", number=4, detail="later"), Refusal(reason="too_large", number=1, detail="b")]
    )

    assert refusals.listed() == (
        Refusal(reason="bad_url", number=7, detail="no. 0"),
        Refusal(reason="too_large", number=1, detail="b"),
    )


def test_an_exception_at_an_entry_is_counted_with_its_traceback_and_stops_reading():
    refusals = Refusals()

    for number in (1, 0, 2):
        with refusals.guarded(f"entry {number}"):
            1 / number

    (one,) = refusals.listed()
    assert (one.reason, one.number, refusals.unexpected) == (UnexpectedError.reason, 1, 1)
    assert "ZeroDivisionError" in one.detail
