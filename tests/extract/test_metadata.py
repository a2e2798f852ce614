import json
from datetime import UTC, datetime

import pytest

from tests.extract.reading import NAMES, PARAGRAPHS, expected, page, read_fixture, read_page

TEXTS = ("title", "lede", "language", "section", "image_url", "canonical_url", "paywalled", "tdm_reserved")
LISTS = ("authors", "tags")
INSTANTS = ("published_at", "modified_at")


def metadata(head: str = "", *, url: str = "https://www.portcourier.example/local/harbour-reopens", **changes):
    return read_page(page(head=head, **changes), url=url).metadata


def jsonld(**fields) -> str:
    node = {"@type": "NewsArticle", "headline": "Harbour reopens", **fields}
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


@pytest.mark.parametrize("name", NAMES)
def test_fixture_pages_give_their_metadata(name):
    wanted, found = expected(name), read_fixture(name).metadata

    got = {key: getattr(found, key) for key in TEXTS}
    got |= {key: list(getattr(found, key)) for key in LISTS}
    got |= {key: value.isoformat() for key in INSTANTS if (value := getattr(found, key))}
    assert {key: got.get(key) for key in wanted if key in (*TEXTS, *LISTS, *INSTANTS)} == {
        key: wanted[key] for key in wanted if key in (*TEXTS, *LISTS, *INSTANTS)
    }


def test_jsonld_takes_precedence_over_meta():
    head = (
        jsonld(datePublished="2026-03-02T06:15:00Z") + '<meta property="article:published_time" content="2025-01-01">'
    )

    assert metadata(head).published_at == datetime(2026, 3, 2, 6, 15, tzinfo=UTC)


def test_the_article_with_the_pages_title_is_chosen():
    other = jsonld(headline="Derby ends without a goal", datePublished="2026-01-01")

    assert metadata(other + jsonld(datePublished="2026-03-02")).published_at == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "shown",
    [
        '<time datetime="2026-03-02">Monday</time>',
        '<span itemprop="datePublished" content="2026-03-02"></span>',
        '<time pubdate datetime="2026-03-02">Monday</time>',
    ],
)
def test_a_visible_date_is_used_if_none_is_declared(shown):
    html = page().replace("</h1>", f"</h1>{shown}")

    assert read_page(html).metadata.published_at == datetime(2026, 3, 2, tzinfo=UTC)


def test_a_date_in_the_url_is_the_last_resort():
    found = metadata(url="https://www.portcourier.example/2026/03/02/harbour")

    assert found.published_at == datetime(2026, 3, 2, tzinfo=UTC)


def test_a_page_without_a_date_has_none():
    assert metadata().published_at is None


@pytest.mark.parametrize("offset", ["+99:99", "-24:00"])
def test_a_date_with_an_offset_of_a_day_or_more_is_none(offset):
    assert (
        metadata(f'<meta property="article:published_time" content="2026-11-20T10:00:00{offset}">').published_at is None
    )


def test_a_date_in_the_future_is_ignored():
    assert metadata(jsonld(datePublished="2031-01-01")).published_at is None


@pytest.mark.parametrize(
    ("canonical", "url"),
    [
        ("/local/harbour", "https://www.example.com/local/harbour"),
        ("https://example.com/local/harbour", "https://example.com/local/harbour"),
        ("https://m.example.com/local/harbour", "https://m.example.com/local/harbour"),
        ("https://example.org/local/harbour", None),
        ("https://www.example.com/", None),
        ("", None),
        ("http://[broken", None),
        ("javascript:void(0)", None),
    ],
)
def test_a_canonical_url_must_be_on_the_same_site_and_not_its_root(canonical, url):
    found = metadata(f'<link rel="canonical" href="{canonical}">', url="https://www.example.com/local/harbour-reopens")

    assert found.canonical_url == url


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="canonical" href="https://wire.example/stories/harbour">',
        '<link rel="canonical" href="/local/harbour"><meta name="original-source" content="https://wire.example/stories/harbour">',
    ],
)
def test_a_pages_syndication_source_is_read(head):
    assert metadata(head).syndicated_from == "https://wire.example/stories/harbour"


def test_a_canonical_url_on_the_same_site_is_no_syndication():
    assert metadata('<link rel="canonical" href="/local/harbour">').syndicated_from is None


def test_og_url_is_used_without_a_canonical_url():
    assert metadata('<meta property="og:url" content="/a/b">').canonical_url == "https://www.portcourier.example/a/b"


