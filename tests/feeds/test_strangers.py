"""Feeds and sitemaps as found in the wild: their entries are found despite errors of their templates."""

from datetime import UTC, datetime

import pytest

from tasks.values.feed import FeedKind
from tests.documents import read

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://feeds.example/daily.xml"
SITE = "https://daily.example"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
IMAGES = "http://www.google.com/schemas/sitemap-image/1.1"
MEDIA = "http://search.yahoo.com/mrss/"
ATOM = "http://www.w3.org/2005/Atom"


def found(text, kind=FeedKind.FEED, **more):
    return read(kind, text.encode(), **{"url": URL, "now": NOW} | more)


def urls(text, kind=FeedKind.FEED, **more):
    return [entry.url for entry in found(text, kind, **more).entries]


def rss(*items, channel="", root=""):
    return f"<rss{root}><channel>{channel}{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"


@pytest.mark.parametrize(
    "text",
    [
        f'<a:urlset xmlns:a="{SITEMAPS}" xmlns:b="{IMAGES}"><a:url><b:image><b:loc>{SITE}/1.jpg</b:loc></b:image><a:loc>{SITE}/1</a:loc></a:url></a:urlset>',
        f'<urlset xmlns="{SITEMAPS}" xmlns:sitemap="{IMAGES}"><url><sitemap:loc>{SITE}/1.jpg</sitemap:loc><loc>{SITE}/1</loc></url></urlset>',
        f'<urlset xmlns:x="{SITEMAPS}"><url><x:loc>{SITE}/1</x:loc></url></urlset>',
        f'<urlset xmlns="https://sitemaps.org/schemas/sitemap/0.9/"><url><loc>{SITE}/1</loc></url></urlset>',
        f'<urlset xmlns="urn:our-own"><url><loc>{SITE}/1</loc></url></urlset>',
        f"<ns2:urlset><ns2:url><ns2:loc>{SITE}/1</ns2:loc></ns2:url></ns2:urlset>",
    ],
)
def test_a_sitemap_is_recognised_by_its_namespaces(text):
    assert urls(text, FeedKind.SITEMAP) == [f"{SITE}/1"]


def test_a_news_sitemap_gives_titles_and_dates_under_any_prefix():
    news = "http://www.google.com/schemas/sitemap-news/0.9"
    text = f'<s:urlset xmlns:s="{SITEMAPS}" xmlns:n="{news}"><s:url><s:loc>{SITE}/1</s:loc><n:news><n:title>A quay</n:title><n:publication_date>2026-02-28</n:publication_date></n:news></s:url></s:urlset>'

    (entry,) = found(text, FeedKind.SITEMAP).entries

    assert (entry.title, entry.published_at) == ("A quay", datetime(2026, 2, 28, tzinfo=UTC))


def test_a_sitemap_index_is_recognised_by_its_namespaces():
    text = f'<m:sitemapindex xmlns:m="{SITEMAPS}"><m:sitemap><m:loc>{SITE}/s1.xml</m:loc></m:sitemap></m:sitemapindex>'

    assert [child.url for child in found(text, FeedKind.SITEMAP).children] == [f"{SITE}/s1.xml"]


@pytest.mark.parametrize(
    "text",
    [
        rss(
            f"<m:title>Picture</m:title><m:link>{SITE}/1.jpg</m:link><title>Quay</title><link>{SITE}/1</link>",
            root=f' xmlns:m="{MEDIA}"',
        ),
        rss(f"<media:title>Picture</media:title><title>Quay</title><link>{SITE}/1</link>"),
        f'<media:feed xmlns:media="{ATOM}"><media:entry><media:title>Quay</media:title><media:link href="{SITE}/1"/></media:entry></media:feed>',
        rss(f"<v:title>Another</v:title><title>Quay</title><link>{SITE}/1</link>", root=' xmlns:v="urn:vendor"'),
        rss(f"<v:title>Quay</v:title><link>{SITE}/1</link>", root=' xmlns:v="urn:vendor"'),
        f'<rss xmlns="urn:old"><channel><item><title>Quay</title><link>{SITE}/1</link></item></channel></rss>',
        rss(f"<m:title>Picture</m:title><title>Quay</title><link>{SITE}/1</link></b>", root=f' xmlns:m="{MEDIA}"'),
    ],
)
def test_an_items_elements_are_recognised_by_namespace(text):
    assert [(entry.url, entry.title) for entry in found(text).entries] == [(f"{SITE}/1", "Quay")]


@pytest.mark.parametrize(
    "link", ["\n{site}/1\n", "{site}\n/1", "{site}/\t1", "{site}/\r\n1\n", "ht\ntps://daily.example/1"]
)
def test_line_breaks_and_tabs_inside_a_link_are_removed(link):
    link = link.format(site=SITE)

    assert urls(rss(f"<link>{link}</link>")) == [f"{SITE}/1"]
    assert urls(f"<urlset><url><loc>{link}</loc></url></urlset>", FeedKind.SITEMAP) == [f"{SITE}/1"]
    assert urls(f'<html><a href="{link}">1</a></html>', FeedKind.LISTING, url=f"{SITE}/news") == [f"{SITE}/1"]


