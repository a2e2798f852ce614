from datetime import UTC, datetime

import pytest

from tests.extract.reading import page, read_page

DAY = datetime(2025, 2, 11, tzinfo=UTC)


def published(shown: str, *, head: str = ""):
    return read_page(page(head=head).replace("</h1>", f"</h1>{shown}")).metadata.published_at


@pytest.mark.parametrize(
    "shown",
    [
        "<div class='k3'>Feb. 11, 2025</div>",
        "<p>Von Jana Brandl</p><p>11. Februar 2025</p>",
        "<span>2025年2月11日</span>",
        "<a href='/2025/02/11'>11 Feb 2025</a>",
        "<div>Updated: 12 Feb 2025</div><div>11 Feb 2025</div>",
        "<div>Last updated</div><div>12 Feb 2025</div><div>Published</div><div>11 Feb 2025</div>",
        "<div>Updated on</div><div>11 Feb 2025</div>",
        "<time datetime='4/24/x'>11 Feb 2025</time>",
    ],
)
def test_a_written_date_near_the_heading_is_the_pages_date(shown):
    assert published(shown) == DAY


def test_a_visible_date_is_preferred_to_a_field_in_words():
    head = '<meta name="date" content="August 1, 2026">'

    assert published("<div>11 Feb 2025</div>", head=head) == DAY


def test_a_numeric_field_is_preferred_to_a_visible_date():
    head = '<meta property="article:published_time" content="2025-02-10">'

    assert published("<div>11 Feb 2025</div>", head=head) == datetime(2025, 2, 10, tzinfo=UTC)


def test_a_webpage_node_of_jsonld_is_used():
    head = '<script type="application/ld+json">{"@type": "WebPage", "datePublished": "2025-02-11"}</script>'

    assert published("", head=head) == DAY


@pytest.mark.parametrize(
    "shown",
    [
        "<p>On 11 Feb 2025 the quay was closed, and nobody on the islands knew for how long that would be so.</p>",
        "<div>03-09-2026</div>",
    ],
)
def test_dates_in_sentences_and_ambiguous_dates_are_ignored(shown):
    assert published(shown) is None
