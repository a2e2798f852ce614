"""Sitemaps of every form, valid and broken."""

import gzip
import time
import tracemalloc
from datetime import UTC, datetime

import pytest

from tasks.errors import NotAFeed
from tasks.feeds.formats import MAX_SIZE as MAX_SITEMAP_SIZE
from tasks.feeds.sitemap import MAX_ENTRIES
from tests.documents import parse_sitemap

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://daily.example/sitemap.xml"
HARBOUR = "https://daily.example/2026/harbour"
BRIDGE = "https://daily.example/2026/bridge"
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
IMAGE = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def parse(body):
    return parse_sitemap(body.encode() if isinstance(body, str) else body, sitemap_url=URL, now=NOW)


def links(body):
    return [entry.url for entry in parse(body).entries]


def urlset(*urls, spaces=NAMESPACE):
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {spaces}>{"".join(urls)}</urlset>'


def url(loc, more=""):
    return f"<url><loc>{loc}</loc>{more}</url>"


TWO = urlset(url(HARBOUR), url(BRIDGE))


def test_urls_are_in_sitemap_order_with_their_lastmod():
    content = parse(urlset(url(HARBOUR, "<lastmod>2026-02-28T10:00:00+01:00</lastmod>"), url(BRIDGE)))

    assert [(entry.url, entry.modified_at) for entry in content.entries] == [
        (HARBOUR, datetime(2026, 2, 28, 9, tzinfo=UTC)),
        (BRIDGE, None),
    ]
    assert all(entry.published_at is None for entry in content.entries)


def test_a_news_sitemap_gives_title_and_date():
    news = "<news:news><news:publication><news:name>Daily</news:name></news:publication><news:publication_date>2026-02-28</news:publication_date><news:title>Harbour &amp; bridge</news:title></news:news>"

    entry = parse(urlset(url(HARBOUR, news), spaces=f"{NAMESPACE} {NEWS}")).entries[0]

    assert (entry.title, entry.published_at) == ("Harbour & bridge", datetime(2026, 2, 28, tzinfo=UTC))


def test_image_urls_are_not_taken_for_the_pages():
    image = "<image:image><image:loc>https://daily.example/1.jpg</image:loc><image:title>Picture</image:title></image:image>"
    flat = "<image:loc>https://daily.example/2.jpg</image:loc>"

    content = parse(urlset(f"<url>{image}{flat}<loc>{HARBOUR}</loc></url>", spaces=f"{NAMESPACE} {IMAGE}"))

    assert [(entry.url, entry.title) for entry in content.entries] == [(HARBOUR, None)]


@pytest.mark.parametrize(
    "body",
    [
        urlset(url(HARBOUR), url(BRIDGE), spaces=""),
        urlset(url(HARBOUR), url(BRIDGE), spaces='xmlns="http://www.google.com/schemas/sitemap/0.84"'),
        f'<sm:urlset xmlns:sm="http://www.sitemaps.org/schemas/sitemap/0.9"><sm:url><sm:loc>{HARBOUR}</sm:loc></sm:url><sm:url><sm:loc>{BRIDGE}</sm:loc></sm:url></sm:urlset>',
        "\n\n" + TWO,
        f"<?xml-stylesheet href='x.xsl'?><!-- made by a plug-in -->{TWO.partition('?>')[2]}",
        "\ufeff" + TWO,
        TWO.replace("UTF-8", "utf-16").encode("utf-16"),
    ],
)
def test_namespace_prefix_and_prologue_do_not_matter(body):
    assert links(body) == [HARBOUR, BRIDGE]


@pytest.mark.parametrize(
    ("loc", "link"),
    [
        ("https://daily.example/a?x=1&amp;y=2", "https://daily.example/a?x=1&y=2"),
        ("https://daily.example/a?x=1&y=2", "https://daily.example/a?x=1&y=2"),
        ("<![CDATA[https://daily.example/a?x=1&y=2]]>", "https://daily.example/a?x=1&y=2"),
        ("\n  https://daily.example/2026/harbour  \n", HARBOUR),
        ("/2026/harbour", HARBOUR),
    ],
)
def test_links_are_complete_and_absolute(loc, link):
    assert links(urlset(url(loc))) == [link]


def test_an_index_gives_its_sitemaps_newest_first():
    body = f"""<sitemapindex {NAMESPACE}>
    <sitemap><loc>https://daily.example/2024.xml</loc><lastmod>2024-12-31</lastmod></sitemap>
    <sitemap><loc>https://daily.example/undated.xml</loc></sitemap>
    <sitemap><loc>/2026.xml</loc><lastmod>2026-02-28T10:00:00Z</lastmod></sitemap>
    <sitemap><loc>https://daily.example/2024.xml</loc></sitemap></sitemapindex>"""

    content = parse(body)

    assert [child.url.rpartition("/")[2] for child in content.children] == ["2026.xml", "2024.xml", "undated.xml"]
    assert content.children[0].modified_at == datetime(2026, 2, 28, 10, tzinfo=UTC)
    assert content.entries == ()


def test_a_gzipped_sitemap_is_recognised_by_its_bytes():
    assert links(gzip.compress(TWO.encode())) == [HARBOUR, BRIDGE]


def test_a_sitemap_gzipped_twice_is_decompressed_twice():
    assert links(gzip.compress(gzip.compress(TWO.encode()))) == [HARBOUR, BRIDGE]