@pytest.mark.parametrize(
    ("declared", "language"),
    [("de", "de"), ("pt-BR", "pt"), ("zh_Hant", "zh"), ("gsw", "gsw"), ("EN-us", "en"), ("", None), ("english", None)],
)
def test_the_language_is_the_first_part_of_its_tag(declared, language):
    assert metadata(language=declared).language == language


def test_content_language_is_used_without_lang():
    assert metadata('<meta http-equiv="Content-Language" content="fr-FR">', language="").language == "fr"


@pytest.mark.parametrize(
    ("head", "paywalled"),
    [
        (jsonld(isAccessibleForFree=False), True),
        (jsonld(isAccessibleForFree="False"), True),
        (jsonld(isAccessibleForFree="http://schema.org/True"), False),
        ('<meta property="article:content_tier" content="locked">', True),
        ('<meta property="article:content_tier" content="free">', False),
        ("", None),
    ],
)
def test_a_paywall_is_reported(head, paywalled):
    assert metadata(head).paywalled is paywalled


@pytest.mark.parametrize(("content", "reserved"), [("1", True), ("0", False), ("maybe", None)])
def test_a_reservation_of_text_mining_is_reported(content, reserved):
    assert metadata(f'<meta name="tdm-reservation" content="{content}">').tdm_reserved is reserved


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("/a.jpg", "https://www.portcourier.example/a.jpg"),
        (["/a.jpg", "/b.jpg"], "https://www.portcourier.example/a.jpg"),
        ({"@type": "ImageObject", "url": "/a.jpg"}, "https://www.portcourier.example/a.jpg"),
        ({"@type": "ImageObject", "contentUrl": "//cdn.example/a.jpg"}, "https://cdn.example/a.jpg"),
        (["data:image/gif;base64,R0lG"], None),
        ({}, None),
        ([], None),
        (7, None),
    ],
)
def test_the_image_is_an_absolute_url(image, url):
    assert metadata(jsonld(image=image)).image_url == url


@pytest.mark.parametrize(
    ("head", "tags"),
    [
        (jsonld(keywords=["harbour", "ferries"]), ("harbour", "ferries")),
        (jsonld(keywords="harbour, ferries, harbour"), ("harbour", "ferries")),
        (
            '<meta property="article:tag" content="harbour"><meta property="article:tag" content="ferries">',
            ("harbour", "ferries"),
        ),
        ('<meta name="keywords" content="harbour; ferries">', ("harbour", "ferries")),
        (f'<meta name="keywords" content="{"x" * 200}">', ()),
    ],
)
def test_tags_are_the_first_non_empty_list(head, tags):
    assert metadata(head).tags == tags


def test_mojibake_is_repaired_in_every_field():
    found = read_fixture("broken_sv")

    assert [
        one for one in (found.metadata.title, found.metadata.lede, found.text) if set(one) & set("\ufffd\u200b\u00ad")
    ] == []


def test_a_page_without_metadata_has_none():
    found = read_page("<html><body><p>words</p></body></html>", url="https://a.example/").metadata

    assert (found.title, found.lede, found.authors, found.published_at, found.tags) == (None, None, (), None, ())


@pytest.mark.parametrize(
    "heading",
    [
        "<span class='kicker'>Lesetipp</span> Harbour reopens",
        "<span>延伸</span><span>Harbour reopens</span>",
        "<em>Harbour</em> reopens",
        "<span class='section'>Island life</span>: Harbour reopens",
    ],
)
def test_a_label_before_the_title_in_its_heading_is_not_part_of_it(heading):
    assert (
        read_page(page().replace("<h1>Harbour reopens</h1>", f"<h1>{heading}</h1>")).metadata.title == "Harbour reopens"
    )


def test_a_title_on_two_lines_is_joined():
    found = read_page(page().replace("<h1>Harbour reopens</h1>", "<h1>Harbour<br>reopens</h1>"))

    assert found.metadata.title == "Harbour reopens"
    assert found.lines == list(PARAGRAPHS)


def test_a_heading_repeated_in_full_is_the_title():
    html = (
        page()
        .replace("Harbour reopens", "Lesetipp Harbour reopens")
        .replace("<h1>Lesetipp", "<h1><span>Lesetipp</span>")
    )

    assert read_page(html).metadata.title == "Lesetipp Harbour reopens"
