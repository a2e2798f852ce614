from datetime import UTC, date, datetime

import pytest

from tasks.backfill.dated import Window, days_in, is_within, may_hold
from tasks.feeds.next_page import linked_next, next_in_address, second_pages
from tasks.values.feed import Entry
from tasks.values.url import Url

MARCH = Window(date(2024, 3, 1), date(2024, 3, 31))


@pytest.mark.parametrize(
    ("url", "days"),
    [
        ("https://a.example/sitemap-2024-03.xml", ("2024-03-01", "2024-03-31")),
        ("https://a.example/sitemap-2024-02.xml.gz", ("2024-02-01", "2024-02-29")),
        ("https://a.example/sitemaps/20240315.xml", ("2024-03-15", "2024-03-15")),
        ("https://a.example/sitemap.xml?yyyy=2024&date=2024-03-09", ("2024-03-09", "2024-03-09")),
        ("https://a.example/archive/2023/", ("2023-01-01", "2023-12-31")),
        ("https://a.example/2024/03/05/harbour", ("2024-03-05", "2024-03-05")),
        ("https://a.example/sitemap_201912.xml", ("2019-12-01", "2019-12-31")),
        ("https://a.example/sitemap-17.xml", None),
        ("https://a.example/story-12024031500", None),
        ("https://a.example/2024/02/31/x", ("2024-01-01", "2024-12-31")),
    ],
)
def test_days_are_read_from_a_url(url, days):
    assert days_in(url) == (days and Window(*map(date.fromisoformat, days)))


@pytest.mark.parametrize(
    ("url", "modified", "is_read"),
    [
        ("https://a.example/sitemap-2024-03.xml", None, True),
        ("https://a.example/sitemap-2024-02.xml", "2024-05-01", False),
        ("https://a.example/sitemap-7.xml", "2024-02-28", False),
        ("https://a.example/sitemap-7.xml", "2026-02-28", True),
        ("https://a.example/sitemap-7.xml", None, True),
    ],
)
def test_a_sitemap_is_read_only_if_it_may_hold_the_days(url, modified, is_read):
    at = datetime.fromisoformat(modified).replace(tzinfo=UTC) if modified else None

    assert may_hold(Entry(url=Url.of(url), modified_at=at), MARCH) is is_read


@pytest.mark.parametrize(
    ("url", "published", "modified", "is_taken"),
    [
        ("https://a.example/x", "2024-03-31", "2025-01-01", True),
        ("https://a.example/x", "2024-04-01", "2024-03-20", False),
        ("https://a.example/2024/03/05/x", None, "2025-01-01", True),
        ("https://a.example/2024/04/05/x", None, "2024-03-05", False),
        ("https://a.example/x", None, "2024-03-05", True),
        ("https://a.example/x", None, "2024-02-05", False),
        ("https://a.example/x", None, None, True),
    ],
)
def test_an_entry_is_taken_only_if_it_is_of_the_days(url, published, modified, is_taken):
    dates = [datetime.fromisoformat(one).replace(tzinfo=UTC) if one else None for one in (published, modified)]

    assert is_within(Entry(url=Url.of(url), published_at=dates[0], modified_at=dates[1]), MARCH) is is_taken


@pytest.mark.parametrize(
    ("url", "following"),
    [
        ("https://a.example/news/page/2/", "https://a.example/news/page/3/"),
        ("https://a.example/news?page=9", "https://a.example/news?page=10"),
        ("https://a.example/news?a=1&p=2&b=3", "https://a.example/news?a=1&p=3&b=3"),
        ("https://a.example/news", None),
        ("https://a.example/story-page/12x", None),
    ],
)
def test_the_next_page_follows_from_a_url(url, following):
    assert next_in_address(url) == following


def test_without_a_page_number_both_url_forms_are_tried():
    assert second_pages("https://a.example/news/?a=1") == (
        "https://a.example/news/?a=1&page=2",
        "https://a.example/news/page/2/?a=1",
    )


def test_only_next_links_on_the_same_site_are_followed():
    body = b"<html><body><a rel=next href='https://evil.example/2'>x</a><a rel='nofollow next' href='?seite=2'>y</a></body></html>"

    assert linked_next(body, "text/html", "https://a.example/news") == "https://a.example/news?seite=2"
