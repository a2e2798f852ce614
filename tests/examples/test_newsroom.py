"""The demo's newsroom serves what the demo and its truth promise."""

from collections import Counter
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from examples.newsroom.server import Newsroom
from examples.newsroom.site import FEEDS
from tasks.config.loading import load_catalogue
from tasks.extract.article import extract_text
from tasks.extract.metadata import read_metadata
from tasks.extract.page import parse_page
from tasks.politeness.robots import parse_robots
from tasks.values.text.digest import text_digest
from tasks.values.url import fetch_url
from tasks.web.text import decode_text
from tests.documents import parse_feed, parse_listing, parse_sitemap

NOW = datetime.now(UTC)
SLOW = "/en/long-read/"
WATER_BILL = "/council/what-your-water-bill-will-look-like/"
AMPEL = "/artikel/2102/vierzehn-stimmen-fuer-eine-ampel"
BENCHES = "/fr/societe/la-mairie-rend-les-bancs-41044.html"


@pytest.fixture
def newsroom():
    with Newsroom(opened_at=NOW) as one:
        yield one


@pytest.fixture
def client():
    with httpx.Client(trust_env=False, timeout=10) as one:
        yield one


def announced(newsroom, client) -> set[str]:
    """Every announced URL, in fetch form."""
    parsers = {"feeds": parse_feed_of, "sitemaps": parse_sitemap_of, "listings": parse_listing_of}
    contents = [
        parsers[kind](client.get(newsroom.base_url(outlet_id) + path))
        for outlet_id, kinds in FEEDS.items()
        for kind, paths in kinds.items()
        for path in paths
    ]
    return {fetch_url(entry.url) for content in contents for entry in content.entries}


def parse_feed_of(answer):
    return parse_feed(
        answer.content, content_type=answer.headers["content-type"], feed_url=str(answer.url), now=datetime.now(UTC)
    )


def parse_sitemap_of(answer):
    return parse_sitemap(answer.content, sitemap_url=str(answer.url), now=datetime.now(UTC))


def parse_listing_of(answer):
    return parse_listing(
        answer.content, content_type=answer.headers["content-type"], page_url=str(answer.url), now=datetime.now(UTC)
    )


def quick_pages(newsroom) -> list[str]:
    truth = newsroom.truth()
    return [url for url in (*truth.texts, *truth.twins.values()) if SLOW not in url]


def extracted(answer) -> str:
    tree = parse_page(decode_text(answer.content, answer.headers["content-type"])[0], str(answer.url))
    return extract_text(tree, read_metadata(tree, now=datetime.now(UTC))).text


