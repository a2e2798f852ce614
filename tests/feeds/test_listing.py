"""Listing pages: which links are followed, and which are furniture."""

import time
from datetime import UTC, datetime

import pytest

from tasks.errors import NotAFeed
from tasks.feeds.listing import MAX_LINKS
from tests.documents import parse_listing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://www.example.com/news/"


def parse(body, content_type="text/html"):
    body = body.encode() if isinstance(body, str) else body
    return parse_listing(body, content_type=content_type, page_url=URL, now=NOW)


def links(body):
    return [entry.url for entry in parse(body).entries]


def page(*links, head=""):
    return f"<!DOCTYPE html><html><head><title>News</title>{head}</head><body>{''.join(links)}</body></html>"


def link(href, text="A story of the harbour"):
    return f'<a href="{href}">{text}</a>'


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("/2026/03/harbour-reopens", "https://www.example.com/2026/03/harbour-reopens"),
        ("harbour-reopens.html", "https://www.example.com/news/harbour-reopens.html"),
        ("//sport.example.com/derby-2026", "https://sport.example.com/derby-2026"),
        ("http://example.com/a/b?id=7", "http://example.com/a/b?id=7"),
        ("/article.php?id=7", "https://www.example.com/article.php?id=7"),
        ("/about/our-own-history-1900", "https://www.example.com/about/our-own-history-1900"),
        ("/12345", "https://www.example.com/12345"),
    ],
)
def test_a_link_to_a_page_of_the_same_site_is_followed(href, url):
    assert links(page(link(href))) == [url]


@pytest.mark.parametrize(
    "href",
    [
        "https://other.example/2026/story",
        "https://example.com.evil.example/story-1",
        "/news",
        "/news/#comments",
        "?page=2",
        "/news/?page=2",
        "/",
        "#top",
        "javascript:void(0)",
        "mailto:desk@example.com",
        "ftp://example.com/story-1",
        "/tag/harbour",
        "/author/ada-byron",
        "/category/sport/",
        "/search?q=harbour",
        "/login",
        "/en/about-us",
        "/privacy-policy.html",
        "/newsletter",
        "/sport",
        "/media/report-2026.pdf",
        "/pictures/harbour-1.jpg",
        "/feed.xml",
    ],
)
def test_furniture_and_other_sites_are_not_followed(href):
    assert links(page(link(href), link("/2026/harbour-1"))) == ["https://www.example.com/2026/harbour-1"]


@pytest.mark.parametrize(
    "block",
    [
        "<nav>{}</nav>",
        "<footer><div>{}</div></footer>",
        '<div role="navigation">{}</div>',
        "<form>{}</form>",
        '<ul role="menu"><li>{}</li></ul>',
    ],
)
def test_links_in_navigation_and_footer_are_not_followed(block):
    body = page(link("/2026/first-story"), block.format(link("/2026/nav-story")), link("/2026/last-story"))

    assert [url.rpartition("/")[2] for url in links(body)] == ["first-story", "last-story"]


def test_a_story_linked_three_times_is_one_entry_with_its_longest_text():
    body = page(
        link("/2026/harbour", "<img src='/1.jpg'>"),
        link("/2026/harbour?utm_source=front", "Harbour reopens after storm"),
        link("/2026/harbour/#comments", "12 comments"),
    )

    content = parse(body)

    assert [(entry.url, entry.title) for entry in content.entries] == [
        ("https://www.example.com/2026/harbour", "Harbour reopens after storm")
    ]


def test_links_are_resolved_against_the_base_element():
    body = page(link("harbour-1"), head='<base href="https://www.example.com/2026/">')

    assert links(body) == ["https://www.example.com/2026/harbour-1"]


def test_the_pages_charset_is_used():
    body = page(link("/2026/a-1", "Überfall im Café")).encode("iso-8859-1")

    assert parse(body, "text/html; charset=iso-8859-1").entries[0].title == "Überfall im Café"


def test_broken_markup_is_parsed_as_in_browsers():
    assert links("<html><a href=/2026/a-1>A<a href=/2026/b-2>B<p></a></div>") == [
        "https://www.example.com/2026/a-1",
        "https://www.example.com/2026/b-2",
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"%PDF-1.7", b"<rss><channel></channel></rss>", b'{"a": 1}', b"<!-- nothing -->", b"\x00" * 99],
)
def test_a_document_that_is_not_a_page_is_refused(body):
    with pytest.raises(NotAFeed, match=r"https://www\.example\.com/news/"):
        parse(body)


