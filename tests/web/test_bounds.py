from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.feeds.formats import read_document
from tasks.values.feed import FeedKind
from tasks.web.text import MAX_ATTRIBUTES, MAX_TAGS, bounded_markup
from tests.work import calls_of

URL = "https://daily.example/feed"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def attributes(number, quote="'"):
    return "".join(f" a{one}={quote}1{quote}" for one in range(number))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no markup",
        "<rss><channel/></rss>",
        f"<rss{attributes(MAX_ATTRIBUTES)}><channel/></rss>",
        "<img src='data:image/png;base64," + "A==" * 4000 + "'/>",
        "<p>" + 'onclick="x=1" ' * 4000 + "</p>",
        "<!-- " + "a='1' " * 4000 + "-->",
    ],
)
def test_markup_within_bounds_is_unchanged(text):
    assert bounded_markup(text) == (text, ())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"<rss{attributes(40_000)}><channel/></rss>", "<rss><channel/></rss>"),
        (f'<rss v="a>b"{attributes(40_000)}><channel/></rss>', "<rss><channel/></rss>"),
        (f"<rss v='a>b'{attributes(40_000)}><channel/></rss>", "<rss><channel/></rss>"),
        (f'<rss v="it\'s" w="a>b"{attributes(40_000)}><channel/></rss>', "<rss><channel/></rss>"),
        (f"<a{attributes(500)}/><b/>", "<a/><b/>"),
        (f"<x:a{attributes(500, '')}>t</x:a>", "<x:a>t</x:a>"),
        ("<div" + " b" * 900 + ">t</div>", "<div>t</div>"),
    ],
)
def test_an_element_with_too_many_attributes_loses_all(text, left):
    assert bounded_markup(text) == (left, (f"an element with more than {MAX_ATTRIBUTES} attributes",))


def test_markup_after_too_many_tags_is_cut_off():
    text, doubts = bounded_markup("<a/>" * (MAX_TAGS + 5))

    assert text == "<a/>" * MAX_TAGS
    assert doubts == (f"more than {MAX_TAGS:,} tags",)


@pytest.mark.parametrize("text", ["<a " + '"' * 100_000, "<a " + "='" * 50_000, "<a" + " " * 100_000, "<" * 100_000])
def test_unclosed_markup_costs_little(text):
    assert calls_of(lambda: bounded_markup(text)) < 500_000


def feed(text):
    return read_document(FeedKind.FEED, text.encode(), content_type=None, url=URL, now=NOW)


def test_a_feed_whose_root_has_too_many_attributes_is_read_without_them():
    content = feed(f"<rss{attributes(40_000)}><channel><item><link>/a</link></item></channel></rss>")

    assert [entry.url for entry in content.entries] == ["https://daily.example/a"]
    assert content.warnings == (f"an element with more than {MAX_ATTRIBUTES} attributes",)


def test_a_sitemap_of_empty_elements_is_cut_off():
    body = b"<urlset>" + b"<url><loc>/a</loc></url>" + b"<a/>" * (MAX_TAGS + 9) + b"</urlset>"

    content = read_document(FeedKind.SITEMAP, body, content_type=None, url=URL, now=NOW)

    assert [entry.url for entry in content.entries] == ["https://daily.example/a"]
    assert f"more than {MAX_TAGS:,} tags" in content.warnings


def test_the_base_of_links_is_resolved_once_for_all_items_of_a_parent():
    depth, number = 200, 3000
    items = "<item><link>a</link></item>" * number
    nested = (
        '<rss xml:base="https://daily.example/b/">' + '<a xml:base="c/">' * depth + items + "</a>" * depth + "</rss>"
    )

    content = feed(nested)

    assert {entry.url for entry in content.entries} == {"https://daily.example/b/" + "c/" * depth + "a"}
    assert calls_of(lambda: feed(nested)) < 200 * (number + depth)


@given(st.text(alphabet="<>=\"' /a\n", max_size=300))
def test_no_text_raises(text):
    assert bounded_markup(text)[0] == text
