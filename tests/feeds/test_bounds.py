from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.feeds.bounds import MAX_ATTRIBUTES, MAX_TAGS, bounded_markup
from tests.work import calls_of

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
def test_what_is_within_bounds_stays_as_it_is(text):
    assert bounded_markup(text) == (text, ())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"<rss{attributes(40_000)}><channel/></rss>", "<rss><channel/></rss>"),
        (f'<rss v="a>b"{attributes(40_000)}><channel/></rss>', "<rss><channel/></rss>"),
        (f"<a{attributes(500)}/><b/>", "<a/><b/>"),
        (f"<x:a{attributes(500, '')}>t</x:a>", "<x:a>t</x:a>"),
        ("<div" + " b" * 900 + ">t</div>", "<div>t</div>"),
    ],
)
def test_of_an_element_with_too_many_attributes_none_is_kept(text, left):
    assert bounded_markup(text) == (left, (f"an element with more than {MAX_ATTRIBUTES} attributes",))


def test_what_follows_too_many_tags_is_cut_off():
    text, doubts = bounded_markup("<a/>" * (MAX_TAGS + 5))

    assert text == "<a/>" * MAX_TAGS
    assert doubts == (f"more than {MAX_TAGS:,} tags",)


@pytest.mark.parametrize("text", ["<a " + '"' * 100_000, "<a " + "='" * 50_000, "<a" + " " * 100_000, "<" * 100_000])
def test_what_never_ends_costs_little(text):
    assert calls_of(lambda: bounded_markup(text)) < 500_000


@given(st.text(alphabet="<>=\"' /a\n", max_size=300))
def test_no_text_raises(text):
    assert bounded_markup(text)[0] == text