def test_a_truncated_gzipped_sitemap_is_read_as_far_as_possible():
    body = urlset(*(url(f"https://daily.example/{number}-{number * 7919 % 10007}") for number in range(5000)))
    packed = gzip.compress(body.encode())

    content = parse(packed[: len(packed) // 2])

    assert 1000 < len(content.entries) < 4900
    assert "gzip stream ends early" in content.warnings


def test_a_decompression_bomb_is_refused_in_bounded_memory():
    bomb = gzip.compress(b"<urlset>" + b" " * (2 * MAX_SITEMAP_SIZE))
    tracemalloc.start()

    with pytest.raises(NotAFeed, match="more than 50,000,000 bytes"):
        parse(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2.5 * MAX_SITEMAP_SIZE


def test_a_list_of_urls_is_read_as_a_sitemap():
    assert links(f"{HARBOUR}\r\n\r\nnot a url\n{BRIDGE}\n") == [HARBOUR, BRIDGE]


def test_a_feed_is_accepted_as_a_sitemap():
    assert links(f"<rss><channel><item><link>{HARBOUR}</link></item></channel></rss>") == [HARBOUR]


MALFORMED = {
    "cut in the middle": urlset(url(HARBOUR), url(BRIDGE), url("https://daily.example/cut"))[:-30],
    "no end tags": f"<urlset><url><loc>{HARBOUR}</loc><url><loc>{BRIDGE}</loc>",
    "control characters": urlset(url(HARBOUR, "<x>\x00\x0b</x>"), url(BRIDGE)),
    "wrong nesting": urlset(url(HARBOUR, "<a><b></a></b>"), url(BRIDGE)),
    "undeclared prefix": urlset(url(HARBOUR, "<news:news><news:title>x</news:title></news:news>"), url(BRIDGE)),
    "unknown entity": urlset(url(HARBOUR, "<x>&nonsense;</x>"), url(BRIDGE)),
    "junk after": TWO + "<!-- cached --> x < y",
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_sitemap_is_read_as_far_as_possible(fault):
    assert links(MALFORMED[fault])[:2] == [HARBOUR, BRIDGE]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        b"<html><body><urlset></urlset></body></html>",
        b"\x1f\x8bgarbage",
        b"\x89PNG",
        b'{"urls": []}',
        b"words",
    ],
)
def test_a_document_that_is_not_a_sitemap_is_refused(body):
    with pytest.raises(NotAFeed, match=r"https://daily\.example/sitemap\.xml"):
        parse(body)


def test_no_entity_is_expanded_and_no_file_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("https://daily.example/secret")
    head = f'<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY x SYSTEM "file://{secret}">]>'

    content = parse(f"{head}<urlset><url><loc>&x;</loc></url>{url(HARBOUR)}</urlset>")

    assert not any("secret" in entry.url for entry in content.entries)


def test_unfetchable_links_are_counted():
    content = parse(urlset(url("file:///etc/passwd"), url("ftp://daily.example/x"), url(""), url(HARBOUR)))

    assert [entry.url for entry in content.entries] == [HARBOUR]
    assert content.warnings == ("entry without a fetchable link (3 times)",)


def test_nothing_is_read_beyond_the_limit():
    content = parse(urlset(*(url(f"/{number}") for number in range(MAX_ENTRIES + 10))))

    assert len(content.entries) == MAX_ENTRIES
    assert content.warnings == (f"more than {MAX_ENTRIES:,} entries",)


def test_50_000_urls_are_read_in_seconds_with_flat_memory():
    body = urlset(*(url(f"{HARBOUR}-{number}", "<lastmod>2026-02-28</lastmod>") for number in range(50_000))).encode()
    began = time.process_time()

    content = parse(body)

    assert len(content.entries) == 50_000
    assert time.process_time() - began < 10


def test_a_lastmod_shared_by_all_to_the_second_is_ignored():
    body = urlset(*(url(f"/{number}", "<lastmod>2026-02-28T10:00:07Z</lastmod>") for number in range(5)))

    content = parse(body)

    assert {entry.modified_at for entry in content.entries} == {None}
    assert content.warnings == ("change equal on all entries",)


def test_a_day_shared_by_all_is_accepted():
    body = urlset(*(url(f"/{number}", "<lastmod>2026-02-28</lastmod>") for number in range(5)))

    assert {entry.modified_at for entry in parse(body).entries} == {datetime(2026, 2, 28, tzinfo=UTC)}


HOSTILE = {
    "nesting": "<urlset>" + "<url>" * 20_000 + f"<loc>{HARBOUR}</loc>",
    "one line of 10 MB": urlset(url("https://daily.example/" + "x" * 10_000_000), url(HARBOUR)),
    "text without elements": urlset("x" * 20_000_000),
    "other elements": urlset("<x>y</x>" * 1_000_000),
    "children of one url": urlset("<url>" + "<x/>" * 1_000_000 + "</url>"),
    "ampersands": "<urlset>" + "&" * 2_000_000,
    "cdata openings": "<urlset>" + "<![CDATA[" * 300_000,
    "comments": "<urlset>" + "<!--x-->" * 500_000,
    "end tags": "<urlset>" + "</url>" * 500_000,
    "white space": " " * 20_000_000 + TWO,
    "lines": "https://a\n" * 1_000_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_sitemap_takes_at_most_seconds(kind):
    body = HOSTILE[kind].encode()
    began = time.process_time()

    try:
        count = len(parse(body).entries)
    except NotAFeed:
        count = 0

    assert count <= MAX_ENTRIES
    assert time.process_time() - began < 10