def test_the_catalogue_is_well_formed_and_has_every_feed(newsroom, tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text(newsroom.catalogue(), encoding="utf-8")

    sources = load_catalogue(path).sources

    assert {source.id: len(source.feeds_of()) for source in sources} == {"courier": 2, "meridian": 2, "talblick": 2}


def test_every_outlet_has_its_own_address(newsroom):
    assert len({newsroom.base_url(outlet_id) for outlet_id in FEEDS}) == 3


def test_there_are_forty_articles_in_four_languages(newsroom):
    stories = [story for outlet in newsroom.outlets for story in outlet.stories]

    assert (len(stories), {story.language for story in stories}) == (40, {"en", "de", "fr", "es"})


def test_the_feeds_announce_exactly_the_truth(newsroom, client):
    truth = newsroom.truth()

    urls = announced(newsroom, client)

    assert ({*truth.texts, *truth.twins.values()} - urls, len(urls)) == (set(), truth.announced)


def test_links_in_feeds_have_tracking_parameters(newsroom, client):
    feed = parse_feed_of(client.get(newsroom.base_url("courier") + "/feed/"))

    assert sum("utm_source=rss" in entry.url for entry in feed.entries) == 15


def test_one_feed_is_empty(newsroom, client):
    feed = parse_feed_of(client.get(newsroom.base_url("courier") + "/sport/feed/"))

    assert feed.entries == ()


def test_robots_txt_disallows_the_couriers_embargoed_article(newsroom, client):
    base_url = newsroom.base_url("courier")
    policy = parse_robots(client.get(f"{base_url}/robots.txt").content)
    paths = ("/preview/winter-timetable-of-the-ferry/", WATER_BILL)

    allowed = [policy.allows(base_url + path, user_agent="Presslake/0.1") for path in paths]

    assert allowed == [False, True]


@pytest.mark.parametrize(
    ("outlet_id", "path", "status", "content_type"),
    [
        ("talblick", "/artikel/2099/freibad-oeffnet-frueher", 404, "text/html; charset=utf-8"),
        ("meridian", "/files/readers-report-41001.pdf", 200, "application/pdf"),
        ("courier", WATER_BILL, 200, "text/html; charset=utf-8"),
    ],
)
def test_a_path_has_its_status_and_content_type(newsroom, client, outlet_id, path, status, content_type):
    answer = client.get(newsroom.base_url(outlet_id) + path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, content_type)


@pytest.mark.parametrize(
    ("field", "header"), [("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")], ids=["etag", "date"]
)
def test_a_conditional_request_gets_a_304(newsroom, client, field, header):
    url = newsroom.base_url("courier") + WATER_BILL
    known = client.get(url).headers[field]

    answer = client.get(url, headers={header: known})

    assert (answer.status_code, answer.content) == (304, b"")


def test_pages_are_gzipped_if_the_client_accepts_it(newsroom, client):
    url = newsroom.base_url("courier") + WATER_BILL

    codings = [
        client.get(url, headers={"Accept-Encoding": coding}).headers.get("content-encoding")
        for coding in ("gzip", "identity")
    ]

    assert codings == ["gzip", None]


def test_gzip_output_is_deterministic(newsroom, client):
    url = newsroom.base_url("courier") + WATER_BILL

    bodies = set()
    for _ in range(2):
        with client.stream("GET", url) as answer:
            bodies.add(b"".join(answer.iter_raw()))

    assert len(bodies) == 1


def test_one_page_is_wrongly_declared_as_utf_8(newsroom, client):
    answer = client.get(newsroom.base_url("talblick") + AMPEL)

    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    assert "»wegen der Knie«" in answer.content.decode("cp1252")


def test_one_page_contains_a_replacement_character(newsroom, client):
    assert "oubli\ufffd à quoi" in client.get(newsroom.base_url("meridian") + BENCHES).text


def test_one_page_is_slow(newsroom, client):
    url = next(url for url in newsroom.truth().texts if SLOW in url)

    assert client.get(url).elapsed.total_seconds() >= 2


def test_an_amp_twin_has_its_page_as_canonical_url(newsroom, client):
    ((page, twin),) = newsroom.truth().twins.items()

    assert f'rel="canonical" href="{page}"' in client.get(twin).text


def test_two_wire_stories_are_copied_and_one_also_edited(newsroom):
    truth = newsroom.truth()

    printed = Counter(truth.texts.values())

    assert (sorted(printed.values())[-3:], truth.copies, truth.edited_copies) == ([1, 2, 2], 2, 1)


def test_courier_pages_have_four_teasers_under_more_for_you(newsroom, client):
    html = client.get(newsroom.base_url("courier") + WATER_BILL).text

    assert (html.count("<h2>More For You</h2>"), html.count('class="card"')) == (1, 4)


@pytest.mark.parametrize("is_later", [False, True], ids=["first edition", "second edition"])
def test_every_page_contains_its_story_verbatim(newsroom, client, is_later):
    if is_later:
        newsroom.pass_time()
    truth = newsroom.truth()
    texts = {**truth.texts, **{twin: truth.texts[page] for page, twin in truth.twins.items()}}

    wrong = [
        urlsplit(url).path
        for url in quick_pages(newsroom)
        if text_digest(extracted(client.get(url))) != text_digest(texts[url])
    ]

    assert wrong == []


def test_the_second_edition_adds_one_story_and_corrects_one(newsroom):
    before = newsroom.truth().texts
    newsroom.pass_time()
    after = newsroom.truth().texts

    changed = [urlsplit(url).path for url in before if after[url] != before[url]]

    assert (changed, len(after) - len(before)) == ([WATER_BILL], 1)


def test_a_correction_changes_one_sentence(newsroom):
    url = newsroom.base_url("courier") + WATER_BILL
    before = newsroom.truth().texts[url]
    newsroom.pass_time()
    after = newsroom.truth().texts[url]

    gone = set(before.split(". ")) - set(after.split(". "))

    assert len(gone) == 1


def test_the_second_edition_changes_the_validators_of_all_but_the_steady_pages(newsroom, client):
    pages = quick_pages(newsroom)
    before = {url: client.head(url).headers["etag"] for url in pages}
    newsroom.pass_time()

    steady = [url for url in pages if client.head(url).headers["etag"] == before[url]]

    assert len(steady) == newsroom.truth().steady_pages


def test_requests_are_recorded(newsroom, client):
    client.get(newsroom.base_url("meridian") + "/robots.txt")

    assert [(one.outlet_id, one.path, one.status) for one in newsroom.asked] == [("meridian", "/robots.txt", 200)]