def test_a_space_inside_a_link_is_kept():
    assert urls(rss(f"<link>{SITE}/a quay</link>")) == [f"{SITE}/a%20quay"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # at each level, relative to the enclosing one
        ('<feed xml:base="https://daily.example/a/"><entry><link href="1"/></entry></feed>', "/a/1"),
        ('<feed xml:base="https://daily.example/a/"><entry xml:base="b/"><link href="1"/></entry></feed>', "/a/b/1"),
        ('<feed xml:base="https://daily.example/"><entry><link xml:base="c/" href="1"/></entry></feed>', "/c/1"),
        ('<rss><channel xml:base="https://daily.example/d/"><item><link>1</link></item></channel></rss>', "/d/1"),
        # the channel's site, if the feed is on another host
        (rss("<link>/e/1</link>", channel=f"<link>{SITE}/</link>"), "/e/1"),
        (
            rss(
                "<link>/e/2</link>",
                channel=f'<a:link rel="self" href="{URL}"/><link>{SITE}/</link>',
                root=f' xmlns:a="{ATOM}"',
            ),
            "/e/2",
        ),
        (
            rss("<link>/e/3</link>", channel=f'<a:link rel="alternate" href="{SITE}/"/>', root=f' xmlns:a="{ATOM}"'),
            "/e/3",
        ),
        (f'<feed><link href="{SITE}/f/"/><entry><link href="1"/></entry></feed>', "/f/1"),
        (f'{{"home_page_url": "{SITE}", "items": [{{"url": "/g/1"}}]}}', "/g/1"),
        # xml:base takes precedence
        (
            rss(
                "<link>1</link>",
                channel="<link>https://daily.example/</link>",
                root=' xml:base="https://daily.example/h/"',
            ),
            "/h/1",
        ),
    ],
)
def test_links_are_resolved_against_the_right_base(text, expected):
    assert urls(text, own_urls=(f"{SITE}/",)) == [SITE + expected]


@pytest.mark.parametrize(
    ("url", "own_urls"),
    [
        (URL, ()),  # the source does not name the host, and anyone may name any site
        (URL, ("https://other.example/",)),
        ("https://daily.example/feeds/all.xml", (f"{SITE}/",)),  # the feed lies on its own site
    ],
)
def test_a_channels_untrusted_site_is_no_base(url, own_urls):
    text = rss("<link>1</link>", channel=f"<link>{SITE}/news/</link>")

    assert urls(text, url=url, own_urls=own_urls) == [url.rpartition("/")[0] + "/1"]


def item(link, guid, more=""):
    return f"<link>{link}</link><guid{more}>{guid}</guid>"


@pytest.mark.parametrize(
    "links",
    [
        (f"{SITE}/", f"{SITE}/"),
        (f"{SITE}/news", f"{SITE}/news"),
        (f"{SITE}/news?utm_source=a", f"{SITE}/news/?utm_source=b"),
        (f"{SITE}/", SITE),
    ],
)
def test_permalinks_are_used_if_all_links_are_equal(links):
    items = [item(link, f"{SITE}/story-{number}") for number, link in enumerate(links)]

    assert urls(rss(*items)) == [f"{SITE}/story-0", f"{SITE}/story-1"]


def test_a_single_items_link_to_the_front_page_is_not_an_article():
    assert urls(rss(item(f"{SITE}/", f"{SITE}/story"))) == [f"{SITE}/story"]


def test_a_json_feeds_ids_are_used_if_all_links_are_equal():
    items = ",".join(f'{{"url": "{SITE}/news", "id": "{SITE}/story-{number}"}}' for number in (1, 2))

    assert urls(f'{{"items": [{items}]}}') == [f"{SITE}/story-1", f"{SITE}/story-2"]


@pytest.mark.parametrize(
    "items",
    [
        (item(f"{SITE}/1", f"{SITE}/?p=1"), item(f"{SITE}/2", f"{SITE}/?p=2")),  # links that differ
        (item(f"{SITE}/1", "a1", ' isPermaLink="false"'), item(f"{SITE}/2", f"{SITE}/x", ' isPermaLink="false"')),
    ],
)
def test_distinct_links_are_preferred_to_identifiers(items):
    assert urls(rss(*items)) == [f"{SITE}/1", f"{SITE}/2"]


def test_a_repeated_item_is_one_entry():
    assert set(urls(rss(item(f"{SITE}/1", f"{SITE}/x"), item(f"{SITE}/1", f"{SITE}/x")))) == {f"{SITE}/1"}