def test_a_page_without_links_has_no_entries():
    assert parse(page("<p>Nothing today</p>")).entries == ()


def test_at_most_a_thousand_links_are_taken():
    assert len(links(page(*(link(f"/2026/story-{number}") for number in range(3000))))) == MAX_LINKS


@pytest.mark.parametrize(
    "body",
    [
        "<html>" + "<div>" * 50_000 + link("/2026/a-1"),
        "<html>" + "<nav>" * 20_000 + link("/2026/a-1"),
        "<html>" + "<a href=/2026/a-1>" * 50_000,
        page(*(link(f"/2026/{number}", "x " * 20) for number in range(50_000))),
        "<html><a href='" + "x" * 5_000_000,
        page("<a href='/2026/a-1'>" + "<b>" * 100_000),
    ],
    ids=["divs", "navs", "open links", "many links", "long link", "bold"],
)
def test_a_hostile_page_takes_at_most_seconds(body):
    began = time.process_time()

    assert len(links(body)) <= MAX_LINKS
    assert time.process_time() - began < 5


BARE = "Read on"
HEADLINE = "Quay reopens to fishing boats again"


@pytest.mark.parametrize(
    ("href", "text"),
    [
        ("/politics/archive/2026/11/quay-reopens/680123/", BARE),
        ("/archives/48213", BARE),
        ("/archives/213", HEADLINE),
        ("/2026/11/27/search/lost-boat-is-found", BARE),
        ("/topic/harbour/choir-looks-for-tenors", BARE),
        ("/user/stories/48213-quay-reopens", BARE),
        ("/tag/harbour/2026/11/quay-reopens", BARE),
        ("/print/mayor-resigns-over-quay", BARE),
        ("/story.php?id=4711&page=1", BARE),
        ("/support/council-votes-on-sea-wall-funds", BARE),
        ("/help-arrives-for-flooded-village", BARE),
        ("/category/%E6%B8%AF%E3%81%AE%E6%96%B0%E3%81%97%E3%81%84%E9%98%B2%E6%B3%A2%E5%A0%A4-4821", BARE),
        ("/author/48213", HEADLINE),
        ("/local/two-hurt", BARE),
    ],
)
def test_an_article_is_not_rejected_for_a_word_in_its_path(href, text):
    assert links(page(link(href, text))) == [f"https://www.example.com{href}"]


@pytest.mark.parametrize(
    "href",
    [
        "/tag/harbour-and-the-sea",
        "/author/ada-maria-byron-lovelace",
        "/category/local/news",
        "/topics/2026",
        "/archive/2026/11",
        "/search/harbour",
        "/page/2",
        "/news/page/12",
        "/en/contact.html",
        "/user/4821",
        "/weather",
    ],
)
def test_furniture_is_left_out_but_kept_for_include_patterns(href):
    content = parse(page(link(href, BARE), link("/2026/harbour-1")))

    assert [entry.url for entry in content.entries] == ["https://www.example.com/2026/harbour-1"]
    assert [entry.url for entry in content.doubtful] == [f"https://www.example.com{href}"]


@pytest.mark.parametrize(
    ("charset", "query"),
    [
        ("windows-1252", "%E9t%E9"),
        ("iso-8859-2", "%E9t%E9"),
        ("utf-8", "%C3%A9t%C3%A9"),
        ("windows-1251", "%26%23233%3Bt%26%23233%3B"),  # which has no such letter
    ],
)
def test_a_query_is_encoded_in_the_pages_charset_and_a_path_in_utf_8(charset, query):
    body = page(link("/caf&eacute;?q=&eacute;t&eacute;#&eacute;"), head=f'<meta charset="{charset}">').encode("ascii")
    about = "ж" if charset == "windows-1251" else "ö"

    content = parse(body + about.encode(charset), f"text/html; charset={charset}")

    assert [entry.url for entry in content.entries] == [f"https://www.example.com/caf%C3%A9?q={query}#%C3%A9"]
