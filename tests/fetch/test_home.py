"""Redirects from an article to a front page."""

import pytest

from tasks.fetch.capture import leads_home

SITE = "https://daily.example"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("/news/2026/harbour-reopens-after-three-weeks", "/"),
        ("/news/2026/harbour-reopens-after-three-weeks", ""),
        ("/harbour", "/"),
        ("/story.php?id=12345", "/"),
        ("/news/harbour", "/index.html"),
        ("/en/harbour-reopens", "/en/"),
        ("/harbour-reopens", "/de-DE"),
        ("/sport/2026/harbour-wins-the-cup", "/sport/"),
        ("/sport/football/12345.html", "/sport/football"),
        ("/sport/football/12345.html", "/sport/index.php"),
    ],
)
def test_a_redirect_to_the_root_or_the_section_leads_home(asked, found):
    assert leads_home(SITE + asked, SITE + found)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("/news/2026/harbour-reopens-after-three-weeks/amp", "/news/2026/harbour-reopens-after-three-weeks"),
        ("/news/12345/harbour", "/news/12345"),
        ("/12345", "/news/2026/harbour-reopens-after-three-weeks"),
        ("/news/harbour-reopens-now-12345", "/news/harbour-reopens-at-last-12345"),
        ("/story/12345", "/?p=12345"),
        ("/story/12345", "/sport/"),
        ("/news/harbour", "/news"),
        ("/", "/"),
        ("/index.html", "/"),
        ("/?p=12345", "/harbour-reopens"),
        ("/en/", "/en"),
    ],
)
def test_a_redirect_to_another_page_does_not_lead_home(asked, found):
    assert not leads_home(SITE + asked, SITE + found)


def test_a_redirect_to_another_sites_root_leads_home():
    assert leads_home(f"{SITE}/news/12345", "https://other.example/")