def test_a_broken_feed_keeps_its_namespace_declarations():
    broken = rss(
        f"<m:title>Picture</m:title><title>Quay</title><link>{SITE}/1</link></p>",
        f"<m:title>Picture</m:title><title>Boat</title><link>{SITE}/2</link>",
        root=f' xmlns:m="{MEDIA}"',
    ).replace("</channel>", "")

    assert [entry.title for entry in found(broken).entries] == ["Quay", "Boat"]


IMPOSSIBLE = [
    "&#xD800;",
    "&#57343;",
    "&#0;",
    "&#x1b;",
    "&#65535;",
    "&#x110000;",
    "&#9999999;",
    "&#xfffffffff;",
    "&#" + "9" * 5000 + ";",
]
WAYS = {
    "RSS": lambda ref: rss(f"<title>A{ref} quay</title><link>{SITE}/1{ref}</link>", channel=f"<title>T{ref}</title>"),
    "Atom": lambda ref: f'<feed xmlns="{ATOM}"><entry><title type="html">A{ref} quay</title><link href="{SITE}/1{ref}"/></entry></feed>',
    "a sitemap": lambda ref: f'<urlset xmlns="{SITEMAPS}" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>{SITE}/1{ref}</loc><news:news><news:title>A{ref} quay</news:title></news:news></url></urlset>',
}  # fmt: skip


@pytest.mark.parametrize("reference", IMPOSSIBLE, ids=lambda text: text[:12])
@pytest.mark.parametrize("way", WAYS)
def test_a_reference_to_an_invalid_character_is_removed(way, reference):
    content = found(WAYS[way](reference), FeedKind.SITEMAP if way == "a sitemap" else FeedKind.FEED)

    assert [(entry.url, entry.title) for entry in content.entries] == [(f"{SITE}/1", "A quay")]
    assert (content.warnings, content.refused) == ((), ())


@pytest.mark.parametrize("way", WAYS)
def test_a_reference_to_a_c1_control_is_read_as_windows_1252(way):
    (entry,) = found(WAYS[way]("&#128;"), FeedKind.SITEMAP if way == "a sitemap" else FeedKind.FEED).entries

    assert entry.title == "A€ quay"


@pytest.mark.parametrize("sign", ["&amp;#27;[2J", "\u202e", "\x9b2J", "&#8203;", "\ufeff"])
def test_a_title_has_no_control_characters(sign):
    (entry,) = found(rss(f"<title>A quay {sign} opens</title><link>{SITE}/1</link>")).entries

    assert entry.title.isprintable()
    assert entry.title.startswith("A quay ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 6000, "-" + "9" * 6000])
def test_an_invalid_number_does_not_fail_the_feed(number):
    text = f'{{"version": "https://jsonfeed.org/version/1.1", "n": {number}, "items": [{{"url": "{SITE}/1", "id": {number}}}]}}'

    assert urls(text) == [f"{SITE}/1"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\0\n"])
def test_a_list_of_urls_may_have_any_line_endings(end):
    assert urls(end.join(f"{SITE}/{number}" for number in range(3)), FeedKind.SITEMAP) == [
        f"{SITE}/0",
        f"{SITE}/1",
        f"{SITE}/2",
    ]


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("label", ["text/xml", "application/rss+xml; charset=utf-8", "text/xml; charset=us-ascii"])
def test_a_utf_16_or_utf_32_feed_is_read_under_any_label(coding, label):
    text = f'<?xml version="1.0" encoding="utf-8"?>{rss(f"<title>Größe</title><link>{SITE}/1</link>")}'

    (entry,) = read(FeedKind.FEED, text.encode(coding), url=URL, now=NOW, content_type=label).entries

    assert (entry.url, entry.title) == (f"{SITE}/1", "Größe")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"<rss><channel><item><link>{SITE}/1</link></item><item><link>{SITE}/2026/ha", FeedKind.FEED),
        (f"<rss><channel><item><link>{SITE}/1</link></item><item><link><![CDATA[{SITE}/2026/ha", FeedKind.FEED),
        (
            f"<rss><channel><item><link>{SITE}/1</link></item><item><guid isPermaLink='true'>{SITE}/2026/ha",
            FeedKind.FEED,
        ),
        (f'<feed xmlns="{ATOM}"><entry><id>{SITE}/1</id></entry><entry><id>{SITE}/2026/ha', FeedKind.FEED),
        (f'<feed xmlns="{ATOM}"><entry><id>{SITE}/1</id></entry><entry><link href="{SITE}/2026/ha', FeedKind.FEED),
        (f'<urlset xmlns="{SITEMAPS}"><url><loc>{SITE}/1</loc></url><url><loc>{SITE}/2026/ha', FeedKind.SITEMAP),
    ],
)
def test_an_address_that_is_cut_off_is_no_entry(text, kind):
    assert urls(text, kind) == [f"{SITE}/1"]


def test_the_last_entry_of_a_feed_that_is_cut_off_after_its_address_is_found():
    assert urls(f"<rss><channel><item><link>{SITE}/1</link><description>It op") == [f"{SITE}/1"]
